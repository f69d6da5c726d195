// Which short runs of letters and digits are somewhere in a file's entries: a bit for each of them that is, at a place that it has by its hash. A text
// one of whose runs has no bit is in none of the entries; a text whose runs all have one may be. Never the other way round.
// Case is folded as DuckDB's lower() folds it. Knows nothing of events.
import { closeSync, openSync, readSync } from "node:fs";

/** Changes when the same entries get other bits. */
export const GRAMS_VERSION = 1;
/** Length of the runs. Shorter texts are not told of. */
const LENGTH = 5;
const BITS_MOST = 23; // 1 MiB while they are collected
const BITS_LEAST = 16;
/** At most so many bits of a hundred are set in what is kept, where the size allows. */
const FULL_PERCENT = 30;

const BACKSLASH = 0x5c;
/** Byte to the letter or digit it counts as, 1 to 37; 0 ends a run. */
const CODES = new Uint8Array(256);
for (let digit = 0; digit < 10; digit++) CODES[0x30 + digit] = 1 + digit;
for (let letter = 0; letter < 26; letter++) CODES[0x41 + letter] = CODES[0x61 + letter] = 11 + letter;
CODES[0x5f] = 37;

/** Place of a run of five times six bits among 2 ** BITS_MOST; in half as many it is this without the highest bit. */
const placeOf = (run: number): number => Math.imul(run, 0x9e3779b1) >>> (32 - BITS_MOST);

/** Collects the runs of a file's entries. */
export class GramSet {
  #bits = new Uint8Array(2 ** (BITS_MOST - 3));
  /** An escaped letter or digit cannot be told from the bytes alone: then nothing is ruled out. */
  #unsure = false;

  /** The entries' bytes, JSON in UTF-8; the lengths between them may be in it. */
  add(bytes: Uint8Array): void {
    const bits = this.#bits;
    let run = 0; // the last five characters, six bits each
    let length = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      const code = CODES[byte]!;
      if (code === 0) {
        length = 0;
        if (byte === BACKSLASH && isLetterEscape(bytes, i)) this.#unsure = true;
        // U+0130 and U+212A are the only others that lower() makes ASCII letters of.
        if (
          (byte === 0xc4 && bytes[i + 1] === 0xb0) ||
          (byte === 0xe2 && bytes[i + 1] === 0x84 && bytes[i + 2] === 0xaa)
        )
          this.#unsure = true;
        continue;
      }
      run = ((run << 6) | code) & 0x3fffffff;
      if (++length < LENGTH) continue;
      const place = placeOf(run);
      bits[place >>> 3]! |= 1 << (place & 7);
    }
  }

  /** The bits in a size that fits them: a power of two. Empty when nothing can be ruled out. */
  finish(): Uint8Array {
    if (this.#unsure) return new Uint8Array(0);
    let bits = this.#bits;
    let set = countOf(bits);
    while (bits.length > 2 ** (BITS_LEAST - 3)) {
      const half = bits.length / 2;
      if ((set / (half * 8)) * 100 > FULL_PERCENT) break;
      const folded = bits.slice(0, half);
      for (let i = 0; i < half; i++) folded[i]! |= bits[half + i]!;
      bits = folded;
      set = countOf(bits);
    }
    return bits;
  }
}

/** `\u00XX` of an ASCII letter, digit or underline at `at`. */
function isLetterEscape(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x30 || bytes[at + 3] !== 0x30) return false;
  const code = Number.parseInt(String.fromCharCode(bytes[at + 4] ?? 0, bytes[at + 5] ?? 0), 16);
  return code < 128 && CODES[code] !== 0;
}

function countOf(bits: Uint8Array): number {
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length / 4);
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}

/** Places of a text's runs; none when it is too short to be told of. */
export function gramsOf(text: string): number[] {
  const places = new Set<number>();
  let run = 0;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const at = text.charCodeAt(i);
    const code = at < 128 ? CODES[at]! : 0;
    if (code === 0) {
      length = 0;
      continue;
    }
    run = ((run << 6) | code) & 0x3fffffff;
    length++;
    if (length >= LENGTH) places.add(placeOf(run));
  }
  return [...places];
}

/** Whether all of some runs may be in the file whose bits are at `path`. True when they cannot be read. */
export function mayHoldGrams(path: string, bytes: number, grams: readonly number[]): boolean {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return true;
  }
  try {
    const one = new Uint8Array(1);
    for (const gram of grams) {
      const bit = gram & (bytes * 8 - 1);
      if (readSync(file, one, 0, 1, bit >>> 3) !== 1) return true;
      if ((one[0]! & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}
