// Correlations on the ordering thread: extracts in, firings out, by the time of events whatever the order of arrival.
// Deterministic: the same calls give the same firings, so that state can be rebuilt by making them again. No I/O.
import { LIMITS } from "../core/limits.ts";
import type { CorrelationSet } from "./correlate-join.ts";
import type { Extract, ExtractBatch } from "./correlate-extract.ts";
import { type Firing, evidenceOf, firingOf, rowsOf } from "./correlate-fire.ts";
import { readsRows, spread } from "./correlate-group.ts";
import { BACKFILL, LIVE, type Line, NodeState } from "./correlate-node.ts";
import type { Watermark } from "./watermark.ts";
import type { Series } from "./window.ts";
import type { Hit } from "./window-parts.ts";

/** When a batch is taken in. All of it has to be kept with the batch, so that it can be taken in again. */
export interface Arrival {
  /** The clock when the batch was read, ms; never goes back. */
  readonly now_ms: number;
  /** When all sources had last been read to their end, ms. Null: not since the start, so that no window ends. */
  readonly rested_ms: number | null;
  /** Index in the ledger of the batch's first entry, or -1. */
  readonly first_index: number;
}

/** State that had to go since a bound bit. */
export interface Eviction {
  readonly node: number;
  readonly keys: number;
  readonly rows: number;
}

export interface CorrelatorCounts {
  extracts: number;
  /** Windows that met their condition, once for each place on the grid. */
  fired: number;
  /** Came after their time was closed: counted nowhere. */
  late: number;
  /** Had a time ahead of the clock, which stands for it. */
  ahead: number;
  /** Groups of outer correlations that a firing would have counted in beyond the bound. */
  unspread: number;
}

/** Where the extracts of one rule go: node and slot; `map` when the fields are not in the slot's order. */
interface Target {
  readonly node: number;
  readonly slot: number;
  readonly map: readonly number[] | undefined;
}

export interface Timeline {
  readonly mark: Watermark;
  /** First start of the collector: older records flagged as backfill are never live. */
  live_from_ms: number;
  /** Latest backfill event, and when backfill was last heard of. */
  backfill_ms: number;
  backfill_heard_ms: number;
}

export class Correlator {
  readonly set: CorrelationSet;
  readonly nodes: readonly NodeState[];
  readonly time: Timeline;
  readonly counts: CorrelatorCounts = { extracts: 0, fired: 0, late: 0, ahead: 0, unspread: 0 };
  /** Windows that fired and whose key is gone: shape, key and place. Oldest first. */
  readonly buried = new Set<string>();
  /** By node: what was evicted when last told, and when that was. */
  readonly told: { keys: number; rows: number; at_ms: number }[];
  /** Bound of all state. */
  bytes_max: number = LIMITS.correlation_bytes;
  #firings: Firing[] = [];
  readonly #bury: ((series: Series) => void)[];
  readonly #onHit: ((series: Series, hit: Hit, line: Line) => void)[];

  constructor(set: CorrelationSet, time: Timeline) {
    this.set = set;
    this.time = time;
    this.nodes = set.nodes.map((node) => new NodeState(node));
    this.told = this.nodes.map(() => ({ keys: 0, rows: 0, at_ms: Number.NEGATIVE_INFINITY }));
    this.#bury = this.nodes.map((_, i) => (series) => this.#buryWindows(i, series));
    this.#onHit = this.nodes.map((_, i) => (series, hit, line) => this.#hit(i, series, hit, line));
  }

  /** Takes in a batch. Events of one batch are judged together. */
  push(batch: ExtractBatch, { now_ms, rested_ms, first_index }: Arrival): Firing[] {
    const { mark } = this.time;
    this.#pass(now_ms, rested_ms);
    const targets = batch.rules.map((source) => this.#targets(source));
    for (let i = 0; i < batch.extracts.length; i++) {
      const extract = batch.extracts[i]!;
      this.#insert(extract, targets[extract.rule]!, now_ms, first_index);
    }
    this.#run(LIVE, mark.at_ms);
    this.#run(BACKFILL, Number.NEGATIVE_INFINITY);
    for (const { stream, live_ms, backfill_ms } of batch.streams) {
      if (live_ms !== null) mark.observe(stream, live_ms, now_ms);
      if (backfill_ms === null) continue;
      this.time.backfill_ms = Math.max(this.time.backfill_ms, backfill_ms);
      this.time.backfill_heard_ms = now_ms;
    }
    this.#bound();
    return this.#take();
  }

  /** Time passes. To be called when no batch is under way that was read before `now_ms`. */
  advance(now_ms: number, rested_ms: number | null): Firing[] {
    this.#pass(now_ms, rested_ms);
    this.#bound();
    return this.#take();
  }

  /** The end of all input, for a run over files: closes what the events themselves close. */
  close(): Firing[] {
    this.#finishBackfill();
    return this.#take();
  }

  /** What was evicted, at most once a minute for each correlation. */
  evictions(now_ms: number): Eviction[] {
    const out: Eviction[] = [];
    for (const [node, { counts }] of this.nodes.entries()) {
      const told = this.told[node]!;
      const keys = counts.evicted_keys - told.keys;
      const rows = counts.evicted_rows - told.rows;
      if (rows === 0 || now_ms - told.at_ms < LIMITS.eviction_report_ms) continue;
      out.push({ node, keys, rows });
      Object.assign(told, { keys: counts.evicted_keys, rows: counts.evicted_rows, at_ms: now_ms });
    }
    return out;
  }

  /** Estimated bytes of all state. */
  get bytes(): number {
    let bytes = 0;
    for (const { lines } of this.nodes) bytes += lines[LIVE].bytes + lines[BACKFILL].bytes;
    return bytes;
  }

  #take(): Firing[] {
    const firings = this.#firings;
    this.#firings = [];
    return firings;
  }

