// Which windows over the rows of one key meet a correlation's condition. Sliding windows are closed at both ends and
// end (conditions with `not`: begin) at an event; tumbling ones lie on a grid; session ones end with a silence.
import { type Clause, type Compare, holds } from "./correlate-condition.ts";
import type { CorrelationNode } from "./correlate-join.ts";
import type { WindowKind } from "./correlation-parse.ts";
import type { Series } from "./window.ts";
import type { Metric } from "./window-metric.ts";
import { Presence } from "./window-order.ts";
import {
  EVERY,
  GROWS,
  type Hit,
  MEASURED,
  type Part,
  type Visit,
  backwards,
  leastRows,
  metricOf,
  partsOf,
  resumed,
} from "./window-parts.ts";

export class Sweep {
  readonly span_ms: number;
  readonly gap_ms: number;
  readonly kind: WindowKind;
  readonly atOnce: boolean;
  /** Some judgement waits until the event is final; some, until a time span after it. */
  readonly waitsHere: boolean;
  readonly waitsSpan: boolean;
  /** The condition holds when nothing happens. */
  readonly silent: boolean;
  /** Tells windows after an event: their place on the grid may be that of the window of an event that comes later. */
  readonly ahead: boolean;
  readonly #tests: readonly Compare[];
  readonly #parts: readonly Part[];
  readonly #metric: Metric;
  /** There where one window follows the other over the same rows: a sweep goes on where the last one ended. */
  readonly #newMetric: (() => Metric) | undefined;
  readonly #counts: boolean;
  /** Fewer rows than this meet no condition that is judged at once. */
  readonly #least: number;

