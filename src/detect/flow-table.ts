// Bounded sets and maps of 32-bit keys in typed arrays. When one is full, the older half of what it holds goes: two
// generations, so that nothing is moved or deleted one by one. Keys are never 0.
import { randomInt } from "node:crypto";

const SIZE_MIN = 128;

// Not to be guessed: whoever writes the texts must not choose places.
const MIX = randomInt(2 ** 31) * 2 + 1;

function slot(key: number): number {
  return Math.imul(key ^ (key >>> 16), MIX) >>> 7;
}

/** Place of the key in `keys`, or of the free place where it would go. */
function place(keys: Uint32Array, key: number): number {
  const mask = keys.length - 1;
  let at = slot(key) & mask;
  for (let k = keys[at]!; k !== 0 && k !== key; k = keys[at]!) at = (at + 1) & mask;
  return at;
}

/** A set of the `max` to 2 × `max` newest keys. */
export class KeySet {
  readonly #max: number;
  #young: Uint32Array = new Uint32Array(SIZE_MIN);
  #old: Uint32Array | undefined;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get empty(): boolean {
    return this.#count === 0 && this.#old === undefined;
  }

  has(key: number): boolean {
    if (this.#young[place(this.#young, key)] === key) return true;
    return this.#old !== undefined && this.#old[place(this.#old, key)] === key;
  }

  add(key: number): void {
    const keys = this.#young;
    const at = place(keys, key);
    if (keys[at] === key) return;
    keys[at] = key;
    if (++this.#count * 4 > keys.length * 3) this.#grow();
  }

  #grow(): void {
    const full = this.#young;
    if (this.#count < this.#max) this.#young = new Uint32Array(full.length * 2);
    else {
      const free = this.#old;
      this.#old = full;
      this.#young = free?.fill(0) ?? new Uint32Array(full.length);
      this.#count = 0;
      return;
    }
    for (let i = 0; i < full.length; i++)
      if (full[i] !== 0) this.#young[place(this.#young, full[i]!)] = full[i]!;
  }
}

class Generation {
  readonly keys: Uint32Array;
  readonly values: Uint32Array;
  count = 0;

  constructor(size: number) {
    this.keys = new Uint32Array(size);
    this.values = new Uint32Array(size);
  }

  set(key: number, value: number): void {
    const at = place(this.keys, key);
    if (this.keys[at] !== key) {
      this.keys[at] = key;
      this.count++;
    }
    this.values[at] = value;
  }
}

/** A map with the `max` to 2 × `max` newest keys; values are unsigned, 32 bits. */
export class Table {
  readonly #max: number;
  #young = new Generation(SIZE_MIN);
  #old: Generation | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get empty(): boolean {
    return this.#young.count === 0 && this.#old === undefined;
  }

  /** Value of the key, or -1. */
  get(key: number): number {
    const { keys, values } = this.#young;
    const at = place(keys, key);
    if (keys[at] === key) return values[at]!;
    if (this.#old === undefined) return -1;
    const before = place(this.#old.keys, key);
    return this.#old.keys[before] === key ? this.#old.values[before]! : -1;
  }

  set(key: number, value: number): void {
    const young = this.#young;
    young.set(key, value);
    if (young.count * 4 <= young.keys.length * 3) return;
    if (young.count >= this.#max) {
      this.#old = young;
      this.#young = new Generation(young.keys.length);
      return;
    }
    this.#young = new Generation(young.keys.length * 2);
    for (let i = 0; i < young.keys.length; i++) {
      if (young.keys[i] !== 0) this.#young.set(young.keys[i]!, young.values[i]!);
    }
  }
}