  #pass(now_ms: number, rested_ms: number | null): void {
    const { time } = this;
    const before = time.mark.at_ms;
    if (time.mark.advance(now_ms, rested_ms) > before) this.#run(LIVE, time.mark.at_ms);
    if (rested_ms === null || time.backfill_heard_ms === Number.NEGATIVE_INFINITY) return;
    if (rested_ms - time.backfill_heard_ms >= LIMITS.correlation_idle_ms) this.#finishBackfill();
  }

  #run(line: Line, mark_ms: number): void {
    for (let i = 0; i < this.nodes.length; i++) this.nodes[i]!.run(line, mark_ms, this.#onHit[i]!);
  }

  #finishBackfill(): void {
    const { time } = this;
    for (const [i, node] of this.nodes.entries()) {
      node.finish(BACKFILL, time.backfill_ms + 1, this.#onHit[i]!, this.#bury[i]!);
    }
    time.backfill_ms = Number.NEGATIVE_INFINITY;
    time.backfill_heard_ms = Number.NEGATIVE_INFINITY;
  }

  #targets({ rule, fields }: ExtractBatch["rules"][number]): Target[] {
    return this.set.nodes.flatMap(({ slots }, node) =>
      slots.flatMap((s, slot): Target[] => {
        if (s.source !== rule) return [];
        const map = s.fields.map((name) => fields.indexOf(name));
        const plain = fields.length === map.length && map.every((from, to) => from === to);
        return [{ node, slot, map: plain ? undefined : map }];
      }),
    );
  }

  #insert(extract: Extract, targets: readonly Target[], now_ms: number, first_index: number): void {
    this.counts.extracts++;
    const { event: id, values, entry, backfill } = extract;
    const { mark, live_from_ms } = this.time;
    let { time_ms } = extract;
    let line: Line = LIVE;
    if (backfill && (time_ms < live_from_ms || time_ms < mark.at_ms)) line = BACKFILL;
    else if (time_ms < mark.at_ms) {
      this.counts.late++;
      return;
    } else if (time_ms > now_ms + LIMITS.correlation_lateness_ms) {
      this.counts.ahead++;
      time_ms = now_ms;
    }
    const index = entry < 0 || first_index < 0 ? -1 : first_index + entry;
    for (let i = 0; i < targets.length; i++) {
      const { node, slot, map } = targets[i]!;
      const own = map === undefined ? values : map.map((from) => values[from] ?? null);
      this.nodes[node]!.insert(line, { time_ms, id, slot, index, values: own, from: undefined });
    }
  }

  /** A window met its condition: told to outer correlations each time, and to the caller once for its place. */
  #hit(at: number, series: Series, hit: Hit, line: Line): void {
    const { node } = this.nodes[at]!;
    if (node.parents.length > 0) this.#feed(at, series, hit, line);
    if (!node.alerts || series.fired.includes(hit.cell)) return;
    series.fired.push(hit.cell);
    const other = this.nodes[at]!.lines[line === LIVE ? BACKFILL : LIVE].get(series.key);
    if (other?.fired.includes(hit.cell) === true || this.buried.has(this.#place(at, series.key, hit.cell)))
      return;
    this.counts.fired++;
    this.#firings.push(firingOf(node, at, series, hit, line === BACKFILL));
  }

  #feed(at: number, series: Series, hit: Hit, line: Line): void {
    const { parents } = this.set.nodes[at]!;
    // Only fields of the events themselves need more of them than are told.
    const deep = parents.some(({ node, slot }) => readsRows(this.set.nodes[node]!.slots[slot]!));
    const rows = rowsOf(series, hit, deep ? LIMITS.correlation_behind : LIMITS.correlation_from);
    const from = evidenceOf(rows, LIMITS.correlation_from);
    const id = JSON.stringify([at, series.key, hit.time_ms]);
    for (const { node, slot } of parents) {
      const { lists, dropped } = spread(this.set.nodes[node]!.slots[slot]!, series, rows, hit.number);
      this.counts.unspread += dropped;
      for (const values of lists) {
        this.nodes[node]!.insert(line, { time_ms: hit.time_ms, id, slot, index: -1, values, from });
      }
    }
  }

  #place(at: number, key: string, cell: number): string {
    return `${this.set.nodes[at]!.shape} ${cell} ${key}`;
  }

  /** Remembers what a key fired, since the key itself is forgotten. */
  #buryWindows(at: number, series: Series): void {
    for (const cell of series.fired) {
      this.buried.add(this.#place(at, series.key, cell));
      if (this.buried.size > LIMITS.correlation_fired) this.buried.delete(this.buried.values().next().value!);
    }
  }

  /** Makes room where a bound bites: too many keys of one correlation, or too many bytes of all. */
  #bound(): void {
    for (const [i, node] of this.nodes.entries()) {
      for (const line of [LIVE, BACKFILL] as const) {
        while (node.lines[line].full) node.evict(line, this.#bury[i]!);
      }
    }
    while (this.bytes > this.bytes_max) {
      let most: [number, Line] = [0, LIVE];
      for (const [i, { lines }] of this.nodes.entries()) {
        for (const line of [LIVE, BACKFILL] as const) {
          if (lines[line].bytes > this.nodes[most[0]]!.lines[most[1]].bytes) most = [i, line];
        }
      }
      if (!this.nodes[most[0]]!.evict(most[1], this.#bury[most[0]]!)) return;
    }
  }
}
