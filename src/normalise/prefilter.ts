// One pass over the raw bytes of a record: can it hold a secret, unusual characters, deep nesting? Says yes too often
// rather than too seldom; nothing is parsed. Looks at pairs of bytes, every second one, through one table.
import { LIMITS } from "../core/limits.ts";
import { BACKSLASH, COLON, QUOTE, SLASH, WORD } from "./byte-classes.ts";
import { hasUserinfo, isKeyword } from "./keyword-bytes.ts";
import { CONTROL, ESCAPE, FIRST_GROUP, HIDDEN, LOOK, TABLE, THIRD, groups } from "./prefilter-table.ts";
import { isHidden, isUnusualCode } from "./unusual.ts";

export const FLAG_SECRET = 1;
/** Characters that a reader does not see (zero width, bidi, tags), ANSI escapes, other control characters. */
export const FLAG_UNUSUAL = 2;
/** More brackets open than records may nest. */
export const FLAG_DEEP = 4;
/** More brackets open than an indexed object may nest. */
export const FLAG_NESTED = 8;
/** An integer of 16 digits or more, which a double may not hold. */
export const FLAG_NUMBER = 16;

// The array under the last buffer, as pairs and as two pairs at a time: records of one batch share it.
let array: ArrayBufferLike | undefined;
let pairs: Uint16Array = new Uint16Array(0);
let quads: Uint32Array = new Uint32Array(0);

/** Flags of the record at [start, end) of `bytes`. */
export function prefilter(bytes: Uint8Array, start: number, end: number): number {
  if (bytes.buffer !== array) {
    array = bytes.buffer;
    pairs = new Uint16Array(array, 0, array.byteLength >>> 1);
    quads = new Uint32Array(array, 0, array.byteLength >>> 2);
  }
  const base = bytes.byteOffset;
  const first = (base + start) >>> 1;
  const last = Math.min(pairs.length, (base + end + 1) >>> 1);
  // Eight bytes at a time; what lies before the first and behind the last whole eight is looked at by pairs.
  const from = (first + 3) >>> 2;
  const to = last >>> 2;
  if (from >= to) return finish(scan(bytes, first, last, start, end, 0));
  let state = scan(bytes, first, from * 4, start, end, 0);
  for (let i = from * 2; i < to * 2; i += 2) {
    const a = quads[i]!;
    const b = quads[i + 1]!;
    const c0 = TABLE[a & 0xffff]!;
    const c1 = TABLE[a >>> 16]!;
    const c2 = TABLE[b & 0xffff]!;
    const c3 = TABLE[b >>> 16]!;
    // Sixteen digits cover eight bytes that are looked at together.
    if ((((a ^ DIGIT_HALVES) | (b ^ DIGIT_HALVES)) & HIGH_HALVES) === 0) {
      if (isLongNumber(bytes, i * 4 - base, start, end)) state |= FLAG_NUMBER;
    }
    const sum = c0 + c1 + c2 + c3;
    if (sum < LOOK) {
      state += sum << FLAG_BITS;
      continue;
    }
    const at = i * 4 - base;
    if (c0 !== 0) state = meet(state, c0, pairs[i * 2 - 1]! >>> 8, a >>> 16, bytes, at, start, end);
    if (c1 !== 0) state = meet(state, c1, a >>> 8, b, bytes, at + 2, start, end);
    if (c2 !== 0) state = meet(state, c2, a >>> 24, b >>> 16, bytes, at + 4, start, end);
    if (c3 !== 0) state = meet(state, c3, b >>> 8, pairs[i * 2 + 4]!, bytes, at + 6, start, end);
  }
  return finish(scan(bytes, to * 4, last, start, end, state));
}

/** The opening brackets counted are kept above the flags. */
const FLAG_BITS = 5;
const FLAGS = (1 << FLAG_BITS) - 1;

function finish(state: number): number {
  const opens = state >>> FLAG_BITS;
  let flags = state & FLAGS;
  if (opens > LIMITS.depth) flags |= FLAG_DEEP;
  if (opens > LIMITS.object_depth) flags |= FLAG_NESTED;
  return flags;
}

const LONG_DIGITS = 16;
const HIGH_HALVES = 0xf0f0f0f0;
const DIGIT_HALVES = 0x30303030;

