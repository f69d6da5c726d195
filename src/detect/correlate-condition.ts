// Conditions of correlations: comparisons with a number, and `a and not b` over rules, written out as alternatives.
// Which rules there are, and what is counted, is the caller's.
import { LIMITS } from "../core/limits.ts";
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import type { Report } from "./rule.ts";

export const OPS = ["gt", "gte", "lt", "lte", "eq", "neq"] as const;
export interface Compare {
  readonly op: (typeof OPS)[number];
  readonly value: number;
}

/** Places in `rules` of those that must occur, and of those that must not. */
export interface Clause {
  readonly with: readonly number[];
  readonly without: readonly number[];
}

export function holds(tests: readonly Compare[], n: number): boolean {
  for (let i = 0; i < tests.length; i++) {
    const { op, value } = tests[i]!;
    if (
      op === "gt"
        ? n <= value
        : op === "gte"
          ? n < value
          : op === "lt"
            ? n >= value
            : op === "lte" && n > value
    )
      return false;
    if (op === "eq" ? n !== value : op === "neq" && n === value) return false;
  }
  return true;
}

/** Whether a count that only grows can never make it false again. */
export function lasting(tests: readonly Compare[]): boolean {
  return tests.every((t) => t.op === "gt" || t.op === "gte");
}

/** Whether no number (`whole`: no count up to `most`) passes. */
export function never(tests: readonly Compare[], whole: boolean, most: number): boolean {
  return !samples(tests, whole, most).some((n) => holds(tests, n));
}

/** Whether every number passes. */
export function always(tests: readonly Compare[], whole: boolean, most: number): boolean {
  return samples(tests, whole, most).every((n) => holds(tests, n));
}

/** One number of every stretch between the bounds that the tests name. */
function samples(tests: readonly Compare[], whole: boolean, most: number): number[] {
  const near = tests.flatMap(({ value }) => {
    if (whole) return [Math.floor(value) - 1, Math.floor(value), Math.ceil(value), Math.ceil(value) + 1];
    return [value];
  });
  if (whole) return [...near, 0, most].filter((n) => n >= 0 && n <= most);
  const bounds = [...new Set(near)].sort((a, b) => a - b);
  const between = bounds.map((b, i) => (b + (bounds[i + 1] ?? b + 2)) / 2);
  return [...bounds, ...between, bounds[0]! - 1];
}

/**
 * The alternatives of a boolean condition, and its rules: those named, else in the order in which they occur. Each
 * alternative must ask for at least one rule, since an event has to open the window.
 */
export function alternatives(
  text: string,
  named: readonly string[],
  report: Report,
): { rules: readonly string[]; clauses: readonly Clause[] } | undefined {
  const place = `correlation.condition "${text}"`;
  const words = text.match(/[^\s()]+/g) ?? [];
  const used = [...new Set(words.filter((w) => w !== "and" && w !== "or" && w !== "not"))];
  const rules = named.length === 0 ? used : named;
  const unused = rules.find((r) => !used.includes(r));
  if (unused !== undefined) {
    report.error(
      "reference",
      place,
      `does not use the rule "${unused}"`,
      "Use it, or take it out of `rules`",
    );
    return undefined;
  }
  let clauses: Clause[];
  try {
    clauses = expand(parseCondition(text, rules), rules, false);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const remedy = error.code === "condition_name" ? `Rules are ${rules.join(", ")}` : error.remedy;
    report.error(error.code, place, error.message.replace("selection", "rule"), remedy);
    return undefined;
  }
  const loose = clauses.find((c) => c.with.length === 0);
  if (loose !== undefined) {
    const message = "holds when nothing happens at all, so no event opens its window";
    report.error("condition_vacuous", place, message, "Join each `not` with a rule that has to occur");
  } else if (clauses.length === 0) {
    report.error("condition_vacuous", place, "contradicts itself", "Correct the condition");
  } else if (clauses.length > LIMITS.correlation_clauses) {
    const message = `more than ${LIMITS.correlation_clauses} alternatives when written out`;
    report.error("too_many", place, message, "Split the correlation");
  } else return { rules, clauses };
  return undefined;
}

/** Disjunctive normal form. More clauses than the limit are cut off just above it. */
function expand(c: Condition, rules: readonly string[], negate: boolean): Clause[] {
  if (c.kind === "not") return expand(c.child, rules, !negate);
  if (c.kind === "ref") {
    const at = rules.indexOf(c.name);
    return [negate ? { with: [], without: [at] } : { with: [at], without: [] }];
  }
  const children = c.children.map((child) => expand(child, rules, negate));
  if ((c.kind === "or") !== negate) return children.flat().slice(0, LIMITS.correlation_clauses + 1);
  let out: Clause[] = [{ with: [], without: [] }];
  for (const child of children) {
    out = out
      .flatMap((a) => child.map((b) => both(a, b)))
      .filter((clause) => !clause.with.some((r) => clause.without.includes(r)))
      .slice(0, LIMITS.correlation_clauses + 1);
  }
  return out;
}

function both(a: Clause, b: Clause): Clause {
  return { with: union(a.with, b.with), without: union(a.without, b.without) };
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((p, q) => p - q);
}
