// The `correlation` section of a Sigma rule to a typed tree. Reports everything that is wrong with it at once; other
// rules and the table of fields it knows nothing of (correlate-compile.ts does).
import { LIMITS } from "../core/limits.ts";
import type { Clause, Compare } from "./correlate-condition.ts";
import { names, readCondition } from "./correlation-condition.ts";
import { readDuration } from "./correlation-duration.ts";
import type { Meta, Report } from "./rule.ts";
import { type Suppression, readSuppression } from "./suppress.ts";
import { type Mapping, isMapping } from "./yaml.ts";

const TYPES = [
  "event_count",
  "value_count",
  "temporal",
  "temporal_ordered",
  "value_sum",
  "value_avg",
  "value_percentile",
  "value_median",
] as const;
export type CorrelationType = (typeof TYPES)[number];

const WINDOWS = ["sliding", "tumbling", "session"] as const;
export type WindowKind = (typeof WINDOWS)[number];

/** Comparisons that all must hold, of a number that the type says how to take; or alternatives of rules. */
export type CorrelationCondition =
  | { readonly kind: "number"; readonly tests: readonly Compare[] }
  | { readonly kind: "rules"; readonly clauses: readonly Clause[] };

export interface Correlation extends Meta {
  readonly type: CorrelationType;
  /** Names or ids, in the order of the rule. */
  readonly rules: readonly string[];
  readonly group_by: readonly string[];
  /** Length of the window; of a session window, its longest. */
  readonly span_ms: number;
  readonly window: WindowKind;
  /** Silence that ends a session window; 0 for others. */
  readonly gap_ms: number;
  readonly condition: CorrelationCondition;
  /** Fields whose values are counted or added; several are counted as tuples. */
  readonly fields: readonly string[];
  /** 0 to 100; 50 for the median. */
  readonly percentile: number;
  /** Alias → rule → field. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether the rules it refers to alert by themselves too. */
  readonly generate: boolean;
  /** Repeats of its alerts that are counted and not told. */
  readonly suppress: Suppression | undefined;
}

const KEYS = [
  "type",
  "rules",
  "group-by",
  "timespan",
  "condition",
  "aliases",
  "generate",
  "tapline.window",
  "tapline.gap",
];

/** The correlation of a rule's document, or undefined with the reasons in the report. Never throws for its content. */
export function parseCorrelation(map: Mapping, meta: Meta, report: Report): Correlation | undefined {
  const section = map["correlation"];
  if (!isMapping(section)) {
    report.error(
      "correlation",
      "correlation",
      "is not a map",
      "Write `correlation:` with type, rules, timespan",
    );
    return undefined;
  }
  for (const key of Object.keys(section)) {
    if (KEYS.includes(key)) continue;
    report.error("correlation", `correlation.${key}`, "there is no such key", `Keys are ${KEYS.join(", ")}`);
  }
  if (map["detection"] !== undefined) {
    const remedy = "Write two rules, and refer from one to the other";
    report.error("correlation", "detection", "a rule is a detection or a correlation, not both", remedy);
  }
  const type = choice(section, "type", TYPES, undefined, report);
  const window = choice(section, "tapline.window", WINDOWS, "sliding", report);
  const span = duration(section, "timespan", report);
  const condition = type === undefined ? undefined : readCondition(section, type, report);
  const gap = window === "session" ? duration(section, "tapline.gap", report) : 0;
  if (window !== "session" && section["tapline.gap"] !== undefined) {
    const remedy = "Add `tapline.window: session`, or remove it";
    report.error("window", "correlation.tapline.gap", "only session windows end after a gap", remedy);
  }
  const rest = {
    group_by: names(section, "group-by", report),
    aliases: readAliases(section["aliases"], report),
    generate: readGenerate(section, map, report),
    suppress: readSuppression(map, report),
  };
  if (rest.group_by.length > LIMITS.correlation_fields) {
    report.error(
      "too_many",
      "correlation.group-by",
      `more than ${LIMITS.correlation_fields}`,
      "Name fewer fields",
    );
  }
  if (report.refused || type === undefined || window === undefined || condition === undefined)
    return undefined;
  return { ...meta, type, window, span_ms: span, gap_ms: gap, ...condition, ...rest };
}

function choice<T extends string>(
  section: Mapping,
  key: string,
  known: readonly T[],
  fallback: T | undefined,
  report: Report,
): T | undefined {
  const value = section[key] ?? fallback;
  const found = known.find((k) => k === value);
  if (found === undefined) {
    const message = value === undefined ? "is missing" : `${JSON.stringify(value)} is not known`;
    report.error("correlation", `correlation.${key}`, message, `Use one of ${known.join(", ")}`);
  }
  return found;
}

function duration(section: Mapping, key: string, report: Report): number {
  return readDuration(section[key], `correlation.${key}`, report);
}

function readAliases(value: unknown, report: Report): Correlation["aliases"] {
  if (value === undefined || value === null) return {};
  const aliases: Record<string, Record<string, string>> = {};
  const place = "correlation.aliases";
  for (const [alias, mapping] of Object.entries(isMapping(value) ? value : { "": value })) {
    if (isMapping(mapping) && Object.values(mapping).every((v) => typeof v === "string")) {
      aliases[alias] = mapping as Record<string, string>;
    } else
      report.error("alias", `${place}.${alias}`, "is no map of rules to fields", "Write `rule_name: field`");
  }
  return aliases;
}

/** The specification's schema has `generate` beside `correlation`, everybody else inside it. */
function readGenerate(section: Mapping, map: Mapping, report: Report): boolean {
  const value = section["generate"] ?? map["generate"] ?? false;
  if (typeof value === "boolean") return value;
  report.error("correlation", "correlation.generate", "is not true or false", "Write true or false");
  return false;
}
