// Kuadrant MCP gateway: Envoy's access log as JSON with fields of its own, as its guide on auditing shows it. "-" is what
// is not there. Releases differ in what they log; a configuration may leave fields out.
import { type Fields, type Format, asNumber, asObject, asText } from "../format.ts";
import { asCount, parseWithin } from "./fields.ts";
import { emitAccess } from "./gateway-access.ts";

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{8,16})-[\da-f]{2}$/;
const READ = new Set(
  (
    "timestamp method response_code request_id traceparent mcp_method mcp_tool_name mcp_server_name mcp_session_id " +
    "mcp_user_id mcp_agent_id mcp_tool_params duration_ms upstream_host bytes_sent"
  ).split(" "),
);

/** Text that is there. */
function said(value: unknown): string | undefined {
  const text = asText(value);
  return text === "-" ? undefined : text;
}

function isOwn(value: unknown): boolean {
  const r = asObject(value);
  return r !== undefined && "mcp_method" in r && "response_code" in r && "timestamp" in r;
}

function rest(r: Fields): Fields | undefined {
  const left: Fields = {};
  let some = false;
  for (const key in r) {
    if (READ.has(key) || r[key] === "-" || r[key] === null) continue;
    left[key] = r[key];
    some = true;
  }
  return some ? left : undefined;
}

export const kuadrant: Format = {
  name: "kuadrant",
  vantage: "gateway",
  recognise: (head) => (head.length === 0 ? 0 : head.filter(isOwn).length / head.length),
  sessionOf: () => undefined,
  open() {
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      const trace = TRACEPARENT.exec(said(r["traceparent"]) ?? "");
      const params = said(r["mcp_tool_params"]);
      emitAccess(
        {
          gateway: "kuadrant",
          time: r["timestamp"],
          method: said(r["mcp_method"]),
          tool: said(r["mcp_tool_name"]),
          server: said(r["mcp_server_name"]),
          session: said(r["mcp_session_id"]),
          user: said(r["mcp_user_id"]),
          agent: said(r["mcp_agent_id"]),
          // Cut at a length: what is no JSON any more is kept as text.
          args: params === undefined ? undefined : (asObject(parseWithin(params)) ?? params),
          http_method: said(r["method"]),
          status: asCount(r["response_code"]),
          duration_ms: asNumber(r["duration_ms"]),
          trace: trace?.[1],
          span: trace?.[2]?.length === 16 ? trace[2] : undefined,
          request: said(r["request_id"]),
          upstream: said(r["upstream_host"]),
          bytes_in: asCount(r["bytes_sent"]),
          rest: rest(r),
        },
        scope,
      );
      return "recorded";
    };
  },
};
