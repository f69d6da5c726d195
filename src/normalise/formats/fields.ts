// Values of records as event fields, shared by the mappers of agents: tool names, arguments, results, sizes.
// Everything takes anything and never throws; what has no sensible value gives undefined.
import type { Event } from "../../core/generated/event.ts";
import { mcpTool } from "../../core/mcp-tool.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Json } from "../../core/text.ts";
import { type Fields, asList, asNumber, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { parseRecord } from "../text-json.ts";

/** `value` as a whole number that JSON can carry; fractions are cut. */
export function asInteger(value: unknown): number | undefined {
  const number = asNumber(value);
  if (number === undefined) return undefined;
  const whole = Math.trunc(number) + 0;
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** `value` as a whole number that is not negative. */
export function asCount(value: unknown): number | undefined {
  const whole = asInteger(value);
  return whole === undefined || whole < 0 ? undefined : whole;
}

/** Milliseconds as the nanoseconds of event.duration. */
export function asDuration(ms: unknown): number | undefined {
  const number = asNumber(ms);
  return number === undefined ? undefined : asCount(number * 1e6);
}

/** A Rust Duration `{secs, nanos}` as nanoseconds. */
export function asSpan(value: unknown): number | undefined {
  const span = asObject(value);
  const secs = asNumber(span?.["secs"]);
  return secs === undefined ? undefined : asCount(secs * 1e9 + (asNumber(span!["nanos"]) ?? 0));
}

/** True and "true", false and "false"; OTel attributes come as text. */
export function asFlag(value: unknown): boolean | undefined {
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : undefined;
}

/** Sets the tool and, when it belongs to an MCP server (named, or by `mcp__<server>__<tool>`), the server. */
export function setTool(e: Event, name: unknown, server?: string): void {
  const whole = asText(name) ?? "unknown";
  const named = mcpTool(whole, server);
  const tool = named?.tool ?? whole;
  const owner = named?.server ?? server;
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.name"] = tool;
  e["gen_ai.tool.type"] = owner === undefined ? "function" : "extension";
  if (owner === undefined) return;
  e["mcp.method.name"] ??= "tools/call";
  setServer(e, owner);
}

/** Sets the MCP server by the name that the agent's configuration gives it. */
export function setServer(e: Event, server: string): void {
  e["tapline.server.name"] = server;
  e["tapline.server.identity_source"] = "configured";
  e["service.target.type"] = "mcp";
  e["service.target.name"] = server;
}

/** Arguments as an object: servers index nothing else. Text that holds JSON is read. */
export function asArguments(value: unknown): Json | undefined {
  if (typeof value === "string") return parseJson(value) ?? (value === "" ? undefined : { text: value });
  return wrap(value, "items");
}

/** A result as an object: `{text}`, `{content: [...]}`, or as it is. Text is never parsed. */
export function asResult(value: unknown): Json | undefined {
  return typeof value === "string" ? { text: value } : wrap(value, "content");
}

function wrap(value: unknown, list: string): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return { [list]: value as Json };
  return typeof value === "object" ? (value as Json) : { value: value as Json };
}

/** The object in a JSON text, or undefined when it holds none, is broken or nests too deep. */
export function parseJson(text: string): Json | undefined {
  return text.charCodeAt(0) === 123 ? parseWithin(text) : undefined;
}

const LONG_NUMBER = /\d{16}/;

/** The value of a JSON text that came within a record, or undefined when it is broken or nests too deep. */
export function parseWithin(text: string): Json | undefined {
  return tooDeep(text) ? undefined : (parseRecord(text, LONG_NUMBER.test(text)) as Json | undefined);
}

/** Whether brackets nest deeper than a record may. Brackets in strings count too: it errs on the side of text. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i) | 32;
    if (c === 123) {
      if (++depth > LIMITS.depth) return true;
    } else if (c === 125 && depth > 0) depth--;
  }
  return false;
}

/** What joins calls and results without ids: the n-th result of a tool belongs to its n-th call. */
export function nthOf(session: Session, what: "call" | "result", tool: string): string {
  return `${tool}#${session.tally(`${what}.${tool}`)}`;
}

/** The text of a message: a string, or the texts of its blocks, one a line; undefined when there is none. */
export function textOf(content: unknown): string | undefined {
  if (!Array.isArray(content)) return asText(content);
  let all: string | undefined;
  for (const item of content as unknown[]) {
    const text = asText(item) ?? asText(asObject(item)?.["text"]);
    if (text !== undefined) all = all === undefined ? text : `${all}\n${text}`;
  }
  return all;
}

/** Sets outcome, and for a failure the class and message of the error, which is cut after redaction. */
export function setOutcome(e: Event, ok: boolean, type?: string, message?: string): void {
  e["event.outcome"] = ok ? "success" : "failure";
  if (ok) return;
  e["error.type"] = type ?? "tool_error";
  if (message !== undefined) e["error.message"] = message;
}

/** The texts of messages `{role, content}`, one a line; a content is text, a block, or a list of blocks. */
export function messagesText(messages: unknown): string | undefined {
  return textOf(asList(messages).flatMap((message) => asObject(message)?.["content"]));
}

const TIMES = ["ts", "timestamp", "@timestamp", "time", "created_at", "created"];

/** The time of a record that has it under one of the usual names: text or a number since 1970. */
export function timeOf(record: Fields): string | number | undefined {
  for (let i = 0; i < TIMES.length; i++) {
    const value = record[TIMES[i]!];
    if (typeof value === "number" || (typeof value === "string" && value !== "")) return value;
  }
  return undefined;
}

/** Text, or a number or flag as text: ids come as any of them. */
export function asIdentity(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return asText(value);
}