  constructor({ rule, settled }: CorrelationNode) {
    this.span_ms = rule.span_ms;
    this.gap_ms = rule.gap_ms;
    this.kind = rule.window;
    this.#metric = metricOf(rule);
    this.#counts = GROWS.includes(rule.type);
    this.#tests = rule.condition.kind === "number" ? rule.condition.tests : [];
    this.#parts = partsOf(rule, settled);
    const resumes = this.kind === "sliding" && this.#parts.length === 1 && backwards(this.#parts[0]!);
    this.#newMetric = resumes ? () => metricOf(rule) : undefined;
    this.#least = leastRows(rule.condition);
    this.atOnce = this.#parts.some((p) => !p.waits);
    this.silent = this.#tests.length > 0 && this.#counts && this.kind !== "session" && holds(this.#tests, 0);
    this.waitsSpan = this.kind === "sliding" && this.#parts.some((p) => !backwards(p));
    this.ahead =
      this.kind === "sliding" && (this.silent || (this.waitsSpan && this.#parts.some((p) => backwards(p))));
    this.waitsHere = this.#parts.some((p) => p.waits && (this.kind !== "sliding" || backwards(p)));
  }

  get waits(): boolean {
    return this.waitsHere || this.waitsSpan;
  }

  /** Judges what rows between two times may have changed and nothing can undo. */
  now(series: Series, from_ms: number, to_ms: number, skip: (cell: number) => boolean, visit: Visit): void {
    if (series.rows.length < this.#least) return;
    for (const part of this.#parts) {
      if (part.waits) continue;
      if (this.kind === "tumbling") this.#tumbling(series, part, from_ms, to_ms, skip, visit);
      else this.#backward(series, part, from_ms, to_ms + this.span_ms, skip, visit);
    }
  }

  /** Judges what had to wait, now that no event before `mark_ms` will come. */
  later(
    series: Series,
    mark_ms: number,
    closing: boolean,
    skip: (cell: number) => boolean,
    visit: Visit,
  ): void {
    const from = series.judged_ms;
    if (this.kind === "session") this.#session(series, mark_ms, closing, visit);
    else
      for (const part of this.#parts) {
        if (!part.waits) continue;
        if (this.kind === "tumbling") {
          const whole = Math.floor(mark_ms / this.span_ms) * this.span_ms;
          this.#tumbling(series, part, from, whole - 1, skip, visit);
        } else if (backwards(part)) this.#backward(series, part, from, mark_ms - 1, skip, visit);
        else this.#forward(series, part, part.clause!, mark_ms, skip, visit);
      }
    if (this.silent) this.#silences(series, mark_ms, skip, visit);
    series.judged_ms = Math.max(from, mark_ms);
  }

  #holds(part: Part, metric: Metric = this.#metric): boolean {
    if (part.clause === undefined) {
      const n = metric.value();
      return n !== undefined && holds(this.#tests, n);
    }
    const presence = metric as Presence;
    return presence.all(part.clause.with) && !part.clause.without.some((slot) => presence.has(slot));
  }

  #hit(part: Part, at: Omit<Hit, "number" | "evidence">, metric: Metric = this.#metric): Hit {
    if (metric instanceof Presence) {
      const number = part.clause === undefined ? metric.value()! : metric.present();
      return { ...at, number, evidence: metric.evidence(part.clause?.with) };
    }
    return { ...at, number: metric.value()!, evidence: this.#counts ? EVERY : MEASURED };
  }

  #backward(
    series: Series,
    part: Part,
    from_ms: number,
    to_ms: number,
    skip: (cell: number) => boolean,
    visit: Visit,
  ): void {
    const { rows } = series;
    const span = this.span_ms;
    let at = series.from(from_ms);
    if (at === rows.length || rows[at]!.time_ms > to_ms) return;
    const swept = resumed(series, at, span, this.#metric, this.#newMetric);
    const { metric } = swept;
    while (at < rows.length && rows[at]!.time_ms <= to_ms) {
      const end_ms = rows[at]!.time_ms;
      for (; swept.high < rows.length && rows[swept.high]!.time_ms <= end_ms; swept.high++) metric.add();
      for (; rows[swept.low]!.time_ms < end_ms - span; swept.low++) metric.remove();
      at = swept.high;
      const start_ms = end_ms - span;
      const cell = Math.floor(start_ms / span);
      if (skip(cell) || !this.#holds(part, metric)) continue;
      const { low, high } = swept;
      visit(this.#hit(part, { time_ms: end_ms, start_ms, end_ms, cell, low, high }, metric));
    }
  }

  #forward(
    series: Series,
    part: Part,
    clause: Clause,
    mark_ms: number,
    skip: (cell: number) => boolean,
    visit: Visit,
  ): void {
    const { rows } = series;
    const span = this.span_ms;
    let at = series.from(series.judged_ms - span);
    let low = at;
    let high = at;
    this.#metric.start(rows, at);
    while (at < rows.length && rows[at]!.time_ms + span < mark_ms) {
      const start_ms = rows[at]!.time_ms;
      const first = at;
      let opens = false;
      for (; at < rows.length && rows[at]!.time_ms === start_ms; at++)
        opens ||= clause.with.includes(rows[at]!.slot);
      const cell = Math.floor(start_ms / span);
      if (!opens || skip(cell)) continue;
      const end_ms = start_ms + span;
      for (; high < rows.length && rows[high]!.time_ms <= end_ms; high++) this.#metric.add();
      for (; low < first; low++) this.#metric.remove();
      if (this.#holds(part)) visit(this.#hit(part, { time_ms: end_ms, start_ms, end_ms, cell, low, high }));
    }
  }

  #tumbling(
    series: Series,
    part: Part,
    from_ms: number,
    to_ms: number,
    skip: (cell: number) => boolean,
    visit: Visit,
  ): void {
    const { rows } = series;
    const span = this.span_ms;
    let low = series.from(Math.floor(from_ms / span) * span);
    while (low < rows.length && rows[low]!.time_ms <= to_ms) {
      const cell = Math.floor(rows[low]!.time_ms / span);
      const end_ms = (cell + 1) * span - 1;
      let high = low;
      this.#metric.start(rows, low);
      for (; high < rows.length && rows[high]!.time_ms <= end_ms; high++) this.#metric.add();
      if (!skip(cell) && this.#holds(part)) {
        visit(this.#hit(part, { time_ms: end_ms, start_ms: cell * span, end_ms, cell, low, high }));
      }
      low = high;
    }
  }

  /** The first row whose silence is not judged at `judged_ms`. */
  unheard(series: Series, judged_ms: number): number {
    const span = this.span_ms;
    if (this.kind === "tumbling") return series.from((Math.floor(judged_ms / span) - 1) * span);
    return series.from(judged_ms - span - 1);
  }

  /** When it is known whether anything happened in the first window after an event. */
  heard(time_ms: number): number {
    const span = this.span_ms;
    return this.kind === "tumbling" ? (Math.floor(time_ms / span) + 2) * span : time_ms + span + 2;
  }

  /** The first window after each event, where it is empty. */
  #silences(series: Series, mark_ms: number, skip: (cell: number) => boolean, visit: Visit): void {
    const { rows } = series;
    const span = this.span_ms;
    const tumbling = this.kind === "tumbling";
    for (let i = this.unheard(series, series.judged_ms); i < rows.length; i++) {
      const { time_ms } = rows[i]!;
      if (this.heard(time_ms) > mark_ms) return;
      const start_ms = tumbling ? (Math.floor(time_ms / span) + 1) * span : time_ms + 1;
      const end_ms = start_ms + span - (tumbling ? 1 : 0);
      const cell = Math.floor(start_ms / span);
      if ((rows[i + 1]?.time_ms ?? Number.POSITIVE_INFINITY) <= end_ms || skip(cell)) continue;
      visit({ time_ms: end_ms, start_ms, end_ms, cell, low: 0, high: 0, number: 0, evidence: EVERY });
    }
  }

  /** The first row opens the session in hand; rows of ended sessions are dropped. A condition that lasts is judged
   * at each event that is final, since who came first is known then; any other at the session's end. */
  #session(series: Series, mark_ms: number, closing: boolean, visit: Visit): void {
    const { rows } = series;
    for (;;) {
      const start_ms = rows[0]?.time_ms;
      if (start_ms === undefined || start_ms >= mark_ms) return;
      let high = 0;
      let last = start_ms;
      this.#metric.start(rows, 0);
      let fired = series.fired.includes(start_ms);
      const tell = (time_ms: number, ended: boolean): void => {
        const part = fired ? undefined : this.#parts.find((p) => (ended || p.lasts) && this.#holds(p));
        if (part === undefined) return;
        fired = true;
        visit(this.#hit(part, { time_ms, start_ms, end_ms: last, cell: start_ms, low: 0, high }));
      };
      while (high < rows.length && this.#continues(rows[high]!.time_ms, start_ms, last, mark_ms)) {
        last = rows[high]!.time_ms;
        for (; high < rows.length && rows[high]!.time_ms === last; high++) this.#metric.add();
        tell(last, false);
      }
      const next = rows[high]?.time_ms;
      const broken = next !== undefined && next < mark_ms;
      if (!broken && !closing && last + this.gap_ms >= mark_ms) return;
      tell(Math.min(last + this.gap_ms + 1, broken ? next : Number.POSITIVE_INFINITY), true);
      series.drop(high);
    }
  }

  #continues(time_ms: number, start_ms: number, last_ms: number, mark_ms: number): boolean {
    return time_ms < mark_ms && time_ms - last_ms <= this.gap_ms && time_ms - start_ms <= this.span_ms;
  }
}
