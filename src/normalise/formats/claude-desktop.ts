// Claude Desktop: its MCP logs, `mcp-server-NAME.log`, as far as they are known: lines of text in which the messages
// between client and server stand as JSON, among words of the client and whatever the server writes to standard error.
// Messages may be cut or printed in other ways by other versions: such lines are kept as text.
import { type Fields, type Format, type Scope, asObject, asText } from "../format.ts";
import { parseWithin } from "./fields.ts";
import { mapLine } from "./mcp.ts";

const TIME = String.raw`(\d{4}-\d\d-\d\dT[\d:.]+Z)`;
const LEVEL = "(trace|debug|info|warn|warning|error)";
/** The name stands before the level in newer versions, behind it in older ones, or not at all. */
const LINE = new RegExp(String.raw`^${TIME} (?:\[([^\]]+)\] )?\[${LEVEL}\] (?:\[([^\]]+)\] )?(.*)$`);
const MESSAGE = /^Message from (client|server): (\{.*)$/;
const CONNECTED = /^(?:Server started and connected|Connected to MCP server (.+)!)/;
const PATH = /mcp-server-(.+?)\.log/;

function decode(line: string): unknown {
  const match = LINE.exec(line);
  if (match === null) return line.startsWith("{") ? undefined : { text: line };
  const [, ts, before, level, behind, text] = match;
  const name = before ?? behind;
  const server = name === undefined ? undefined : { name };
  const message = MESSAGE.exec(text!);
  const msg = message === null ? undefined : jsonOf(message[2]!);
  if (msg === undefined) return { ts, level, server, text };
  return { ts, dir: message![1] === "client" ? "c2s" : "s2c", msg, server, conn: name };
}

/** The message, without what newer versions write behind it. */
function jsonOf(text: string): unknown {
  const end = text.lastIndexOf(" { metadata:");
  return parseWithin(text) ?? (end < 0 ? undefined : parseWithin(text.slice(0, end)));
}

/** What client and server say beside their messages. */
function words(r: Fields, named: string | undefined, scope: Scope): void {
  const text = asText(r["text"]);
  const connected = CONNECTED.exec(text ?? "");
  const failed = r["level"] === "error";
  const e = scope.event(
    connected !== null ? "server-connected" : failed ? "agent-error" : "session-event",
    r["ts"],
  );
  e["service.name"] = "claude-desktop";
  const server = connected?.[1] ?? asText(asObject(r["server"])?.["name"]) ?? named;
  if (server !== undefined) {
    e["tapline.server.name"] = e["service.target.name"] = server;
    e["tapline.server.identity_source"] = "configured";
    e["service.target.type"] = "mcp";
  }
  e["tapline.record.type"] = asText(r["level"]) ?? "stderr";
  if (failed) {
    e["event.outcome"] = "failure";
    e["error.message"] = text;
  } else e["message"] = text;
  if (connected !== null) e["event.outcome"] = "success";
  scope.emit(e);
}

export const claudeDesktop: Format = {
  name: "claude-desktop",
  vantage: "other",
  decode,
  recognise(head, path) {
    const isLog = head.some((value) => {
      const r = asObject(value);
      return (
        r?.["msg"] !== undefined || (r?.["level"] !== undefined && CONNECTED.test(asText(r["text"]) ?? ""))
      );
    });
    return isLog
      ? 0.9
      : PATH.test(path) && head.some((value) => asObject(value)?.["level"] !== undefined)
        ? 0.6
        : 0;
  },
  sessionOf: () => undefined,
  open(stream) {
    const named = PATH.exec(stream.path)?.[1];
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      if (r["msg"] !== undefined) return mapLine(r, scope);
      words(r, named, scope);
      return "recorded";
    };
  },
};
