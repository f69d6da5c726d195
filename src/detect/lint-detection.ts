// Lint of what a rule detects: patterns that match everything, expressions that are slow here or elsewhere, filters
// that keep what they should drop, groups without bound. Says nothing of what the compiler refuses.
import { isMap, isScalar, isSeq } from "yaml";
import { FIELDS } from "../core/generated/event.ts";
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import { slotFor } from "./fields.ts";
import { type Lint, rewritten, withoutItem } from "./lint-finding.ts";
import { literalsOf } from "./literals.ts";
import { ANY, parseText, simplify, type Text } from "./pattern.ts";
import { pairAt } from "./places.ts";
import type { Item, Rule, Term } from "./rule.ts";
import { LITERAL_CHARS } from "./scan.ts";
import { regex } from "./tests.ts";

const BYTES = ["base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"];
const OTHER = ["re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte", ...BYTES];

export function itemsOf(term: Term): Item[] {
  return term.kind === "item" ? [term] : term.terms.flatMap(itemsOf);
}

export function lintDetection(lint: Lint, rule: Rule): void {
  for (const item of [...rule.selections.values()].flatMap(itemsOf)) {
    const node = pairAt(lint.root, item.place)?.value;
    // A list of keywords or a scalar: the node of each value, for its line and its edit.
    const nodes: readonly unknown[] = isSeq(node) ? node.items : [node];
    const at = (i: number): unknown => (isScalar(nodes[i]) ? nodes[i] : item.place);
    lintTwice(lint, item, nodes);
    for (const [i, value] of item.values.entries()) {
      if (typeof value !== "string") continue;
      if (item.modifiers.includes("re")) lintRegex(lint, item, value, at(i));
      else if (!item.modifiers.some((m) => OTHER.includes(m))) lintText(lint, item, value, at(i));
    }
  }
  for (const text of rule.conditions) lintCondition(lint, text, [...rule.selections.keys()]);
}

/** Fields of the rule that no event here has. */
export function unknownFields(rule: Rule): string[] {
  const names = [...rule.selections.values()].flatMap(itemsOf).flatMap((item) => item.field ?? []);
  return [...new Set(names)].filter((name) => slotFor(name, "table") === undefined);
}

function lintTwice(lint: Lint, item: Item, nodes: readonly unknown[]): void {
  const exact = item.modifiers.some((m) => m === "cased" || m === "re" || BYTES.includes(m));
  const seen = new Set<unknown>();
  for (const [i, value] of item.values.entries()) {
    const key = typeof value === "string" && !exact ? value.toLowerCase() : value;
    if (seen.has(key)) {
      const edit = withoutItem(lint.source, nodes[i]);
      lint.add(
        "warning",
        "value_twice",
        nodes[i] ?? item.place,
        `the value ${JSON.stringify(value)} is there twice`,
        edit,
      );
    } else seen.add(key);
  }
}

function lintText(lint: Lint, item: Item, value: string, at: unknown): void {
  const has = (m: string): boolean => item.modifiers.includes(m);
  const [head, tail] = [has("contains") || has("endswith"), has("contains") || has("startswith")];
  const text = simplify([
    ...(head ? [ANY] : []),
    ...(parseText(value) as Text),
    ...(tail ? [ANY] : []),
  ] as Text);
  if (text.length === 1 && text[0] === ANY) {
    const remedy =
      item.field === undefined ? "Remove it" : "If the field need only be there, write `|exists: true`";
    lint.add("warning", "vacuous", at, `${JSON.stringify(value)} matches every value. ${remedy}`);
    return;
  }
  const stripped = (raw: string): string => {
    const front = head ? raw.replace(/^\*+/, "") : raw;
    return tail ? front.replace(/(?<!\\)((?:\\\\)*)\*+$/, "$1") : front;
  };
  if (stripped(value) === value) return;
  const edit = rewritten(lint.source, at, stripped);
  lint.add(
    "warning",
    "wildcard",
    at,
    `\`${item.modifiers.join("|")}\` implies the wildcard in ${JSON.stringify(value)}`,
    edit,
  );
}

// A group that repeats and holds something that repeats: the classic cause of exponential backtracking.
const NESTED = /\((?:[^()\\]|\\.)*(?:[+*]|\{\d+,\})(?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\})/;

