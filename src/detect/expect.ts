// What a backtest is expected to give: bounds for each rule, and what to do about rules that fire and are not listed.
import type { RuleHits } from "./backtest.ts";
import { isMapping, readDocuments } from "./yaml.ts";

interface Bounds {
  readonly exactly?: number;
  readonly at_least?: number;
  readonly at_most?: number;
}

export interface Expectations {
  /** By id or title of the rule. */
  readonly rules: Readonly<Record<string, Bounds>>;
  readonly unexpected: "fail" | "warn" | "ignore";
  /** What is wrong with the file. */
  readonly problems: readonly string[];
}

export interface Missed {
  readonly severity: "error" | "warning";
  readonly message: string;
}

const BOUNDS = ["exactly", "at_least", "at_most"];
const UNEXPECTED = ["fail", "warn", "ignore"];

/** Never throws for what the text holds. */
export function readExpectations(text: string): Expectations {
  const [document] = readDocuments(text, "expectations");
  const problems = document?.report.problems.map((p) => `${p.place}: ${p.message}`) ?? [];
  const map = document?.map ?? {};
  const unexpected = map["unexpected"] ?? "warn";
  if (typeof unexpected !== "string" || !UNEXPECTED.includes(unexpected))
    problems.push(`unexpected: one of ${UNEXPECTED.join(", ")}`);
  for (const key of Object.keys(map)) {
    if (key !== "rules" && key !== "unexpected")
      problems.push(`"${key}" is not understood: write rules and unexpected`);
  }
  const rules = isMapping(map["rules"]) ? map["rules"] : {};
  if (problems.length === 0 && !isMapping(map["rules"]))
    problems.push("rules: a map of ids or titles to bounds");
  for (const [name, bounds] of Object.entries(rules)) {
    const fine =
      isMapping(bounds) &&
      Object.entries(bounds).every(([k, n]) => BOUNDS.includes(k) && Number.isInteger(n));
    if (!fine) problems.push(`rules.${name}: a map of ${BOUNDS.join(", ")} to whole numbers`);
  }
  return {
    rules: rules as Expectations["rules"],
    unexpected: unexpected as Expectations["unexpected"],
    problems,
  };
}

/** Where the hits are not as expected. */
export function unmet(expected: Expectations, hits: readonly RuleHits[]): Missed[] {
  const out: Missed[] = [];
  const listed = new Set<RuleHits>();
  for (const [name, bounds] of Object.entries(expected.rules)) {
    const rule = hits.find((hit) => hit.id === name || hit.title === name);
    if (rule === undefined) {
      out.push({ severity: "error", message: `no rule has the id or title "${name}"` });
      continue;
    }
    listed.add(rule);
    const { exactly, at_least = exactly ?? 0, at_most = exactly ?? Infinity } = bounds;
    if (rule.matches >= at_least && rule.matches <= at_most) continue;
    const wanted = Object.entries(bounds).map(([k, n]) => `${k.replace("_", " ")} ${n}`);
    out.push({
      severity: "error",
      message: `"${rule.title}" matches ${rule.matches} times, expected ${wanted.join(", ")}`,
    });
  }
  for (const rule of expected.unexpected === "ignore" ? [] : hits) {
    if (rule.matches === 0 || listed.has(rule)) continue;
    const severity = expected.unexpected === "fail" ? "error" : "warning";
    out.push({ severity, message: `"${rule.title}" matches ${rule.matches} times and is not listed` });
  }
  return out;
}
