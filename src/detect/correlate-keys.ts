// The keys of one correlation on one time line: found by key, by when something is due, and by who has to go when
// there are too many. A key with one event goes before keys with more, so that a flood of new keys evicts itself.
import { LIMITS } from "../core/limits.ts";
import { Series } from "./window.ts";

export interface Due {
  readonly due_ms: number;
  readonly series: Series;
}

const before = (a: Due, b: Due): boolean =>
  a.due_ms !== b.due_ms ? a.due_ms < b.due_ms : a.series.key < b.series.key;

const valid = ({ due_ms, series }: Due): boolean => !series.gone && series.due_ms === due_ms;
const STALE_MIN = 1_024;

/** A binary heap; entries that a later one replaced, and those of keys that are gone, are skipped when they come up,
 * and thrown out when they are the half. */
class Agenda {
  #heap: Due[] = [];
  #stale = 0;

  /** One entry more will be skipped. */
  spoil(): void {
    if (++this.#stale < STALE_MIN || this.#stale * 2 < this.#heap.length) return;
    // Sorted is a heap too.
    this.#heap = this.#heap.filter(valid).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#stale = 0;
  }

  push(due_ms: number, series: Series): void {
    const heap = this.#heap;
    const due = { due_ms, series };
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  /** The first entry that is due at `mark_ms`, taken off. */
  pop(mark_ms: number): Due | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.due_ms > mark_ms) return undefined;
      this.#removeFirst();
      const { series } = first;
      if (!valid(first)) {
        this.#stale--;
        continue;
      }
      series.due_ms = Number.POSITIVE_INFINITY;
      return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

export class Keys {
  /** In the order of last use. */
  readonly #young = new Map<string, Series>();
  readonly #grown = new Map<string, Series>();
  #agenda = new Agenda();
  bytes = 0;

  get size(): number {
    return this.#young.size + this.#grown.size;
  }

  get(key: string): Series | undefined {
    return this.#young.get(key) ?? this.#grown.get(key);
  }

  /** All keys: those with one event first, each kind in the order of last use. */
  *all(): Generator<Series> {
    yield* this.#young.values();
    yield* this.#grown.values();
  }

  /** Puts a key in, or last in order. `before` is what it took of memory until now, 0 for a new one. */
  touch(series: Series, before_bytes: number): void {
    this.bytes += series.bytes - before_bytes;
    this.#young.delete(series.key);
    this.#grown.delete(series.key);
    series.grown ||= series.rows.length > 1;
    (series.grown ? this.#grown : this.#young).set(series.key, series);
  }

  /** Tells when something is to be done for a key. Later than told before is found out then. */
  schedule(series: Series, due_ms: number): void {
    if (due_ms >= series.due_ms) return;
    const replaces = series.due_ms < Number.POSITIVE_INFINITY;
    series.due_ms = due_ms;
    if (replaces) this.#agenda.spoil();
    this.#agenda.push(due_ms, series);
  }

  due(mark_ms: number): Due | undefined {
    return this.#agenda.pop(mark_ms);
  }

  remove(series: Series): void {
    if (series.gone) return;
    series.gone = true;
    if (series.due_ms < Number.POSITIVE_INFINITY) this.#agenda.spoil();
    this.bytes -= series.bytes;
    this.#young.delete(series.key);
    this.#grown.delete(series.key);
    // The agenda may know it for long.
    series.rows.length = 0;
  }

  /** The key to go when there are too many: of those with one event while they are many, the longest unused. */
  victim(): Series | undefined {
    const many = this.#young.size * 2 >= this.size;
    const first = (many ? this.#young : this.#grown).values().next();
    return first.done === true ? this.#young.values().next().value : first.value;
  }

  get full(): boolean {
    return this.size > LIMITS.correlation_keys;
  }

  clear(): void {
    for (const series of this.all()) series.gone = true;
    this.#young.clear();
    this.#grown.clear();
    this.#agenda = new Agenda();
    this.bytes = 0;
  }
}
