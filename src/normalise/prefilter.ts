// One pass over the raw bytes of a record: can it hold a secret, unusual characters, deep nesting? Says yes too often
// rather than too seldom; nothing is parsed. Looks at pairs of bytes, every second one, through one table.
import assert from "node:assert";
import { LIMITS } from "../core/limits.ts";
import { WORD, hasUserinfo, isKeyword } from "./keyword-bytes.ts";
import { type Candidate, LITERALS, PAIRS } from "./secrets.ts";
import { HIDDEN_LEADS, isHidden, isUnusualCode } from "./unusual.ts";

export const FLAG_SECRET = 1;
/** Characters that a reader does not see (zero width, bidi, tags), ANSI escapes, other control characters. */
export const FLAG_UNUSUAL = 2;
/** More brackets open than records may nest. */
export const FLAG_DEEP = 4;
/** More brackets open than an indexed object may nest. */
export const FLAG_NESTED = 8;
/** An integer of 16 digits or more, which a double may not hold. */
export const FLAG_NUMBER = 16;

const QUOTE = 34;
const SLASH = 47;
const COLON = 58;
const BACKSLASH = 92;
// Codes of the table: opening brackets in the pair, or something to look at. The sum over a few pairs is below LOOK
// when there are only brackets. From FIRST_GROUP on: candidates of secrets' keywords.
const LOOK = 16;
const ESCAPE = 16;
const HIDDEN = 17;
const CONTROL = 18;
const SLASHES = 19;
const FIRST_GROUP = 20;

const groups: (readonly Candidate[])[] = [];
/** Group and byte → 1 when a keyword has the byte after the pair, 2 when it has it before. */
const THIRD = new Uint8Array(65_536);
const TABLE = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(65_536);
  const set = (a: number, b: number, code: number): void => {
    assert((table[a | (b << 8)] ?? 0) < FIRST_GROUP, "no keyword needs a pair that means something else");
    table[a | (b << 8)] = code;
  };
  const known = new Map<string, number>();
  for (const [pair, candidates] of PAIRS) {
    const name = candidates.map((c) => `${LITERALS.indexOf(c.literal)}+${c.offset}`).join();
    let code = known.get(name);
    if (code === undefined) {
      code = FIRST_GROUP + groups.push(candidates) - 1;
      known.set(name, code);
      setThird(code, candidates);
    }
    assert(code < 256, "the groups of keywords fit in a byte");
    table[pair] = code;
  }
  for (let x = 0; x < 256; x++) {
    set(x, 0x1b, CONTROL);
    set(0x1b, x, CONTROL);
    // UTF-8 of U+0080..009F and of a soft hyphen.
    set(x, 0xc2, HIDDEN);
    if ((x >= 0x80 && x < 0xa0) || x === 0xad) set(0xc2, x, HIDDEN);
  }
  for (let x = 0; x < 256; x++) {
    for (const open of [91, 123]) {
      set(x, open, 1);
      set(open, x, 1);
    }
  }
  for (const a of [91, 123]) for (const b of [91, 123]) set(a, b, 2);
  // An escape is met as `\u` or, at the other parity, as `u` and a digit.
  set(BACKSLASH, 117, ESCAPE);
  for (const digit of "012dDfF") set(117, digit.charCodeAt(0), ESCAPE);
  for (const [a, b] of HIDDEN_LEADS) {
    set(a, b, HIDDEN);
    for (let c = 0x80; c < 0xc0; c++) if (isHidden(a, b, c)) set(b, c, HIDDEN);
  }
  set(BACKSLASH, SLASH, SLASHES);
  set(SLASH, BACKSLASH, SLASHES);
  return table;
}

/** Each candidate's pair is the first or the last two of its rarest three characters. */
function setThird(code: number, candidates: readonly Candidate[]): void {
  for (const { literal, offset } of candidates) {
    const before = offset > literal.rare;
    const c = literal.codes[before ? literal.rare : literal.rare + 2]!;
    for (const x of literal.fold ? [c, String.fromCharCode(c).toUpperCase().charCodeAt(0)] : [c]) {
      THIRD[(code << 8) | x]! |= before ? 2 : 1;
    }
  }
}

/** Whether the byte before or after a pair goes with it. */
function isThird(code: number, before: number, after: number): boolean {
  return ((THIRD[(code << 8) | after]! & 1) | (THIRD[(code << 8) | before]! & 2)) !== 0;
}

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
  if (from >= to) return finish(bytes, start, end, scan(bytes, first, last, start, end, 0));
  let state = scan(bytes, first, from * 4, start, end, 0);
  for (let i = from * 2; i < to * 2; i += 2) {
    const a = quads[i]!;
    const b = quads[i + 1]!;
    const sum = TABLE[a & 0xffff]! + TABLE[a >>> 16]! + TABLE[b & 0xffff]! + TABLE[b >>> 16]!;
    if (sum < LOOK) state += sum << FLAG_BITS;
    else state = scan(bytes, i * 2, i * 2 + 4, start, end, state);
  }
  return finish(bytes, start, end, scan(bytes, to * 4, last, start, end, state));
}

/** The opening brackets counted are kept above the flags. */
const FLAG_BITS = 5;
const FLAGS = (1 << FLAG_BITS) - 1;

function finish(bytes: Uint8Array, start: number, end: number, state: number): number {
  const opens = state >>> FLAG_BITS;
  let flags = state & FLAGS;
  if (hasLongNumber(bytes, start, end)) flags |= FLAG_NUMBER;
  if (opens > LIMITS.depth) flags |= FLAG_DEEP;
  if (opens > LIMITS.object_depth) flags |= FLAG_NESTED;
  return flags;
}

const LONG_DIGITS = 16;

/** Whether 16 digits in a row stand outside quotes: one of any 16 bytes in a row is looked at. */
function hasLongNumber(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start + LONG_DIGITS - 1; i < end; i += LONG_DIGITS) {
    // Sixteen digits around this place also cover the one 8 before or the one 8 behind it.
    if (!isDigit(bytes[i]!) || !(isDigit(bytes[i - 8]!) || isDigit(bytes[i + 8]!))) continue;
    let from = i;
    while (from > start && isDigit(bytes[from - 1]!)) from--;
    let to = i + 1;
    while (to < end && isDigit(bytes[to]!)) to++;
    if (to - from >= LONG_DIGITS && bytes[from - 1] !== QUOTE && WORD[bytes[from - 1]!] !== 1) return true;
    i = Math.max(i, to - LONG_DIGITS);
  }
  return false;
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
    const code = TABLE[pairs[i]!]!;
    if (code < LOOK) state += code << FLAG_BITS;
    else if (code < FIRST_GROUP || isThird(code, pairs[i - 1]! >>> 8, pairs[i + 1]! & 0xff)) {
      state |= look(bytes, code, i * 2 - bytes.byteOffset, start, end, state);
    }
  }
  return state;
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
  // `:\/\/`: an URL whose slashes are escaped.
  const colon = bytes[at] === SLASH ? at - 2 : at - 1;
  for (let i = colon - 2; i <= colon; i += 2) {
    if (
      bytes[i] === COLON &&
      bytes[i + 2] === SLASH &&
      bytes[i + 4] === SLASH &&
      hasUserinfo(bytes, i + 5, end)
    )
      return FLAG_SECRET;
  }
  return 0;
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
