// agentgateway: its request log, lines of `key=value` with its own names and those of OpenTelemetry. Arguments and results
// are not in it. Other lines of the gateway's log are kept as they are.
import { type Fields, type Format, type Scope, asHeld, asObject, asText } from "../format.ts";
import { asCount } from "./fields.ts";
import { emitAccess } from "./gateway-access.ts";

// Container runtimes may write a name before the time.
const LINE = /^(?:\S+ )?(\d{4}-\d\d-\d\dT[\d:.]+Z)\s+(trace|debug|info|warn|error)\s+(\S.*)$/;
const PAIR = /([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g;
const DURATION = /^([\d.]{1,20})(ns|us|µs|ms|s)$/;
const MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000 };
const READ = new Set(
  (
    "gateway http.method http.status duration mcp.method.name mcp.target mcp.session.id mcp.resource.uri mcp.error.code " +
    "mcp.error.message gen_ai.tool.name gen_ai.prompt.name jwt.sub trace.id span.id endpoint reason error"
  ).split(" "),
);

/** A line as `{ts, level, pairs}`, or `{ts, level, text}` where it is no request. */
function decode(line: string): unknown {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, ts, level, rest] = match;
  if (!rest!.startsWith("request ")) return { ts, level, text: rest };
  const pairs = Object.create(null) as Fields;
  for (const [, key, quoted, plain] of rest!.matchAll(PAIR))
    pairs[key!] = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, "$1");
  return { ts, level, pairs };
}

function millisOf(value: unknown): number | undefined {
  const match = DURATION.exec(asText(value) ?? "");
  return match === null ? undefined : Number(match[1]) * MS[match[2]!]!;
}

function request(ts: unknown, p: Fields, scope: Scope): void {
  const rest: Fields = {};
  for (const key in p) if (!READ.has(key)) rest[key] = p[key];
  emitAccess(
    {
      gateway: "agentgateway",
      time: ts,
      method: asText(p["mcp.method.name"]),
      tool: asText(p["gen_ai.tool.name"]) ?? asText(p["mcp.tool.name"]),
      prompt: asText(p["gen_ai.prompt.name"]),
      uri: asText(p["mcp.resource.uri"]),
      server: asText(p["mcp.target"]),
      session: asText(p["mcp.session.id"]),
      user: asText(p["jwt.sub"]),
      http_method: asText(p["http.method"]),
      status: asCount(p["http.status"]),
      error_code: asText(p["mcp.error.code"]),
      error: asText(p["mcp.error.message"]) ?? asText(p["error"]),
      reason: asText(p["reason"]),
      duration_ms: millisOf(p["duration"]),
      trace: asText(p["trace.id"]),
      span: asText(p["span.id"]),
      upstream: asText(p["endpoint"]),
      rest,
    },
    scope,
  );
}

function other(r: Fields, scope: Scope): void {
  const failed = r["level"] === "error";
  const e = scope.event(failed ? "agent-error" : "session-event", r["ts"]);
  e["service.name"] = "agentgateway";
  const text = asText(r["text"]);
  if (failed) {
    e["event.outcome"] = "failure";
    e["error.message"] = text;
  } else if (text === undefined) e["tapline.ext"] = asHeld(r);
  else e["message"] = text;
  scope.emit(e);
}

/** Whether a request has what only this gateway writes. */
function isOwn(value: unknown): boolean {
  const pairs = asObject(asObject(value)?.["pairs"]);
  return pairs !== undefined && "gateway" in pairs && "http.status" in pairs;
}

export const agentgateway: Format = {
  name: "agentgateway",
  vantage: "gateway",
  decode,
  recognise: (head) => (head.some(isOwn) ? 0.9 : 0),
  sessionOf: () => undefined,
  open() {
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      const pairs = asObject(r["pairs"]);
      if (pairs === undefined) other(r, scope);
      else request(r["ts"], pairs, scope);
      return "recorded";
    };
  },
};
