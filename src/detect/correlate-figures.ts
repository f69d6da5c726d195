// Figures of what the ordering thread keeps for detection: how much there is, and what had to go. Changes nothing.
import type { Correlator } from "./correlate.ts";
import { BACKFILL, LIVE } from "./correlate-node.ts";
import type { Suppressor } from "./suppress.ts";

export interface CorrelationFigures {
  readonly correlations: number;
  /** Open groups of all correlations, and the events kept for them. */
  readonly keys: number;
  readonly rows: number;
  /** Memory that these take, estimated. */
  readonly bytes: number;
  /** Since the ledger began: windows that met their condition, what a bound dropped, and what came too late to count. */
  readonly fired: number;
  readonly evicted_keys: number;
  readonly evicted_rows: number;
  readonly late: number;
  /** Open windows of suppression, and the repeats counted in them so far. */
  readonly suppressing: number;
  readonly suppressed: number;
  /** Windows of suppression that a bound ended, since the ledger began. */
  readonly suppressing_evicted: number;
}

/** Figures of two that share the work of the same correlations. */
export function sumOf(a: CorrelationFigures, b: CorrelationFigures): CorrelationFigures {
  return {
    correlations: Math.max(a.correlations, b.correlations),
    keys: a.keys + b.keys,
    rows: a.rows + b.rows,
    bytes: a.bytes + b.bytes,
    fired: a.fired + b.fired,
    evicted_keys: a.evicted_keys + b.evicted_keys,
    evicted_rows: a.evicted_rows + b.evicted_rows,
    late: a.late + b.late,
    suppressing: a.suppressing + b.suppressing,
    suppressed: a.suppressed + b.suppressed,
    suppressing_evicted: a.suppressing_evicted + b.suppressing_evicted,
  };
}

export function figuresOf(correlator: Correlator, suppressor: Suppressor): CorrelationFigures {
  let keys = 0;
  let rows = 0;
  let evicted_keys = 0;
  let evicted_rows = 0;
  for (const { lines, counts } of correlator.nodes) {
    evicted_keys += counts.evicted_keys;
    evicted_rows += counts.evicted_rows;
    for (const line of [LIVE, BACKFILL] as const) {
      keys += lines[line].size;
      for (const series of lines[line].all()) rows += series.rows.length;
    }
  }
  const { fired, late } = correlator.counts;
  const { windows, repeats, evicted } = suppressor.figures();
  return {
    correlations: correlator.nodes.length,
    keys,
    rows,
    bytes: correlator.bytes,
    fired,
    evicted_keys,
    evicted_rows,
    late,
    suppressing: windows,
    suppressed: repeats,
    suppressing_evicted: evicted,
  };
}
