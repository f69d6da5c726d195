// The parts that a sweep over windows is made of: what is measured, the alternatives of a condition, what is found.
import { type Clause, lasting } from "./correlate-condition.ts";
import type { Correlation, CorrelationCondition } from "./correlation-parse.ts";
import type { Row, Series, Swept } from "./window.ts";
import { EventCount, type Metric, Percentile, ValueCount, ValueSum } from "./window-metric.ts";
import { Order, Presence } from "./window-order.ts";

/** Rows [low, high) of a key meet the condition. */
export interface Hit {
  /** When it became true, by the time of events. */
  readonly time_ms: number;
  readonly start_ms: number;
  readonly end_ms: number;
  /** The window's place on the grid, which names the alert. */
  readonly cell: number;
  readonly low: number;
  readonly high: number;
  readonly number: number;
  /** Which of the rows it rests on. */
  readonly evidence: (row: Row) => boolean;
}

/** One alternative of a condition. */
export interface Part {
  readonly clause: Clause | undefined;
  /** More events cannot undo it. */
  readonly lasts: boolean;
  /** Judged only when there will be no more events of its window. */
  readonly waits: boolean;
}

export type Visit = (hit: Hit) => void;
export const EVERY = (): boolean => true;
export const MEASURED = (row: Row): boolean => row.measure !== undefined;

export function metricOf(rule: Correlation): Metric {
  const slots = rule.rules.length;
  const { type, condition, percentile } = rule;
  if (type === "event_count") return new EventCount();
  if (type === "value_count") return new ValueCount();
  if (type === "value_sum" || type === "value_avg") return new ValueSum(type === "value_avg");
  if (type === "temporal") return new Presence(slots);
  if (type === "temporal_ordered")
    return new Order(slots, condition.kind === "number" && lasting(condition.tests));
  return new Percentile(percentile);
}

/** Its window ends at an event, not a time span after one. */
export const backwards = (part: Part): boolean =>
  part.clause === undefined || part.clause.without.length === 0;

/** Types whose number more events can only raise. */
export const GROWS: readonly string[] = ["event_count", "value_count", "temporal", "temporal_ordered"];

/** The alternatives of a rule. With `settled`, what it tells is final. */
export function partsOf({ type, window, condition }: Correlation, settled: boolean): readonly Part[] {
  const late = settled || window === "session";
  if (condition.kind === "number") {
    const lasts = GROWS.includes(type) && !settled && lasting(condition.tests);
    return [{ clause: undefined, lasts, waits: late || !lasts }];
  }
  return condition.clauses.map((clause) => {
    const lasts = !settled && clause.without.length === 0;
    return { clause, lasts, waits: late || !lasts };
  });
}

/** Each event counts at most once, and each rule needs an event. */
export function leastRows(condition: CorrelationCondition): number {
  if (condition.kind === "rules") return Math.min(...condition.clauses.map((c) => c.with.length));
  return Math.max(0, ...condition.tests.map((t) => (t.op === "gte" || t.op === "gt" ? t.value : 0)));
}

/** Series with fewer rows are gone through from the start of their window each time: that takes less than to keep a metric. */
const RESUMED_ROWS = 32;

/** Where to sweep from, so that the row at `at` is the next to be taken in: where the last sweep ended, if that is there and
 * `newMetric` says that it can be kept; else at the first row of the window that ends at that row. */
export function resumed(
  series: Series,
  at: number,
  span_ms: number,
  shared: Metric,
  newMetric: (() => Metric) | undefined,
): Swept {
  const { rows, swept } = series;
  if (swept?.high === at) return swept;
  const keeps = newMetric !== undefined && rows.length >= RESUMED_ROWS;
  const metric = keeps ? (swept?.metric ?? newMetric()) : shared;
  const low = series.from(rows[at]!.time_ms - span_ms);
  metric.start(rows, low);
  const place = { metric, low, high: low };
  series.swept = keeps ? place : undefined;
  return place;
}
