// Captures of MCP over HTTP: `{ts, duration_ms, request{method,url,headers,body}, response{status,headers,body}}`,
// bodies as text, answers as JSON or as server-sent events. Headers are read, never kept: they hold credentials.
import { type Fields, type Outcome, type Scope, asNumber, asObject, asText } from "../format.ts";
import { hostOf } from "../url.ts";
import { asCount, parseWithin } from "./fields.ts";
import { type Exchange, type Line, begin } from "./mcp-line.ts";
import { mapMessage } from "./mcp-message.ts";

export function isExchange(fields: Fields): boolean {
  return (
    typeof asObject(fields["request"])?.["method"] === "string" && asObject(fields["response"]) !== undefined
  );
}

/** JSON messages in a body, be it JSON or an event stream; what is neither is left out. */
function messagesOf(body: unknown): unknown[] {
  const text = asText(body);
  if (text === undefined) return [];
  const whole = parseWithin(text) as unknown;
  if (Array.isArray(whole)) return whole;
  if (asObject(whole) !== undefined) return [whole];
  const found: unknown[] = [];
  for (const part of text.split(/\r?\n\r?\n/)) {
    const data = part.split(/\r?\n/).filter((field) => field.startsWith("data:"));
    const message = parseWithin(data.map((field) => field.slice(5)).join("\n"));
    if (asObject(message) !== undefined) found.push(message);
  }
  return found;
}

function header(message: Fields, name: string): string | undefined {
  return asText(asObject(message["headers"])?.[name]);
}

/** Milliseconds after a time, for the answer. */
function later(ts: unknown, duration_ms: number): string | number | undefined {
  if (typeof ts === "number") return ts;
  if (typeof ts !== "string") return undefined;
  const ms = Date.parse(ts) + duration_ms;
  return Number.isFinite(ms) ? ms : ts;
}

export function mapExchange(fields: Fields, scope: Scope): Outcome {
  const request = asObject(fields["request"])!;
  const response = asObject(fields["response"])!;
  const host = header(request, "host");
  const session = header(request, "mcp-session-id") ?? header(response, "mcp-session-id");
  const http: Exchange = {
    method: asText(request["method"]),
    status: asCount(response["status"]),
    host: host === undefined ? undefined : hostOf("http://" + host),
    session,
    protocol: header(request, "mcp-protocol-version"),
  };
  const ts = fields["ts"];
  const asked: Line = {
    scope,
    session: scope.session(asText(fields["session"])),
    time: typeof ts === "string" || typeof ts === "number" ? ts : undefined,
    dir: "c2s",
    conn: session,
    key: session ?? `${scope.stream.id}.${scope.offset}`,
    fields,
    server: asObject(fields["server"]),
    http,
  };
  const answered: Line = { ...asked, dir: "s2c", time: later(ts, asNumber(fields["duration_ms"]) ?? 0) };
  const requests = messagesOf(request["body"]);
  const responses = messagesOf(response["body"]);
  for (let i = 0; i < requests.length; i++) mapMessage(asked, requests[i]);
  for (let i = 0; i < responses.length; i++) mapMessage(answered, responses[i]);
  if (requests.length + responses.length === 0) bare(asked);
  return "recorded";
}

/** An exchange without a message: a stream opened, a session ended, a request refused. */
function bare(line: Line): void {
  const e = begin(line, line.http!.method === "DELETE" ? "session-end" : "record", undefined);
  e["tapline.record.type"] = "http exchange";
  e["event.outcome"] = (line.http!.status ?? 500) < 400 ? "success" : "failure";
  line.scope.emit(e);
}
