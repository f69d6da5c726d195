// The events of one key of one correlation, in the order of their times, whatever the order of arrival. Keeps and
// forgets; what they mean is judged elsewhere.
import type { ExtractValue } from "./correlate-extract.ts";
import type { Metric } from "./window-metric.ts";

/** An event that an alert rests on. */
export interface Evidence {
  readonly event: string;
  /** Index of its entry in the ledger, or -1. */
  readonly index: number;
}

/** A match in a window: of a detection rule, or of an inner correlation (then `from` names what that rests on). */
export interface Row {
  readonly time_ms: number;
  readonly id: string;
  /** Place of its rule in the correlation's `rules`. */
  readonly slot: number;
  readonly index: number;
  /** In the order of its slot's fields; rows of one key mostly share them. */
  readonly values: readonly ExtractValue[];
  /** What is counted or added: a number, or text in lower case; undefined when the event has none. */
  readonly measure: string | number | undefined;
  readonly from: readonly Evidence[] | undefined;
}

/** Where a sweep over the rows stands: the rows [low, high) are in the metric. */
export interface Swept {
  readonly metric: Metric;
  low: number;
  high: number;
}

/** With what a metric keeps of it. */
const ROW_BYTES = 200;
const KEY_BYTES = 1_200;

export class Series {
  readonly key: string;
  /** Values of the group as first seen. */
  readonly group: readonly string[];
  /** By time, id and slot. */
  readonly rows: Row[] = [];
  /** Windows that fired, by their place on the grid (session windows: by their start). */
  fired: number[] = [];
  /** Everything before this time is judged, where a judgement has to wait. */
  judged_ms = Number.NEGATIVE_INFINITY;
  /** Stretch of times that rows came into since the last judgement. */
  dirty_from = Number.POSITIVE_INFINITY;
  dirty_to = Number.NEGATIVE_INFINITY;
  /** When something is to be done, as entered in the agenda. */
  due_ms = Number.POSITIVE_INFINITY;
  gone = false;
  /** Time of the last event, which may be forgotten by now. */
  last_ms = Number.NEGATIVE_INFINITY;
  /** Where the last sweep ended, if the next one can go on there. */
  swept: Swept | undefined;
  /** Had more than one row at some time. */
  grown = false;
  bytes: number;

  constructor(key: string, group: readonly string[]) {
    this.key = key;
    this.group = group;
    this.bytes = KEY_BYTES + key.length * 2;
  }

  /** False when the row is there already: a record that was read twice counts once. */
  insert(row: Row): boolean {
    const rows = this.rows;
    const last = rows.at(-1);
    let at = rows.length;
    if (last !== undefined && order(row, last) <= 0) {
      at = placeOf(rows, row);
      for (let i = at - 1; i >= 0 && order(rows[i]!, row) === 0; i--)
        if (same(rows[i]!.values, row.values)) return false;
    }
    const near = rows[at - 1] ?? rows[at];
    const shared = near !== undefined && near.slot === row.slot && same(near.values, row.values);
    const kept = shared ? { ...row, values: near.values } : row;
    if (at === rows.length) rows.push(kept);
    else rows.splice(at, 0, kept);
    // A row that came late among those that were gone through.
    if (this.swept !== undefined && at < this.swept.high) this.swept = undefined;
    this.bytes += bytesOf(row);
    this.last_ms = Math.max(this.last_ms, row.time_ms);
    this.dirty_from = Math.min(this.dirty_from, row.time_ms);
    this.dirty_to = Math.max(this.dirty_to, row.time_ms);
    return true;
  }

  /** Forgets the first `count` rows. */
  drop(count: number): void {
    for (let i = 0; i < count; i++) this.bytes -= bytesOf(this.rows[i]!);
    const { swept } = this;
    if (swept !== undefined && swept.high >= count) {
      for (; swept.low < count; swept.low++) swept.metric.remove();
      swept.metric.shift(count);
      swept.low -= count;
      swept.high -= count;
    } else this.swept = undefined;
    this.rows.splice(0, count);
  }

  /** How many rows the first event has: it goes as a whole, since what is left of it would be taken for another one. */
  firstRows(): number {
    const { rows } = this;
    let count = 1;
    while (
      count < rows.length &&
      rows[count]!.time_ms === rows[0]!.time_ms &&
      rows[count]!.id === rows[0]!.id
    )
      count++;
    return count;
  }

  /** Index of the first row at or after a time. */
  from(time_ms: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle]!.time_ms < time_ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function order(a: Row, b: Row): number {
  if (a.time_ms !== b.time_ms) return a.time_ms - b.time_ms;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.slot - b.slot;
}

/** After all rows that do not come after `row`. */
function placeOf(rows: readonly Row[], row: Row): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(rows[middle]!, row) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function same(a: readonly ExtractValue[], b: readonly ExtractValue[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** At most: rows that share their values take less. */
function bytesOf(row: Row): number {
  const { values, measure, from } = row;
  let bytes = ROW_BYTES + row.id.length + values.length * 8;
  if (typeof measure === "string") bytes += measure.length;
  if (from !== undefined) bytes += from.length * 80;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "string") bytes += value.length;
  }
  return bytes;
}
