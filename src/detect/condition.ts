// The condition language of Sigma: text to a tree over the names of selections. Legacy aggregation is refused.
import { type Text, finder, parseText, plain } from "./pattern.ts";

export type Condition =
  | { readonly kind: "ref"; readonly name: string }
  | { readonly kind: "not"; readonly child: Condition }
  | { readonly kind: "and" | "or"; readonly children: readonly Condition[] };

/** What is wrong with a condition, and what to do. */
export class ConditionError extends Error {
  readonly code: string;
  readonly remedy: string;
  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.name = "ConditionError";
    this.code = code;
    this.remedy = remedy;
  }
}

/** Selections that filters bring begin so; patterns of the rule itself do not reach them. */
export const FILTER = "_filter:";

const DEPTH = 64;
const TOKEN = /\s*([()]|[^\s()]+)/y;

function tokens(text: string): string[] {
  if (/\|/.test(text)) {
    throw new ConditionError(
      "legacy_aggregation",
      "aggregations after `|` (count, near and the like) left Sigma with version 2",
      "Write the base rule without it and a correlation rule (type event_count, value_count or temporal) on top",
    );
  }
  const out: string[] = [];
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m !== null; m = TOKEN.exec(text)) out.push(m[1]!);
  return out;
}

/**
 * Parses a condition against the selections that a rule has. `not` binds closest, then `and`, then `or`.
 * Throws ConditionError.
 */
export function parseCondition(text: string, names: readonly string[]): Condition {
  const list = tokens(text);
  let at = 0;
  let depth = 0;

  const binary = (word: "and" | "or", next: () => Condition): Condition => {
    const children = [next()];
    while (list[at] === word) {
      at++;
      children.push(next());
    }
    return children.length === 1 ? children[0]! : { kind: word, children };
  };
  const or = (): Condition => binary("or", and);
  const and = (): Condition => binary("and", not);
  const not = (): Condition => {
    if (++depth > DEPTH) throw new ConditionError("condition_depth", "nested too deeply", "Split the rule");
    let odd = false;
    for (; list[at] === "not"; at++) odd = !odd;
    const child = primary();
    depth--;
    return odd ? { kind: "not", child } : child;
  };
  const primary = (): Condition => {
    const token = list[at++];
    if (token === undefined) {
      throw new ConditionError(
        "condition_syntax",
        "it ends where a name is expected",
        "Complete the condition",
      );
    }
    if (token === "(") {
      const inner = or();
      if (list[at++] !== ")")
        throw new ConditionError("condition_syntax", "a `(` is never closed", "Add a `)`");
      return inner;
    }
    if (list[at] === "of") {
      at++;
      return quantified(token, list[at++], names);
    }
    if (names.includes(token)) return { kind: "ref", name: token };
    const known = `Selections of this rule: ${names.join(", ")}`;
    throw new ConditionError("condition_name", `there is no selection "${token}"`, hint(token) ?? known);
  };

  const tree = or();
  if (at < list.length) {
    const remedy = hint(list[at]!) ?? "Join names with `and` or `or`";
    throw new ConditionError("condition_syntax", `"${list[at]}" is not expected there`, remedy);
  }
  return tree;
}

function hint(token: string): string | undefined {
  return /^(and|or|not|of|them|all|any)$/i.test(token) ? "Write keywords in lower case" : undefined;
}

function quantified(count: string, pattern: string | undefined, names: readonly string[]): Condition {
  if (count !== "1" && count !== "any" && count !== "all") {
    throw new ConditionError(
      "condition_quantifier",
      `"${count} of" is not Sigma`,
      "Use `1 of`, `any of` or `all of`",
    );
  }
  if (pattern === undefined || pattern === "(" || pattern === ")") {
    throw new ConditionError(
      "condition_syntax",
      "`of` needs `them` or a pattern",
      "Write `1 of them` or `1 of sel_*`",
    );
  }
  const text = parseText(pattern) as Text;
  const wanted = plain(text) === undefined ? finder(text) : (name: string) => (name === pattern ? 0 : -1);
  const found = names.filter((n) =>
    pattern === "them" ? !n.startsWith("_") : !n.startsWith(FILTER) && wanted(n) >= 0,
  );
  if (found.length === 0) {
    throw new ConditionError(
      "condition_vacuous",
      `"${count} of ${pattern}" matches no selection`,
      `Selections of this rule: ${names.join(", ")}`,
    );
  }
  const children = found.map((name) => ({ kind: "ref" as const, name }));
  return children.length === 1 ? children[0]! : { kind: count === "all" ? "and" : "or", children };
}
