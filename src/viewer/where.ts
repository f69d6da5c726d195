// Terms to a condition in SQL over the store's columns. Values are parameters, never text of the statement; names of fields
// come from the field table. Decides what a field can be asked.
import { FIELDS } from "../core/generated/event.ts";
import { closest } from "../core/suggest.ts";
import { TaplineError } from "../core/errors.ts";
import { type Term, type Value, parseQuery } from "./query.ts";
import { type Span, ALWAYS, parsePoint } from "./times.ts";

export type Parameter = string | number | boolean;

/** Parameters of one statement: `$1`, `$2`, … */
export class Parameters {
  readonly values: Parameter[] = [];

  add(value: Parameter): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  ...FIELDS,
  "event.sequence": "long",
  "event.hash": "keyword",
};
export const typeOf = (field: string): string | undefined =>
  Object.hasOwn(TYPES, field) ? TYPES[field] : undefined;
export const fieldNames = (): string[] => Object.keys(TYPES);
export const column = (field: string): string => `"${field}"`;
export const isList = (field: string): boolean => typeOf(field)?.endsWith("[]") === true;

/** Where people look for words: what was said, called and given back, and the names beside it. */
export const TEXT_FIELDS = [
  "message",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.tool.description",
  "gen_ai.tool.name",
  "tapline.server.name",
  "user.name",
  "process.command_line",
  "file.path",
  "url.full",
  "error.message",
  "event.reason",
  "rule.name",
  "tapline.ext",
] as const;
/** Of these, texts of JSON. */
const JSON_FIELDS: ReadonlySet<string> = new Set(TEXT_FIELDS.filter((field) => typeOf(field) === "object"));

export function refuse(message: string, remedy?: string): never {
  throw new TaplineError("BAD_QUESTION", message, remedy === undefined ? {} : { remedy });
}

function numberOf(field: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value)
    ? value
    : refuse(`${field} is a number: ${JSON.stringify(text.slice(0, 40))} is none`);
}

function timeOf(field: string, text: string): number {
  return (
    parsePoint(text, Date.now()) ?? refuse(`${field} is a time`, "write it as 2026-11-01T12:00:00Z or now-7d")
  );
}

/** A part of a text, whatever its case. DuckDB folds case as Unicode does. */
const contains = (expression: string, text: string, p: Parameters): string =>
  `contains(lower(${expression}), lower(${p.add(text)}))`;

function isValue(field: string, type: string, { text, prefix }: Value, p: Parameters): string {
  const name = column(field);
  switch (type) {
    case "text":
    case "object":
    case "stored":
      return contains(name, type === "object" ? inJson(text) : text, p);
    case "long":
    case "double":
      return `${name} = ${p.add(numberOf(field, text))}`;
    case "long[]":
      return `list_contains(${name}, ${p.add(numberOf(field, text))}::BIGINT)`;
    case "boolean":
      if (text !== "true" && text !== "false") return refuse(`${field} is true or false`);
      return `${name} = ${text}`;
    case "date":
      return `epoch_ms(${name}) = ${p.add(timeOf(field, text))}::BIGINT`;
    case "keyword[]":
      return prefix
        ? `len(list_filter(${name}, x -> starts_with(x, ${p.add(text)}))) > 0`
        : `list_contains(${name}, ${p.add(text)})`;
    default:
      return prefix ? `starts_with(${name}, ${p.add(text)})` : `${name} = ${p.add(text)}`;
  }
}

/** A text as JSON writes it within quotation marks. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

function compare(field: string, type: string, sign: ">" | "<", text: string, p: Parameters): string {
  const name = column(field);
  if (type === "date") return `epoch_ms(${name}) ${sign} ${p.add(timeOf(field, text))}::BIGINT`;
  if (type === "long" || type === "double") return `${name} ${sign} ${p.add(numberOf(field, text))}::DOUBLE`;
  return refuse(`${field} cannot be compared: it is neither a number nor a time`);
}

function known(field: string): string {
  const type = typeOf(field);
  if (type !== undefined) return type;
  const near = closest(field, fieldNames());
  return refuse(
    `there is no field ${JSON.stringify(field.slice(0, 80))}${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    "quote it to search for it as a text",
  );
}

function positive(term: Term, p: Parameters): string {
  switch (term.kind) {
    case "text":
      return `(${TEXT_FIELDS.map((field) =>
        contains(column(field), JSON_FIELDS.has(field) ? inJson(term.text) : term.text, p),
      )
        .map((one) => `coalesce(${one}, false)`)
        .join(" OR ")})`;
    case "there":
      return known(term.field).endsWith("[]")
        ? `len(${column(term.field)}) > 0`
        : `${column(term.field)} IS NOT NULL`;
    case "above":
    case "below":
      return compare(term.field, known(term.field), term.kind === "above" ? ">" : "<", term.value, p);
    case "is":
    default: {
      const type = known(term.field);
      return `(${term.values.map((value) => isValue(term.field, type, value, p)).join(" OR ")})`;
    }
  }
}

/** A condition that is true or false, never null. */
export function conditionOf(terms: readonly Term[], p: Parameters): string {
  if (terms.length === 0) return "true";
  return terms
    .map((term) => (term.not ? `NOT coalesce(${positive(term, p)}, false)` : positive(term, p)))
    .join(" AND ");
}

/** Within the span, by the time of the event. */
export function inSpan(span: Span, p: Parameters): string {
  const from = span.from > ALWAYS.from ? `"@timestamp" >= epoch_ms(${p.add(span.from)}::BIGINT)` : "true";
  const to = span.to < ALWAYS.to ? `"@timestamp" < epoch_ms(${p.add(span.to)}::BIGINT)` : "true";
  return `${from} AND ${to}`;
}

/** What a page asks: terms that are known to be sound. Throws BAD_QUESTION. */
export function readQuery(text: string): Term[] {
  const terms = parseQuery(text);
  if (typeof terms === "string") return refuse(`the search cannot be read: ${terms}`);
  conditionOf(terms, new Parameters());
  return terms;
}
