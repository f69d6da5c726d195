// Which rules occurred in a window of rows, and in which order. Knows nothing of keys.
import type { Row } from "./window.ts";
import { Moving } from "./window-metric.ts";

/** Which rules occurred. */
export class Presence extends Moving {
  protected readonly counts: number[];
  constructor(slots: number) {
    super();
    this.counts = Array.from({ length: slots }, () => 0);
  }
  protected clear(): void {
    this.counts.fill(0);
  }
  protected take(at: number, sign: 1 | -1): void {
    this.counts[this.rows[at]!.slot]! += sign;
  }
  /** How many different rules. */
  present(): number {
    let n = 0;
    for (let i = 0; i < this.counts.length; i++) if (this.counts[i]! > 0) n++;
    return n;
  }
  value(): number | undefined {
    return this.present();
  }
  has(slot: number): boolean {
    return this.counts[slot]! > 0;
  }
  /** Whether all of these occurred, in an order that this correlation accepts. */
  all(slots: readonly number[]): boolean {
    for (let i = 0; i < slots.length; i++) if (!this.has(slots[i]!)) return false;
    return true;
  }
  /** Which rows of the window are what `all` found, or without `slots` what the number rests on. */
  evidence(slots: readonly number[] | undefined): (row: Row) => boolean {
    return (row) => slots === undefined || slots.includes(row.slot);
  }
}

/** So many times that have left a window are forgotten together. */
const GONE_TIMES = 1_024;

/** Which rules occurred one after the other, in the order of the correlation's `rules`. */
export class Order extends Presence {
  readonly #every: readonly number[];
  readonly #partial: boolean;
  readonly #times: number[][];
  readonly #heads: number[];

  /** `partial`: the number is that of the longest chain; else every rule that occurs has to be in order. */
  constructor(slots: number, partial: boolean) {
    super(slots);
    this.#every = this.counts.map((_, i) => i);
    this.#partial = partial;
    this.#times = this.counts.map(() => []);
    this.#heads = this.counts.map(() => 0);
  }
  protected override clear(): void {
    super.clear();
    for (const times of this.#times) times.length = 0;
    this.#heads.fill(0);
  }
  protected override take(at: number, sign: 1 | -1): void {
    super.take(at, sign);
    const { slot, time_ms } = this.rows[at]!;
    if (sign > 0) this.#times[slot]!.push(time_ms);
    else if (++this.#heads[slot]! >= GONE_TIMES) {
      this.#times[slot]!.splice(0, GONE_TIMES);
      this.#heads[slot]! -= GONE_TIMES;
    }
  }
  override value(): number | undefined {
    const present = this.present();
    if (this.#chain(this.#every.filter((s) => this.has(s))) !== undefined) return present;
    return this.#partial ? this.#longest() : undefined;
  }
  override all(slots: readonly number[]): boolean {
    return super.all(slots) && this.#chain(slots) !== undefined;
  }
  override evidence(slots: readonly number[] | undefined): (row: Row) => boolean {
    const wanted = slots ?? this.#every.filter((s) => this.has(s));
    const chain = this.#chain(wanted);
    return (row) => chain === undefined || chain[wanted.indexOf(row.slot)] === row.time_ms;
  }

  /** First time of a rule after another time, in the window. */
  #after(slot: number, time_ms: number): number | undefined {
    const times = this.#times[slot]!;
    let low = this.#heads[slot]!;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle]! <= time_ms) low = middle + 1;
      else high = middle;
    }
    return times[low];
  }

  /** The earliest times in order, one for each, or undefined. */
  #chain(slots: readonly number[]): readonly number[] | undefined {
    const chain: number[] = [];
    for (let i = 0; i < slots.length; i++) {
      const next = this.#after(slots[i]!, chain[i - 1] ?? Number.NEGATIVE_INFINITY);
      if (next === undefined) return undefined;
      chain.push(next);
    }
    return chain;
  }

  /** Length of the longest chain, with rules left out. */
  #longest(): number {
    const ends: number[] = [Number.NEGATIVE_INFINITY]; // by length: the earliest end
    for (let slot = 0; slot < this.counts.length; slot++) {
      for (let length = ends.length - 1; length >= 0; length--) {
        const next = this.#after(slot, ends[length]!);
        if (next !== undefined && next < (ends[length + 1] ?? Number.POSITIVE_INFINITY))
          ends[length + 1] = next;
      }
    }
    return ends.length - 1;
  }
}
