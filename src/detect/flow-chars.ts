// What characters are to a reader of words and sentences. Pure tables and tests.
import { isDigit, isLetter } from "./flow-address.ts";

export const SPACE = 0;
export const LETTER = 1;
export const DIGIT = 2;
export const END = 3; // . ! ?
export const COLON = 4;
export const OPEN = 5; // brackets, quotes and the like: a clause may start after it
export const QUOTE = 6;
export const LINE = 7;
export const ESCAPE = 8;
const OTHER = 9;

export const CLASS = new Uint8Array(128).fill(OTHER);
const put = (chars: string, kind: number): void => {
  for (const c of chars) CLASS[c.charCodeAt(0)] = kind;
};
put("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", LETTER);
put("0123456789", DIGIT);
put(".!?", END);
put(" \t", SPACE);
put('<>[](){}|#`*";', OPEN);
put("'", QUOTE);
put(":", COLON);
put("\n\r", LINE);
put("\\", ESCAPE);

export const isWord = (c: number): boolean =>
  c < 128 ? CLASS[c] === LETTER || CLASS[c] === DIGIT : (c > 0x206f || c < 0x2000) && !isSign(c);

/** Arrows, boxes, dingbats and pictures: they stand before a clause as bullets do. */
const isSign = (c: number): boolean =>
  (c >= 0x2190 && c < 0x2c00) || (c >= 0xd83c && c <= 0xd83e) || (c >= 0xdc00 && c < 0xe000) || c === 0xfe0f;

/** Whether the sign or dash at `at` may stand before a clause. */
export const opensClause = (text: string, at: number, c: number): boolean =>
  isSign(c) ||
  c === 0x2014 ||
  c === 0x2013 ||
  (c === 45 && text.charCodeAt(at + 1) === 32 && text.charCodeAt(at - 1) === 32);

export const isInvisible = (c: number): boolean =>
  (c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x206f);

/** Whether `st`, `nd`, `rd` or `th` stands at `at`. */
export function isOrdinal(text: string, at: number): boolean {
  const two = (text.charCodeAt(at) | 32) * 256 + (text.charCodeAt(at + 1) | 32);
  return two === 0x7374 || two === 0x6e64 || two === 0x7264 || two === 0x7468;
}

/** Where the character ends that is written in letters after a backslash, `n` or `u1f449`; `at` when none is. */
export function escaped(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (c === 110 || c === 114 || c === 116) return at + 1;
  const digits = c === 120 ? 2 : c === 117 ? 4 : c === 85 ? 8 : 0;
  for (let i = 1; i <= digits; i++) {
    const d = text.charCodeAt(at + i);
    if (!isDigit(d) && !((d | 32) > 96 && (d | 32) < 103)) return at;
  }
  return digits === 0 ? at : at + 1 + digits;
}

const KEY_CHARS = 40;

const isNamePart = (c: number): boolean =>
  isLetter(c) || isDigit(c) || c === 95 || c === 64 || c === 46 || c === 45;

/** Whether a field begins at `at`: `name: value`. */
export function isKey(text: string, at: number, end: number): boolean {
  let i = at;
  while (i < end && i - at < KEY_CHARS && isNamePart(text.charCodeAt(i))) i++;
  return i > at && text.charCodeAt(i) === 58 && text.charCodeAt(i + 1) <= 32;
}
