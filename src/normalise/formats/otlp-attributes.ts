// OTLP in JSON: values, attributes and ids, and the attributes that are event fields under the same name.
import type { Action } from "../../core/generated/classes.ts";
import { type Event, FIELDS, type FieldName } from "../../core/generated/event.ts";
import { type Fields, type Scope, asList, asNumber, asObject, asText, asTexts } from "../format.ts";
import type { Session } from "../session.ts";
import { asArguments, asCount, asInteger, setServer, setTool } from "./fields.ts";

/** Refs of telemetry are its own: a transcript of the same session has calls of the same ids open. */
export const REF = "otel:";

/** One log record or span with what its resource and scope say. */
export interface OtlpRecord {
  /** Event name of a log, name of a span. */
  readonly name: string;
  readonly attributes: Fields;
  readonly resource: Fields;
  /** The log record or span itself. */
  readonly raw: Fields;
  readonly session: Session;
  readonly scope: Scope;
}

/** An AnyValue as JSON; undefined when it is none. Integers beyond what JSON carries stay text. */
export function valueOf(any: unknown): unknown {
  const v = asObject(any);
  if (v === undefined) return undefined;
  if (v["stringValue"] !== undefined) return v["stringValue"];
  if (v["intValue"] !== undefined) return asInteger(v["intValue"]) ?? v["intValue"];
  if (v["boolValue"] !== undefined) return v["boolValue"];
  if (v["doubleValue"] !== undefined) return asNumber(v["doubleValue"]) ?? v["doubleValue"];
  if (v["arrayValue"] !== undefined) return asList(asObject(v["arrayValue"])?.["values"]).map(valueOf);
  if (v["kvlistValue"] !== undefined) return attributesOf(asObject(v["kvlistValue"])?.["values"]);
  return v["bytesValue"];
}

/** A list of `{key, value}` as an object without prototype: keys come from outside. */
export function attributesOf(list: unknown): Fields {
  const all = Object.create(null) as Fields;
  for (const item of asList(list)) {
    const pair = asObject(item);
    const key = asText(pair?.["key"]);
    if (key !== undefined) all[key] = valueOf(pair!["value"]);
  }
  return all;
}

const NANOS = /^\d{1,19}$/;
/** Nanoseconds between two times, exact where they are text: a number does not hold them. */
export function nanosBetween(start: unknown, end: unknown): number | undefined {
  if (typeof start === "string" && typeof end === "string") {
    return NANOS.test(start) && NANOS.test(end) ? asCount(Number(BigInt(end) - BigInt(start))) : undefined;
  }
  const [from, to] = [asNumber(start), asNumber(end)];
  return from === undefined || to === undefined ? undefined : asCount(to - from);
}

const HEX = /^[\da-f]+$/i;
/** A trace or span id; OTLP's JSON writes them in hex. */
export function idOf(value: unknown): string | undefined {
  const text = asText(value);
  return text !== undefined && HEX.test(text) && !/^0+$/.test(text) ? text.toLowerCase() : undefined;
}

const PASSED = /^(?:gen_ai|mcp|jsonrpc|rpc|network|server|error|http|url|user|file)\./;
const SAME = new Map<string, keyof typeof FIELDS>(
  (Object.keys(FIELDS) as FieldName[]).filter((name) => PASSED.test(name)).map((name) => [name, name]),
);
for (const [alias, name] of [
  ["gen_ai.system", "gen_ai.provider.name"],
  ["gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"],
  ["gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"],
  ["mcp.tool.name", "gen_ai.tool.name"],
  ["mcp.client.name", "tapline.client.name"],
  ["mcp.client.version", "tapline.client.version"],
  ["mcp.server.version", "tapline.server.version"],
  ["mcp.request.id", "jsonrpc.request.id"],
  ["gen_ai.tool.call_id", "gen_ai.tool.call.id"],
] as const satisfies readonly (readonly [string, FieldName])[]) {
  SAME.set(alias, name);
}

/** `value` as the type of the field; undefined when it has none of it. */
function typed(type: string, value: unknown): unknown {
  switch (type) {
    case "long":
      return asInteger(value);
    case "double":
      return asNumber(value);
    case "object":
      return asArguments(value);
    case "keyword[]":
      return Array.isArray(value) ? asTexts(value) : typeof value === "string" ? [value] : undefined;
    default:
      return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
  }
}

/** Of a resource only who it is: its URL or process is not that of a call. */
const OF_RESOURCE = /^(?:gen_ai\.agent|user)\./;

function pass(e: Event, attributes: Fields, isResource: boolean): void {
  const target = e as unknown as Record<string, unknown>;
  for (const key in attributes) {
    if (isResource && !OF_RESOURCE.test(key)) continue;
    const name = SAME.get(key);
    if (name !== undefined && target[name] === undefined) target[name] = typed(FIELDS[name], attributes[key]);
  }
}

/** What Gemini CLI calls its version is that of Node. */
function versionIn(resource: Fields): string | undefined {
  return resource["service.name"] === "gemini-cli" ? undefined : asText(resource["service.version"]);
}

/** A new event with everything that resource and attributes say under names that are event fields. */
export function begin(action: Action, of: OtlpRecord, time: unknown): Event {
  const { attributes: a, resource, raw } = of;
  const e = of.scope.event(action, time);
  e["service.name"] = asText(resource["service.name"]);
  e["service.version"] = versionIn(resource) ?? asText(a["app.version"]);
  e["session.id"] = asText(a["session.id"]) ?? asText(a["conversation.id"]) ?? asText(resource["session.id"]);
  e["host.name"] = asText(resource["host.name"]) ?? e["host.name"];
  pass(e, a, false);
  pass(e, resource, true);
  e["gen_ai.conversation.id"] = of.session.id;
  e["trace.id"] = idOf(raw["traceId"]);
  e["span.id"] = idOf(raw["spanId"]);
  e["tapline.record.type"] = of.name;
  e["tapline.record.parent_id"] = idOf(raw["parentSpanId"]);
  const server = asText(a["mcp.server.name"]) ?? asText(a["mcp.target"]);
  if (e["gen_ai.tool.name"] !== undefined) {
    const { "gen_ai.tool.type": type, "gen_ai.operation.name": operation } = e;
    setTool(e, e["gen_ai.tool.name"], server);
    e["gen_ai.tool.type"] = type ?? e["gen_ai.tool.type"];
    e["gen_ai.operation.name"] = operation ?? e["gen_ai.operation.name"];
  } else if (server !== undefined) setServer(e, server);
  if ((e["mcp.protocol.version"] ?? "") >= "2026-07-28") e["mcp.session.id"] = undefined;
  return e;
}