/** Whether 16 digits in a row, outside quotes, cover the place `at`. */
function isLongNumber(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  let from = at;
  while (from > start && isDigit(bytes[from - 1]!)) from--;
  let to = at;
  while (to < end && isDigit(bytes[to]!)) to++;
  return to - from >= LONG_DIGITS && bytes[from - 1] !== QUOTE && WORD[bytes[from - 1] ?? 0] !== 1;
}

function isDigit(c: number): boolean {
  return c > 47 && c < 58;
}

/** Looks at pairs [from, to) of the array. */
function scan(
  bytes: Uint8Array,
  from: number,
  to: number,
  start: number,
  end: number,
  before: number,
): number {
  let state = before;
  for (let i = from; i < to; i++) {
    const at = i * 2 - bytes.byteOffset;
    state = meet(state, TABLE[pairs[i]!]!, pairs[i - 1]! >>> 8, pairs[i + 1]!, bytes, at, start, end);
  }
  return state;
}

/** The state after a pair at `at` of this code; the low bytes of `before` and `after` are its neighbours. */
function meet(
  state: number,
  code: number,
  before: number,
  after: number,
  bytes: Uint8Array,
  at: number,
  start: number,
  end: number,
): number {
  if (code < LOOK) return state + (code << FLAG_BITS);
  if (code >= FIRST_GROUP) {
    const third = (THIRD[(code << 8) | (after & 0xff)]! & 1) | (THIRD[(code << 8) | (before & 0xff)]! & 2);
    if (third === 0) return state;
  }
  return state | look(bytes, code, at, start, end, state);
}

/** Flags for a pair found at `at`. */
function look(
  bytes: Uint8Array,
  code: number,
  at: number,
  start: number,
  end: number,
  flags: number,
): number {
  if (code >= FIRST_GROUP) {
    if ((flags & FLAG_SECRET) !== 0) return 0;
    const candidates = groups[code - FIRST_GROUP]!;
    for (let i = 0; i < candidates.length; i++) {
      const { literal, offset } = candidates[i]!;
      if (isKeyword(bytes, literal, at - offset, start, end)) return FLAG_SECRET;
    }
    return 0;
  }
  if (code === ESCAPE) return escapeFlags(bytes, bytes[at] === BACKSLASH ? at : at - 1, start, end);
  if (code === CONTROL) return FLAG_UNUSUAL;
  if (code === HIDDEN) {
    for (let i = at - 1; i <= at + 1; i++) {
      if (bytes[i] === 0xc2 && (bytes[i + 1]! < 0xa0 || bytes[i + 1] === 0xad)) return FLAG_UNUSUAL;
      if (isHidden(bytes[i]!, bytes[i + 1]!, bytes[i + 2]!)) return FLAG_UNUSUAL;
    }
    return 0;
  }
  return isEscapedUrl(bytes, at, start, end) ? FLAG_SECRET : 0;
}

const SLASHES_CHARS_MAX = 40;
/** Whether an URL with user and password is around `at` whose slashes are escaped: `:\/\/`, deeper in JSON within JSON. */
function isEscapedUrl(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  let i = at;
  while (i > start && at - i < SLASHES_CHARS_MAX && (bytes[i] === SLASH || bytes[i] === BACKSLASH)) i--;
  if (bytes[i] !== COLON) return false;
  const last = Math.min(end, i + SLASHES_CHARS_MAX);
  let slashes = 0;
  for (i++; i < last && slashes < 2; i++) {
    if (bytes[i] === SLASH) slashes++;
    else if (bytes[i] !== BACKSLASH) return false;
  }
  return slashes === 2 && hasUserinfo(bytes, i, end);
}

const hex = (c: number): number => (c < 58 ? c - 48 : (c | 32) - 87);

/** Flags for the escape `\uXXXX` at `at`, if it is one. */
function escapeFlags(bytes: Uint8Array, at: number, start: number, end: number): number {
  if (at < start || at + 6 > end || bytes[at] !== BACKSLASH || bytes[at + 1] !== 117) return 0;
  const code =
    (hex(bytes[at + 2]!) << 12) |
    (hex(bytes[at + 3]!) << 8) |
    (hex(bytes[at + 4]!) << 4) |
    hex(bytes[at + 5]!);
  // Some writers escape & < > for use in HTML; other ASCII is escaped by those who hide something.
  if (code >= 32 && code < 127) return code === 38 || code === 60 || code === 62 ? 0 : FLAG_SECRET;
  return isUnusualCode(code) ? FLAG_UNUSUAL : 0;
}
