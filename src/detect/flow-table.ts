// Bounded sets and maps of 32-bit keys in typed arrays. When one is full, the older half of what it holds goes: two
// generations, so that nothing is moved or deleted one by one. Keys are never 0.
import { randomInt } from "node:crypto";

const SIZE_MIN = 128;

/** What a set or map holds, without its free places: the younger half, then the older. Places are made anew, since they
 * are secret of the process. */
export interface Packed {
  /** Places for keys in one half. */
  readonly size: number;
  /** Base64 of 32-bit numbers, in the machine's order: keys, or keys and values in turn. */
  readonly young: string;
  readonly old?: string;
}

function pack(keys: Uint32Array, values?: Uint32Array): string {
  const out = new Uint32Array(keys.length * (values === undefined ? 1 : 2));
  let n = 0;
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === 0) continue;
    out[n++] = keys[i]!;
    if (values !== undefined) out[n++] = values[i]!;
  }
  return Buffer.from(out.buffer, 0, n * 4).toString("base64");
}

function unpack(text: string): Uint32Array {
  return new Uint32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
}

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

  state(): Packed {
    const young = { size: this.#young.length, young: pack(this.#young) };
    return this.#old === undefined ? young : { ...young, old: pack(this.#old) };
  }

  restore({ size, young, old }: Packed): void {
    this.#young = keysOf(size, young);
    this.#old = old === undefined ? undefined : keysOf(size, old);
    this.#count = unpack(young).length;
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

function keysOf(size: number, packed: string): Uint32Array {
  const keys = new Uint32Array(size);
  for (const key of unpack(packed)) keys[place(keys, key)] = key;
  return keys;
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

  clear(): void {
    this.keys.fill(0);
    this.count = 0;
  }
}

function generationOf(size: number, packed: string): Generation {
  const generation = new Generation(size);
  const pairs = unpack(packed);
  for (let i = 0; i < pairs.length; i += 2) generation.set(pairs[i]!, pairs[i + 1]!);
  return generation;
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

  state(): Packed {
    const { keys, values } = this.#young;
    const young = { size: keys.length, young: pack(keys, values) };
    return this.#old === undefined ? young : { ...young, old: pack(this.#old.keys, this.#old.values) };
  }

  restore({ size, young, old }: Packed): void {
    this.#young = generationOf(size, young);
    this.#old = old === undefined ? undefined : generationOf(size, old);
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
      // The memory of what goes is used again: waiting for it to be collected would take many times as much.
      const free = this.#old;
      free?.clear();
      this.#old = young;
      this.#young = free ?? new Generation(young.keys.length);
      return;
    }
    this.#young = new Generation(young.keys.length * 2);
    for (let i = 0; i < young.keys.length; i++) {
      if (young.keys[i] !== 0) this.#young.set(young.keys[i]!, young.values[i]!);
    }
  }
}
