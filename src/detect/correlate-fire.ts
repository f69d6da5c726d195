// A window that met its condition to what an alert is made from: the events that it rests on and whom they concern.
import { LIMITS } from "../core/limits.ts";
import { CONTEXT, type CorrelationNode } from "./correlate-join.ts";
import type { ExtractValue } from "./correlate-extract.ts";
import type { Evidence, Row, Series } from "./window.ts";
import type { Hit } from "./window-parts.ts";

/** A correlation that fired: what its alert is made from. */
export interface Firing {
  /** Place in the set's nodes. */
  readonly node: number;
  /** Names the group, in lower case; and the values as first seen, in the order of `group_by`. */
  readonly key: string;
  readonly group: readonly string[];
  /** Start of the window on a fixed grid: with rule and key, it names the alert. */
  readonly grid_ms: number;
  readonly start_ms: number;
  readonly end_ms: number;
  /** Time of the last event that it rests on; of an absence, the window's end. */
  readonly time_ms: number;
  /** The count, sum or other number; of a boolean condition, how many of its rules occurred. */
  readonly number: number;
  /** How many events (or inner firings) it rests on, and the latest of them. */
  readonly count: number;
  readonly evidence: readonly Evidence[];
  /** Fields on which all of those agree; the session is that of the last when they do not. */
  readonly context: Readonly<Record<string, ExtractValue>>;
  readonly backfill: boolean;
}

export function firingOf(
  node: CorrelationNode,
  at: number,
  series: Series,
  hit: Hit,
  backfill: boolean,
): Firing {
  const rows = rowsOf(series, hit, LIMITS.correlation_rows);
  return {
    node: at,
    key: series.key,
    group: series.group,
    grid_ms: node.rule.window === "session" ? hit.cell : hit.cell * node.rule.span_ms,
    start_ms: hit.start_ms,
    end_ms: hit.end_ms,
    time_ms: rows.at(-1)?.time_ms ?? hit.end_ms,
    number: hit.number,
    count: rows.length,
    evidence: evidenceOf(rows, LIMITS.correlation_evidence),
    context: contextOf(node, rows),
    backfill,
  };
}

/** The latest rows that the window rests on, in order. */
export function rowsOf(series: Series, hit: Hit, most: number): readonly Row[] {
  const rows: Row[] = [];
  for (let i = hit.high - 1; i >= hit.low && rows.length < most; i--) {
    if (hit.evidence(series.rows[i]!)) rows.push(series.rows[i]!);
  }
  return rows.toReversed();
}

/** The latest events behind the rows, at most `most`. */
export function evidenceOf(rows: readonly Row[], most: number): readonly Evidence[] {
  const out = new Map<string, Evidence>();
  for (let i = rows.length - 1; i >= 0 && out.size < most; i--) {
    const { from, id, index } = rows[i]!;
    if (from === undefined) {
      if (!out.has(id)) out.set(id, { event: id, index });
      continue;
    }
    for (let j = from.length - 1; j >= 0 && out.size < most; j--) {
      if (!out.has(from[j]!.event)) out.set(from[j]!.event, from[j]!);
    }
  }
  return [...out.values()].toReversed();
}

function contextOf({ slots }: CorrelationNode, rows: readonly Row[]): Record<string, ExtractValue> {
  const context: Record<string, ExtractValue> = {};
  for (const [i, field] of CONTEXT.entries()) {
    let value: ExtractValue = null;
    let agreed = true;
    for (const row of rows) {
      const own = row.values[slots[row.slot]!.context[i]!] ?? null;
      if (own === null) continue;
      agreed &&= value === null || value === own;
      value = own;
    }
    if (value !== null && (agreed || field === "gen_ai.conversation.id")) context[field] = value;
  }
  return context;
}