/** The expression without what may be anything at its ends. */
function bare(source: string): string {
  return source.replace(/^(?:\.\*\??(?![?+*{]))+/, "").replace(/(?<!\\)(?:\.\*\??)+$/, "");
}

function lintRegex(lint: Lint, item: Item, source: string, at: unknown): void {
  let vacuous: boolean;
  try {
    const flags = item.modifiers.filter((m) => ["i", "m", "s"].includes(m)).join("");
    const { check } = regex(source, flags);
    vacuous = check("") && check("\u0001~ q");
  } catch {
    return; // the compiler has said so
  }
  if (vacuous) {
    lint.add("warning", "vacuous", at, `the expression ${JSON.stringify(source)} matches every text`);
    return;
  }
  if (bare(source) !== source && !source.includes("\\.*")) {
    const message = "`.*` at the end of an expression says nothing: it is looked for anywhere in the text";
    lint.add("warning", "regex_wildcard", at, message, rewritten(lint.source, at, bare));
  }
  if (NESTED.test(source.replaceAll(/\[(?:[^\]\\]|\\.)*\]/g, "x"))) {
    const message =
      "repeats within a repeat take exponential time in engines that backtrack; here it is linear";
    lint.add("warning", "regex_backtracking", at, message);
  }
  if (literalsOf(source, LITERAL_CHARS) === undefined) {
    const message = `no text of ${LITERAL_CHARS} characters is in every match, so it runs on every value of the field`;
    lint.add("warning", "regex_slow", at, message);
  }
}

/** A selection called a filter that the condition asks for instead of excluding. */
function lintCondition(lint: Lint, text: string, names: readonly string[]): void {
  let tree: Condition;
  try {
    tree = parseCondition(text, names);
  } catch (error) {
    if (error instanceof ConditionError) return; // the compiler has said so
    throw error;
  }
  const wanted = new Set<string>();
  const walk = (c: Condition, negated: boolean): void => {
    if (c.kind === "ref") {
      if (!negated) wanted.add(c.name);
    } else if (c.kind === "not") walk(c.child, !negated);
    else for (const child of c.children) walk(child, negated);
  };
  walk(tree, false);
  for (const name of wanted) {
    if (!name.startsWith("filter")) continue;
    lint.add(
      "warning",
      "filter_without_not",
      `detection.${name}`,
      `"${name}" is asked for: a filter stands behind \`not\``,
    );
  }
}

/** A filter of its own is joined to the rule with `and`: without `not` it keeps only what it names. */
export function lintFilter(lint: Lint): void {
  const condition = pairAt(lint.root, "filter.condition")?.value;
  const text = isScalar(condition) ? String(condition.value) : "";
  if (text === "" || /\bnot\b/.test(text)) return;
  const message =
    "has no `not`: the filter is joined with `and`, so only what it names is kept. Write `not selection`";
  lint.add("warning", "filter_without_not", condition, message);
}

const TABLE: Readonly<Record<string, string>> = FIELDS;
const EACH_ITS_OWN = [
  "event.id",
  "gen_ai.tool.call.id",
  "tapline.call_key",
  "trace.id",
  "span.id",
  "@timestamp",
  "log.offset",
];
const UNBOUNDED_TYPES = ["text", "object", "stored", "wildcard", "date", "double"];

export function lintCorrelation(lint: Lint): void {
  const correlation = lint.pair("correlation")?.value;
  if (!isMap(correlation)) return;
  const groups = pairAt(lint.root, "correlation.group-by");
  if (groups === undefined) {
    const message = "has no `group-by`: events of all users and sessions add up in one window";
    lint.add("warning", "group_by_missing", "correlation", message);
    return;
  }
  const list: readonly unknown[] = isSeq(groups.value) ? groups.value.items : [groups.value];
  for (const item of list) {
    const name = isScalar(item) ? String(item.value) : "";
    const type = TABLE[name] ?? "";
    if (!EACH_ITS_OWN.includes(name) && !UNBOUNDED_TYPES.includes(type)) continue;
    const message = `groups by ${name}, of which nearly every event has another value: state grows and nothing adds up`;
    lint.add("warning", "group_by_unbounded", item, message);
  }
}
