// `field|modifier|...: values` to the tests that a value of the field has to pass. All modifiers of Sigma 2.1.
// Finds every misuse it can; knows neither the field table nor how tests run.
import { LIMITS } from "../core/limits.ts";
import { ANY, type Part, type Placeholder, parseText, plain, simplify } from "./pattern.ts";
import { type Item, type Report, type Scalar, nearest } from "./rule.ts";
import { ValueError, readNetwork, transform } from "./values.ts";

export type Compare = "lt" | "lte" | "gt" | "gte" | "eq";
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";
export type How = "equals" | "contains" | "startswith" | "endswith";
export type Test =
  | { readonly kind: "text"; readonly text: Part[] }
  | { readonly kind: "regex"; readonly source: string; readonly flags: string }
  | { readonly kind: "cidr"; readonly net: string; readonly prefix: number }
  | {
      readonly kind: "compare";
      readonly op: Compare;
      readonly value: number;
      readonly part: TimePart | undefined;
    }
  | { readonly kind: "fieldref"; readonly field: string; readonly how: How }
  | { readonly kind: "exists"; readonly value: boolean }
  | { readonly kind: "null" };

/** What an item asks: one list of alternatives for each value, joined by `all` or any, then negated. */
export interface Spec {
  readonly values: readonly (readonly Test[])[];
  readonly all: boolean;
  readonly negate: boolean;
  readonly cased: boolean;
}

/** What to do about a placeholder that nothing defines. */
export const GIVE_VALUES =
  "Give it values in `placeholders:` of the configuration; a policy defines those of the inventory";

/** A value is literal text, or a pattern with `*` for any characters. */
type PlaceholderValue = string | { readonly pattern: string };
export type Placeholders = Readonly<Record<string, readonly PlaceholderValue[]>>;

const ALIAS: Record<string, string> = { ignorecase: "i", multiline: "m", dotall: "s", utf16le: "wide" };
const FLAGS = ["i", "m", "s"];
const COMPARES = ["lt", "lte", "gt", "gte"];
const PARTS = ["minute", "hour", "day", "week", "month", "year"];
const WHERE = ["contains", "startswith", "endswith"];
const KINDS = ["re", "cidr", "exists", "fieldref", ...COMPARES];
const BYTES = ["base64", "base64offset", "wide", "utf16be", "utf16"];
const TEXTUAL = [...WHERE, ...BYTES, "windash", "expand", "cased"];
const KNOWN = [...KINDS, ...FLAGS, ...PARTS, ...TEXTUAL, "all", "neq", ...Object.keys(ALIAS)];

/** The item's meaning, or undefined with the reasons in the report. */
export function readItem(item: Item, placeholders: Placeholders, report: Report): Spec | undefined {
  const modifiers = item.modifiers.map((m) => ALIAS[m] ?? m);
  for (const m of item.modifiers) {
    if (KNOWN.includes(m)) continue;
    const near = nearest(m, KNOWN);
    const remedy = near === undefined ? `Known modifiers: ${KNOWN.join(", ")}` : `Did you mean "${near}"?`;
    report.error("modifier", item.place, `"${m}" is no modifier`, remedy);
  }
  const wrong = misuse(item, modifiers);
  if (wrong !== undefined) report.error("modifier_use", item.place, wrong, "Change the modifiers");
  if (wrong !== undefined || !modifiers.every((m) => KNOWN.includes(m))) return undefined;
  if (modifiers.includes("all") && item.values.length === 1) {
    report.warn("all_single", item.place, "`all` with one value says nothing", "Remove `all`");
  }
  const values: Test[][] = [];
  let count = 0;
  for (const value of item.values) {
    try {
      const tests = readValue(value, item, modifiers, placeholders);
      count += tests.length;
      values.push(tests);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      report.error(error.code, item.place, error.message, error.remedy);
    }
  }
  if (count > LIMITS.rule_values) {
    report.error("values", item.place, `expands to more than ${LIMITS.rule_values} values`, "Split the rule");
  }
  if (values.length < item.values.length || count > LIMITS.rule_values) return undefined;
  const has = (m: string): boolean => modifiers.includes(m);
  return { values, all: has("all"), negate: has("neq"), cased: has("cased") };
}

