// One correlation at work: its keys on both time lines, what to keep and when to look again. Says what fired; what
// becomes of it is the correlator's business.
import { LIMITS } from "../core/limits.ts";
import type { CorrelationNode } from "./correlate-join.ts";
import { groupOf, keyOf, measureOf } from "./correlate-group.ts";
import { Keys } from "./correlate-keys.ts";
import { type Row, Series } from "./window.ts";
import type { Hit } from "./window-parts.ts";
import { Sweep } from "./window-sweep.ts";

/** Live events and those from before the collector's start are judged apart. */
export const LIVE = 0;
export const BACKFILL = 1;
export type Line = 0 | 1;

export type Incoming = Omit<Row, "measure">;
export type OnHit = (series: Series, hit: Hit, line: Line) => void;

const NOTHING = (): boolean => false;

export interface NodeCounts {
  /** Events that lack a field of the group. */
  ungrouped: number;
  evicted_keys: number;
  evicted_rows: number;
}

export class NodeState {
  readonly node: CorrelationNode;
  readonly sweep: Sweep;
  readonly lines: readonly [Keys, Keys] = [new Keys(), new Keys()];
  readonly counts: NodeCounts = { ungrouped: 0, evicted_keys: 0, evicted_rows: 0 };
  /** Keys that got rows and are not judged yet. */
  readonly #touched: readonly [Set<Series>, Set<Series>] = [new Set(), new Set()];
  readonly #skip: (series: Series) => (cell: number) => boolean;

  constructor(node: CorrelationNode) {
    this.node = node;
    this.sweep = new Sweep(node);
    // An outer correlation wants every window; an alert stands for all windows of its place on the grid.
    this.#skip = node.parents.length > 0 ? () => NOTHING : (series) => (cell) => series.fired.includes(cell);
  }

  insert(line: Line, incoming: Incoming): void {
    const slot = this.node.slots[incoming.slot]!;
    const group = groupOf(slot, incoming.values);
    if (group === undefined) {
      this.counts.ungrouped++;
      return;
    }
    const key = keyOf(group);
    const keys = this.lines[line];
    const known = keys.get(key);
    const series = known ?? new Series(key, group);
    const before = known?.bytes ?? 0;
    const measure = measureOf(this.node.rule.type, slot, incoming.values);
    if (!series.insert({ ...incoming, measure })) return;
    if (series.rows.length > LIMITS.correlation_rows) {
      const count = series.firstRows();
      series.drop(count);
      this.counts.evicted_rows += count;
    }
    keys.touch(series, before);
    this.#touched[line].add(series);
  }

  /** Judges what came in, then what is due now that no event before `mark_ms` will come. */
  run(line: Line, mark_ms: number, onHit: OnHit): void {
    const keys = this.lines[line];
    for (const series of this.#touched[line]) {
      if (series.gone) continue;
      if (this.sweep.atOnce) {
        this.sweep.now(series, series.dirty_from, series.dirty_to, this.#skip(series), (hit) =>
          onHit(series, hit, line),
        );
      }
      series.dirty_from = Number.POSITIVE_INFINITY;
      series.dirty_to = Number.NEGATIVE_INFINITY;
      // What waits is not judged yet at the end of this time.
      if (!this.sweep.waits) this.#prune(keys, series, mark_ms);
      keys.schedule(series, this.#due(series));
    }
    this.#touched[line].clear();
    for (let entry = keys.due(mark_ms); entry !== undefined; entry = keys.due(mark_ms)) {
      const { series } = entry;
      const due = this.#due(series);
      // In the order of what is really due, which a restart cannot change.
      if (due > entry.due_ms) keys.schedule(series, due);
      else this.#judge(keys, series, mark_ms, line, onHit);
    }
  }

  #judge(keys: Keys, series: Series, mark_ms: number, line: Line, onHit: OnHit): void {
    const before = series.bytes;
    if (this.sweep.waits) {
      this.sweep.later(series, mark_ms, false, this.#skip(series), (hit) => onHit(series, hit, line));
      keys.bytes += series.bytes - before;
    }
    if (this.#expiry(series.last_ms) <= mark_ms) keys.remove(series);
    else {
      this.#prune(keys, series, mark_ms);
      keys.schedule(series, this.#due(series));
    }
  }

  /** No more events of this line will come: judges and forgets all. `mark_ms` is just after its last event. */
  finish(line: Line, mark_ms: number, onHit: OnHit, bury: (series: Series) => void): void {
    this.run(line, Number.NEGATIVE_INFINITY, onHit);
    const keys = this.lines[line];
    for (const series of keys.all()) {
      if (this.sweep.waits) {
        this.sweep.later(series, mark_ms, true, this.#skip(series), (hit) => onHit(series, hit, line));
      }
      bury(series);
    }
    keys.clear();
  }

  /** After a restart: rebuilds when things are due. */
  restored(line: Line, series: Series): void {
    this.lines[line].touch(series, 0);
    this.lines[line].schedule(series, this.#due(series));
  }

  /** Drops the key that has to go first. */
  evict(line: Line, bury: (series: Series) => void): boolean {
    const victim = this.lines[line].victim();
    if (victim === undefined) return false;
    this.counts.evicted_keys++;
    this.counts.evicted_rows += victim.rows.length;
    this.lines[line].remove(victim);
    bury(victim);
    return true;
  }

  /** Forgets rows that no window to come can hold. */
  #prune(keys: Keys, series: Series, mark_ms: number): void {
    const { kind, span_ms, silent } = this.sweep;
    const before = series.bytes;
    if (kind === "session") {
      const first = series.rows[0]?.time_ms ?? mark_ms;
      if (series.fired.length > 0) series.fired = series.fired.filter((start) => start >= first);
    } else {
      let least = kind === "tumbling" ? Math.floor(mark_ms / span_ms) * span_ms : mark_ms - span_ms;
      if (silent) least = Math.min(least, series.rows[this.sweep.unheard(series, mark_ms)]?.time_ms ?? least);
      if (series.rows.length > 0 && series.rows[0]!.time_ms < least) series.drop(series.from(least));
      if (series.fired.length > 1)
        series.fired = series.fired.filter((cell) => (cell + 1) * span_ms > mark_ms - span_ms);
    }
    keys.bytes += series.bytes - before;
  }

  /** When a key with this last event has nothing more to say. */
  #expiry(last_ms: number): number {
    const { kind, gap_ms, span_ms, ahead } = this.sweep;
    if (kind === "session") return last_ms + gap_ms + 1;
    // What was told has to be known until no other window has its place.
    return this.sweep.heard(last_ms) + (ahead ? span_ms : 0);
  }

  #due(series: Series): number {
    const { kind, span_ms, waitsHere, waitsSpan, silent } = this.sweep;
    const { rows, judged_ms } = series;
    let due = this.#expiry(series.last_ms);
    const silence = silent ? rows[this.sweep.unheard(series, judged_ms)] : undefined;
    if (silence !== undefined) due = Math.min(due, this.sweep.heard(silence.time_ms));
    if (kind === "tumbling") {
      const open = waitsHere ? rows[series.from(Math.floor(judged_ms / span_ms) * span_ms)] : undefined;
      return open === undefined ? due : Math.min(due, (Math.floor(open.time_ms / span_ms) + 1) * span_ms);
    }
    const here = waitsHere ? rows[series.from(judged_ms)] : undefined;
    if (here !== undefined) due = Math.min(due, here.time_ms + 1);
    const behind = waitsSpan ? rows[series.from(judged_ms - span_ms)] : undefined;
    if (behind !== undefined) due = Math.min(due, behind.time_ms + span_ms + 1);
    return due;
  }
}
