// MCP as JSON-RPC lines, both eras: `{ts, dir: "c2s"|"s2c", msg, conn?, session?, server?, client?, user?, agent?}`,
// with `decision` or `notice` where the chokepoint wrote them, and captures of whole HTTP exchanges. Reads the line's
// envelope; mcp-message.ts maps the messages in it.
import type { StreamInfo } from "../../core/stage.ts";
import { type Format, type Mapper, type Outcome, type Scope, asHeld, asObject, asText } from "../format.ts";
import { isNotice, mapDecided, mapNotice } from "./mcp-decision.ts";
import { isExchange, mapExchange } from "./mcp-http.ts";
import { type Line, begin } from "./mcp-line.ts";
import { mapMessage } from "./mcp-message.ts";

function isLine(record: unknown): boolean {
  const fields = asObject(record);
  const msg = fields?.["msg"];
  return (isDirection(fields?.["dir"]) && typeof msg === "object" && msg !== null) || isNotice(fields ?? {});
}

function isDirection(value: unknown): value is "c2s" | "s2c" {
  return value === "c2s" || value === "s2c";
}

/** Keeps what is no MCP line, as it is. */
function keep(record: unknown, scope: Scope): Outcome {
  const e = scope.event("record", asText(asObject(record)?.["ts"]));
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(record);
  scope.emit(e);
  return "recorded";
}

/** Maps one line, also of formats that hold the same under another wrapping. */
export function mapLine(record: unknown, scope: Scope): Outcome {
  const fields = asObject(record);
  if (fields === undefined) return keep(record, scope);
  const dir = fields["dir"];
  const notice = isNotice(fields) ? asObject(fields["notice"]) : undefined;
  if (!isDirection(dir) && notice === undefined)
    return isExchange(fields) ? mapExchange(fields, scope) : keep(record, scope);
  const conn =
    asText(fields["conn"]) ?? (typeof fields["conn"] === "number" ? String(fields["conn"]) : undefined);
  const ts = fields["ts"];
  const line: Line = {
    scope,
    session: scope.session(asText(fields["session"])),
    time: typeof ts === "string" || typeof ts === "number" ? ts : undefined,
    dir: dir === "s2c" ? "s2c" : "c2s",
    conn,
    key: conn ?? scope.stream.id,
    fields,
    server: asObject(fields["server"]),
    http: undefined,
  };
  if (notice !== undefined) {
    mapNotice(line, notice);
    return "recorded";
  }
  const msg = fields["msg"];
  const decision = asObject(fields["decision"]);
  const decided = decision === undefined ? undefined : asObject(msg);
  if (decided !== undefined) mapDecided(line, decided, decision!);
  else if (!Array.isArray(msg)) mapMessage(line, msg);
  else if (msg.length === 0) keepEmptyBatch(line);
  else for (let i = 0; i < msg.length; i++) mapMessage(line, msg[i]);
  return "recorded";
}

function keepEmptyBatch(line: Line): void {
  const e = begin(line, "record", undefined);
  e["tapline.record.known"] = false;
  e["tapline.record.type"] = "empty batch";
  line.scope.emit(e);
}

export const mcp: Format = {
  name: "mcp",
  vantage: "proxy",

  recognise(head) {
    if (head.length === 0) return 0;
    return head.filter((record) => isLine(record) || isExchange(asObject(record) ?? {})).length / head.length;
  },

  /** The session that all lines name; a stream in which several sessions interleave has none of its own. */
  sessionOf(head) {
    const first = asText(asObject(head[0])?.["session"]);
    return head.every((record) => asText(asObject(record)?.["session"]) === first) ? first : undefined;
  },

  /** Requests and notifications: what a proxy and a server behind it read. */
  asks(record) {
    const msg = asObject(record)?.["msg"];
    return Array.isArray(msg) || asObject(msg)?.["method"] !== undefined;
  },

  open(_stream: StreamInfo): Mapper {
    return mapLine;
  },
};
