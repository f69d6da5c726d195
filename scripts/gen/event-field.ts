// How scripts/gen/event.ts writes one field of a document: its type in TypeScript, and the code that appends it.
import type { Field, FieldType } from "./tables.ts";

export const tsType: Record<FieldType, string> = {
  keyword: "string",
  "keyword[]": "readonly string[]",
  long: "number",
  "long[]": "readonly number[]",
  double: "number",
  boolean: "boolean",
  date: "string",
  ip: "string",
  text: "string",
  wildcard: "string",
  constant: "string",
  object: "Json",
  stored: "string",
};
/** How a value is written; `safe` in quotes as it is, `quoted` with its special characters escaped. */
const writer: Record<FieldType, "safe" | "quoted" | ((value: string) => string)> = {
  keyword: "quoted",
  "keyword[]": (v) => `strings(${v})`,
  long: (v) => v,
  "long[]": (v) => `"[" + ${v}.join() + "]"`,
  double: (v) => v,
  boolean: (v) => v,
  date: "safe",
  ip: "quoted",
  text: "quoted",
  wildcard: "quoted",
  constant: "quoted",
  object: (v) => `JSON.stringify(${v})`,
  stored: "quoted",
};

/** Fields whose values Tapline makes itself, of characters that JSON never escapes. */
export const SAFE = new Set([
  "tapline.stream",
  "tapline.format",
  "tapline.vantage",
  "tapline.time.source",
  "tapline.capture.arguments",
  "tapline.capture.results",
  "tapline.capture.messages",
  "tapline.capture.identity",
  "tapline.tool.args_hash",
  "tapline.tool.result_hash",
  "event.outcome",
]);
export const read = (field: Field): string => `e[${JSON.stringify(field.name)}]`;

/** A field after its separator, with the groups that have nothing but it. What precedes the value is one constant wherever
 * the separator is a comma, opening quote and all: a piece of text more is a string more to be made, and there are dozens
 * of fields. */
export function write(keys: readonly string[], field: Field, separator: string): string {
  const how = SAFE.has(field.name) ? "safe" : writer[field.type];
  const key = keys.map((one) => JSON.stringify(one)).join(":{") + (typeof how === "string" ? ':"' : ":");
  const head = `(${separator} === "," ? ${JSON.stringify(`,${key}`)} : ${separator} + ${JSON.stringify(key)})`;
  const value = read(field);
  const end = "}".repeat(keys.length - 1);
  if (how === "safe") return `${head} + ${value} + ${JSON.stringify(`"${end}`)}`;
  const text = how === "quoted" ? `quotedAfter(${head}, ${value})` : `${head} + ${how(value)}`;
  return end === "" ? text : `${text} + ${JSON.stringify(end)}`;
}
