// Which fields hold what was said and done, and of which data class: what redaction and capture levels apply to.
import { FIELDS, type FieldName } from "../core/generated/event.ts";

export type ContentClass = "arguments" | "results" | "messages" | "all";

/** Fields with content, and the capture level that they follow; `all`: the strictest of the three. Copies of content
 * (the command line, the path, the URL of a call) follow the level of what they were copied from. */
export const CONTENT_CLASS: ReadonlyMap<string, ContentClass> = new Map<FieldName, ContentClass>([
  ["gen_ai.tool.call.arguments", "arguments"],
  ["process.command_line", "arguments"],
  ["url.full", "arguments"],
  ["file.path", "arguments"],
  ["mcp.resource.uri", "arguments"],
  ["tapline.permission.rule", "arguments"],
  ["tapline.data.query", "arguments"],
  ["tapline.data.targets", "arguments"],
  ["gen_ai.tool.call.result", "results"],
  ["error.message", "results"],
  ["gen_ai.input.messages", "messages"],
  ["gen_ai.output.messages", "messages"],
  ["gen_ai.system_instructions", "messages"],
  ["message", "all"],
  ["event.original", "all"],
  ["tapline.ext", "all"],
]);

// Set by Tapline from its own tables, or digests and ids made from others: nothing of a record is in them. Every
// other field is searched, so that a new field is safe without a change here.
const OWN =
  /^(?:@timestamp|data_stream\.|ecs\.|observer\.|tapline\.(?:entry|control|capture|time\.source|primary|stream|format|source|vantage|alert|blob|count|integrity|config|data\.(?!query|targets)|text|flow|gap|incident\.(?!note|notice|group)|record\.duplicate|command|file\.|url\.|beacon\.(?:kind|chars))|tapline\.tool\.(?:class|\w+_hash)$|event\.(?!original|reason)|log\.|rule\.|threat\.)/;

type OfType<T extends string> = { [K in FieldName]: (typeof FIELDS)[K] extends T ? K : never }[FieldName];
const names = (types: readonly string[]): FieldName[] =>
  (Object.keys(FIELDS) as FieldName[]).filter((name) => types.includes(FIELDS[name]) && !OWN.test(name));

/** Fields whose value is text, or an object with text in it. */
export const TEXT_FIELDS: readonly FieldName[] = names(["keyword", "text", "wildcard", "object", "stored"]);
/** Fields whose value is a list of texts. */
export const TEXT_LIST_FIELDS = names(["keyword[]"]) as readonly Exclude<OfType<"keyword[]">, "event.hash">[];
