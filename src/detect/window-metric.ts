// What a window of rows amounts to: a count, a sum, an order of rules. A window moves forward over sorted rows, so
// that each row is added once and taken away once. Knows nothing of time or keys.
import type { Row } from "./window.ts";

/** Rows [low, high) of a list. Rows of one time enter and leave together. */
export interface Metric {
  start(rows: readonly Row[], at: number): void;
  /** Takes in the row at `high`. */
  add(): void;
  /** Lets go of the row at `low`. */
  remove(): void;
  /** The first `count` rows of the list, none of which is in the window, are about to be taken from it. */
  shift(count: number): void;
  /** Undefined when there is nothing to take a number of. */
  value(): number | undefined;
}

export abstract class Moving implements Metric {
  protected rows: readonly Row[] = [];
  protected low = 0;
  protected high = 0;
  start(rows: readonly Row[], at: number): void {
    this.rows = rows;
    this.low = this.high = at;
    this.clear();
  }
  add(): void {
    this.take(this.high++, 1);
  }
  remove(): void {
    this.take(this.low++, -1);
  }
  shift(count: number): void {
    this.low -= count;
    this.high -= count;
  }
  protected abstract clear(): void;
  protected abstract take(at: number, sign: 1 | -1): void;
  abstract value(): number | undefined;

  /** Whether an earlier row stands for the same event (and, if asked, for the same measure). */
  protected repeated(at: number, measured: boolean): boolean {
    const row = this.rows[at]!;
    for (let i = at - 1; i >= 0; i--) {
      const other = this.rows[i]!;
      if (other.time_ms !== row.time_ms || other.id !== row.id) return false;
      if (!measured || other.measure === row.measure) return true;
    }
    return false;
  }
}

export class EventCount extends Moving {
  #count = 0;
  protected clear(): void {
    this.#count = 0;
  }
  protected take(at: number, sign: 1 | -1): void {
    if (!this.repeated(at, false)) this.#count += sign;
  }
  value(): number {
    return this.#count;
  }
}

export class ValueCount extends Moving {
  readonly #counts = new Map<string | number, number>();
  protected clear(): void {
    this.#counts.clear();
  }
  protected take(at: number, sign: 1 | -1): void {
    const { measure } = this.rows[at]!;
    if (measure === undefined) return;
    const count = (this.#counts.get(measure) ?? 0) + sign;
    if (count === 0) this.#counts.delete(measure);
    else this.#counts.set(measure, count);
  }
  value(): number {
    return this.#counts.size;
  }
}

const EXACT = 2 ** 39; // whole numbers up to here add up exactly, as many as a key holds

export class ValueSum extends Moving {
  readonly #average: boolean;
  #count = 0;
  #total = 0;
  #inexact = 0;
  constructor(average: boolean) {
    super();
    this.#average = average;
  }
  protected clear(): void {
    this.#count = this.#total = this.#inexact = 0;
  }
  protected take(at: number, sign: 1 | -1): void {
    const n = this.rows[at]!.measure;
    if (typeof n !== "number" || this.repeated(at, true)) return;
    this.#count += sign;
    if (Number.isInteger(n) && Math.abs(n) <= EXACT) this.#total += sign * n;
    else this.#inexact += sign;
  }
  value(): number | undefined {
    if (this.#count === 0) return undefined;
    const total = this.#inexact === 0 ? this.#total : this.#add();
    return this.#average ? total / this.#count : total;
  }
  /** In the order of the rows: running sums of fractions would depend on where the window came from. */
  #add(): number {
    let total = 0;
    for (let i = this.low; i < this.high; i++) {
      const n = this.rows[i]!.measure;
      if (typeof n === "number" && !this.repeated(i, true)) total += n;
    }
    return total;
  }
}

/** Between two values it is interpolated. */
export class Percentile extends Moving {
  readonly #part: number;
  readonly #sorted: number[] = [];
  constructor(percentile: number) {
    super();
    this.#part = percentile / 100;
  }
  protected clear(): void {
    this.#sorted.length = 0;
  }
  protected take(at: number, sign: 1 | -1): void {
    const n = this.rows[at]!.measure;
    if (typeof n !== "number" || this.repeated(at, true)) return;
    const sorted = this.#sorted;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < n) low = middle + 1;
      else high = middle;
    }
    if (sign > 0) sorted.splice(low, 0, n);
    else sorted.splice(low, 1);
  }
  value(): number | undefined {
    const n = this.#sorted.length;
    if (n === 0) return undefined;
    const at = (n - 1) * this.#part;
    const below = this.#sorted[Math.floor(at)]!;
    const above = this.#sorted[Math.ceil(at)]!;
    return below + (above - below) * (at - Math.floor(at));
  }
}
