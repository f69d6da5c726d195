// Answers by value: programs, users, hosts and tools come again and again. A value is kept when it comes a second time,
// so that those that come once hold no memory. Its place goes by its length and some of its characters: those that share
// one take turns, and no choice of values makes a look-up dear. One memo serves all fields of a rule set.
import { LIMITS } from "../core/limits.ts";
import type { Answers } from "./answers.ts";
import type { Value } from "./slot.ts";

const SAMPLE = 12; // characters looked at for the place
const WAYS = 8; // values that share a place

interface Kept {
  /** The field's number. */
  field: number;
  value: Value;
  answers: Answers;
}

export class Memo {
  readonly #kept: (Kept | undefined)[] = [];
  readonly #hashes: Int32Array;
  readonly #mask: number;
  /** Hashes of what came and was not kept. */
  readonly #once: Int32Array;
  #next = 0;
  /** Of the value that `find` did not find; 0 when it is too long to be kept. */
  #hash = 0;
  /** How many values gave way to others. */
  replaced = 0;

  /** `size` is a power of two. */
  constructor(size: number) {
    this.#mask = size / WAYS - 1;
    this.#hashes = new Int32Array(size);
    this.#once = new Int32Array(size);
    for (let i = 0; i < size; i++) this.#kept.push(undefined);
  }

  find(field: number, value: Value): Answers | undefined {
    if (typeof value === "string" && value.length > LIMITS.answer_memo_chars) {
      this.#hash = 0;
      return undefined;
    }
    const hash = hashOf(field, value);
    this.#hash = hash;
    const first = (hash >>> 17) & this.#mask;
    for (let i = first * WAYS; i < first * WAYS + WAYS; i++) {
      if (this.#hashes[i] !== hash) continue;
      const kept = this.#kept[i]!;
      if (kept.value === value && kept.field === field) return kept.answers;
    }
    return undefined;
  }

  /** Called when `find` found nothing. Keeps a copy of the answers and returns it, or returns them as they are. */
  keep(field: number, value: Value, answers: Answers): Answers {
    const hash = this.#hash;
    if (hash === 0) return answers;
    const seen = (hash >>> 1) & (this.#once.length - 1);
    if (this.#once[seen] === hash) return this.#put(field, value, answers);
    this.#once[seen] = hash;
    return answers;
  }

  #put(field: number, value: Value, answers: Answers): Answers {
    const own = typeof value === "string" ? apart(value) : value;
    let at = ((this.#hash >>> 17) & this.#mask) * WAYS;
    const last = at + WAYS - 1;
    while (at < last && this.#kept[at] !== undefined) at++;
    if (this.#kept[at] !== undefined) {
      at -= this.#next++ % WAYS;
      this.replaced++;
    }
    this.#hashes[at] = this.#hash;
    const copy = answers.kept ? answers : answers.copy();
    this.#kept[at] = { field, value: own, answers: copy };
    return copy;
  }
}

function hashOf(field: number, value: Value): number {
  let hash = Math.imul(field + 1, 0x9e3779b1);
  if (typeof value === "string") {
    const length = value.length;
    hash ^= length;
    const step = length <= SAMPLE ? 1 : Math.floor(length / SAMPLE);
    let i = length - 1;
    for (; i >= step; i -= 2 * step)
      hash = Math.imul(hash ^ value.charCodeAt(i) ^ (value.charCodeAt(i - step) << 16), 0x01000193);
    if (i >= 0) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
  } else hash ^= Number(value);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) | 1;
}

/** A text of its own: a part of a longer one would hold all of that in memory. */
function apart(text: string): string {
  const encoding = /^[\0-\xff]*$/.test(text) ? "latin1" : "utf16le";
  return Buffer.from(text, encoding).toString(encoding);
}