function misuse(item: Item, modifiers: readonly string[]): string | undefined {
  const of = (list: readonly string[]): string[] => modifiers.filter((m) => list.includes(m));
  const kinds = of(KINDS);
  const kind = kinds[0];
  if (kinds.length > 1) return `${kinds.join(" and ")} exclude each other`;
  if (of(FLAGS).length > 0 && kind !== "re") return `"${of(FLAGS)[0]}" is a flag of "re"`;
  if (of(WHERE).length > 1) return `${of(WHERE).join(" and ")} exclude each other`;
  if (of(PARTS).length > 1) return `${of(PARTS).join(" and ")} exclude each other`;
  if (of(PARTS).length > 0 && kind !== undefined && !COMPARES.includes(kind))
    return `${kind} is not for time parts`;
  if (of(PARTS).length > 0 && of(TEXTUAL).length > 0) return `${of(TEXTUAL)[0]} is not for time parts`;
  if (item.field === undefined && (of(PARTS).length > 0 || (kind !== undefined && kind !== "re"))) {
    return `${kind ?? of(PARTS)[0]} needs a field`;
  }
  if (kind === undefined) return undefined;
  if (kind === "re" && of(WHERE).length > 0 && modifiers.indexOf("re") > modifiers.indexOf(of(WHERE)[0]!)) {
    return "`re` must come before `contains` and the like";
  }
  const allowed = { re: [...WHERE, "expand"], fieldref: [...WHERE, "cased"], cidr: ["expand"] };
  const fine = allowed[kind as keyof typeof allowed] ?? [];
  const other = of(TEXTUAL).find((m) => !fine.includes(m));
  return other === undefined ? undefined : `"${other}" cannot be used with "${kind}"`;
}

function readValue(
  value: Scalar,
  item: Item,
  modifiers: readonly string[],
  placeholders: Placeholders,
): Test[] {
  const kind = modifiers.find((m) => KINDS.includes(m));
  const part = modifiers.find((m) => PARTS.includes(m)) as TimePart | undefined;
  if (kind === "exists") {
    if (typeof value === "boolean") return [{ kind: "exists", value }];
    throw new ValueError("value_type", "`exists` takes true or false", "Write true or false, without quotes");
  }
  if (value === null) {
    const bare = modifiers.every((m) => m === "all" || m === "neq" || m === "cased");
    if (item.field !== undefined && bare) return [{ kind: "null" }];
    throw new ValueError("value_type", "null has no meaning here", "Write a value");
  }
  if (part !== undefined || COMPARES.includes(kind ?? "")) {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number)) {
      return [{ kind: "compare", op: (kind as Compare | undefined) ?? "eq", value: number, part }];
    }
    throw new ValueError("value_type", `"${value}" is not a number`, "Write a number");
  }
  const source = String(value);
  const expanded = modifiers.includes("expand") ? expand(source, placeholders) : undefined;
  if (kind === "re")
    return raw(expanded, source).map((s) => ({ kind: "regex", source: s, flags: flagsOf(modifiers) }));
  if (kind === "cidr") return raw(expanded, source).map((s) => ({ kind, ...readNetwork(s) }));
  if (kind === "fieldref") {
    const how = (modifiers.find((m) => WHERE.includes(m)) as How | undefined) ?? "equals";
    return [{ kind, field: source, how }];
  }
  const texts = expanded ?? [typeof value === "string" ? (parseText(source) as Part[]) : [source]];
  const where = modifiers.some((m) => WHERE.includes(m));
  const chain = item.field === undefined && !where ? [...modifiers, "contains"] : modifiers;
  return texts.flatMap((t) => transform(t, chain)).map((text) => ({ kind: "text", text }));
}

function flagsOf(modifiers: readonly string[]): string {
  return modifiers.filter((m) => FLAGS.includes(m)).join("");
}

/** Values of kinds that have no wildcards: placeholders stand for the whole value. */
function raw(expanded: readonly Part[][] | undefined, source: string): string[] {
  if (expanded === undefined) return [source];
  return expanded.map((text) => {
    const value = plain(text);
    if (value !== undefined) return value;
    throw new ValueError("expand", "a placeholder stands for the whole value here", "Write `%name%` alone");
  });
}

/** Every combination of the placeholders' values. */
function expand(source: string, placeholders: Placeholders): Part[][] {
  let out: Part[][] = [[]];
  for (const part of parseText(source, true)) {
    const choices = typeof part === "object" ? valuesOf(part, placeholders) : [part];
    if (out.length * choices.length > LIMITS.rule_values) {
      throw new ValueError("values", `expands to more than ${LIMITS.rule_values} values`, "Split the rule");
    }
    out = out.flatMap((head) => choices.map((choice) => [...head, ...[choice].flat()]));
  }
  return out.map(simplify);
}

function valuesOf(part: Placeholder, placeholders: Placeholders): readonly (string | Part[])[] {
  const name = part.placeholder;
  const values = Object.hasOwn(placeholders, name) ? placeholders[name]! : undefined;
  if (values !== undefined)
    return values.map((value) => (typeof value === "string" ? value : anyIn(value.pattern)));
  const known = Object.keys(placeholders);
  const near = nearest(name, known);
  const remedy = near === undefined ? GIVE_VALUES : `Did you mean %${near}%?`;
  throw new ValueError("placeholder", `rests: nothing defines %${name}%`, remedy);
}

function anyIn(pattern: string): Part[] {
  return pattern.split("*").flatMap((text, i): Part[] => (i === 0 ? [text] : [ANY, text]));
}
