// The condition of a correlation and what it is about: rules, numbers to compare with, fields. Reports what can never
// hold and what always holds, since neither is what its author meant.
import { LIMITS } from "../core/limits.ts";
import { type Compare, OPS, alternatives, always, never } from "./correlate-condition.ts";
import type { Correlation, CorrelationType } from "./correlation-parse.ts";
import type { Report } from "./rule.ts";
import { type Mapping, isMapping } from "./yaml.ts";

/** A text or a list of texts. */
export function names(section: Mapping, key: string, report: Report): string[] {
  const value = section[key];
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((v): v is string => typeof v === "string" && v !== "")) return list;
  report.error(
    "correlation",
    `correlation.${key}`,
    "is not a list of names",
    "Write a name or a list of names",
  );
  return [];
}

type Conditioned = Pick<Correlation, "rules" | "condition" | "fields" | "percentile">;

export function readCondition(
  section: Mapping,
  type: CorrelationType,
  report: Report,
): Conditioned | undefined {
  const temporal = type === "temporal" || type === "temporal_ordered";
  const rules = names(section, "rules", report);
  const value = section["condition"];
  const place = "correlation.condition";
  if (typeof value === "string") {
    if (!temporal) {
      const message = `${type} takes a number to compare with, not names of rules`;
      report.error("condition", place, message, "Write `condition: {gte: 10}`, or use type temporal");
      return undefined;
    }
    const read = alternatives(value, rules, report);
    if (read === undefined) return undefined;
    checkRules(read.rules, false, report);
    const condition = { kind: "rules", clauses: read.clauses } as const;
    return { rules: read.rules, condition, fields: [], percentile: 0 };
  }
  checkRules(rules, type === "temporal_ordered", report);
  if (value === undefined && temporal) {
    const tests = [{ op: "gte", value: rules.length }] as const;
    return { rules, condition: { kind: "number", tests }, fields: [], percentile: 0 };
  }
  if (!isMapping(value)) {
    report.error("condition", place, "is missing or no map", "Write `condition: {gte: 10}`");
    return undefined;
  }
  const tests = readTests(value, report);
  const whole = type === "event_count" || type === "value_count" || temporal;
  checkTests(tests, whole, temporal ? rules.length : LIMITS.correlation_rows, report);
  if (whole && !temporal) checkShared(tests, rules.length, report);
  return { rules, condition: { kind: "number", tests }, ...readFields(value, type, report) };
}

function checkRules(rules: readonly string[], repeats: boolean, report: Report): void {
  const place = "correlation.rules";
  if (rules.length === 0)
    report.error("reference", place, "no rule is referred to", "Name the rules to correlate");
  if (rules.length > LIMITS.correlation_refs) {
    report.error("too_many", place, `more than ${LIMITS.correlation_refs}`, "Split the correlation");
  }
  const twice = rules.find((r, i) => rules.indexOf(r) < i);
  if (twice === undefined || repeats) return;
  const remedy = "Name it once; to count its events, use event_count";
  report.error(
    "reference",
    place,
    `"${twice}" is named twice, and one event would be enough for both`,
    remedy,
  );
}

function readTests(value: Mapping, report: Report): Compare[] {
  const tests: Compare[] = [];
  for (const key of Object.keys(value)) {
    const place = `correlation.condition.${key}`;
    const op = OPS.find((o) => o === key);
    const number = value[key];
    if (op !== undefined && typeof number === "number" && Number.isFinite(number))
      tests.push({ op, value: number });
    else if (op !== undefined) report.error("condition", place, "is no number", "Write it as a number");
    else if (key !== "field" && key !== "percentile") {
      report.error(
        "condition",
        place,
        "there is no such comparison",
        `Use ${OPS.join(", ")}, field, percentile`,
      );
    }
  }
  if (tests.length === 0 && !report.refused) {
    report.error(
      "condition",
      "correlation.condition",
      "compares with nothing",
      "Write `condition: {gte: 10}`",
    );
  }
  return tests;
}

/** A condition that can never hold, or that holds whatever happens, is a mistake. `whole`: of a count up to `most`. */
function checkTests(tests: readonly Compare[], whole: boolean, most: number, report: Report): void {
  const place = "correlation.condition";
  if (report.refused) return;
  if (never(tests, whole, most)) {
    const bound = whole ? `, since at most ${most} are counted` : "";
    report.error("condition_vacuous", place, `can never hold${bound}`, "Correct the numbers");
  } else if (always(tests, whole, most)) {
    report.error(
      "condition_vacuous",
      place,
      "holds for every window, even an empty one",
      "Correct the numbers",
    );
  }
}

/** An event that several rules match takes a row for each, so that fewer events are kept. */
function checkShared(tests: readonly Compare[], rules: number, report: Report): void {
  const least = Math.floor(LIMITS.correlation_rows / rules);
  if (report.refused || !never(tests, true, least)) return;
  report.warn(
    "condition_vacuous",
    "correlation.condition",
    `cannot hold where all ${rules} rules match the same events, since ${least} of those are counted then`,
    "Lower the number, group by more fields, or make one rule of them",
  );
}

function readFields(
  value: Mapping,
  type: CorrelationType,
  report: Report,
): { fields: readonly string[]; percentile: number } {
  const place = "correlation.condition.field";
  const fields = names(value, "field", report);
  const most = type === "value_count" ? LIMITS.correlation_fields : type.startsWith("value_") ? 1 : 0;
  if (fields.length > most) {
    const message =
      most === 0 ? `${type} looks at no field` : `${type} takes ${most === 1 ? "one field" : `${most}`}`;
    report.error(
      "condition",
      place,
      message,
      most === 0 ? "Remove it, or use a value_ type" : "Name fewer fields",
    );
  } else if (most > 0 && fields.length === 0) {
    report.error("condition", place, `${type} needs the field whose values it takes`, "Add `field:`");
  }
  const percentile = value["percentile"];
  if (type === "value_percentile") {
    const known = typeof percentile === "number" && percentile >= 0 && percentile <= 100;
    if (known) return { fields, percentile };
    const remedy = "Add `percentile:` with a number from 0 to 100";
    report.error(
      "condition",
      "correlation.condition.percentile",
      "value_percentile does not say which",
      remedy,
    );
  } else if (percentile !== undefined) {
    report.error(
      "condition",
      "correlation.condition.percentile",
      `${type} has none`,
      "Use type value_percentile",
    );
  }
  return { fields, percentile: 50 };
}
