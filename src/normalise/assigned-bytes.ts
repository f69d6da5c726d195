// Whether a keyword in raw JSON belongs to a key or name that something is assigned to which may be a secret: the key of
// an object, an assignment in text or in JSON within JSON, or the value of a `name` beside which there is a `value`.
import {
  AROUND,
  BACKSLASH,
  COLON,
  LETTER_U,
  QUOTE,
  QUOTES,
  SIGN,
  SPACE,
  TOKEN,
  WORD,
  endsWith,
  isKeyByte,
} from "./byte-classes.ts";
import { LOWER } from "./secrets.ts";

const EQUALS = 61;
const GREATER = 62;
const BRACKET = 91;
const BRACE = 123;
/** The longest key that isSecretKey looks at; more than the patterns allow. */
const KEY_CHARS = 64;

/** Whether what stands at [at, after) is the end of a key with a value that may be a secret; `scheme`: after one more
 * word. */
export function isAssigned(
  bytes: Uint8Array,
  at: number,
  after: number,
  start: number,
  end: number,
  scheme: boolean,
): boolean {
  let i = after;
  while (i < end && i - after < KEY_CHARS && isKeyByte(bytes[i]!)) i++;
  const key = isSecretsEnd(bytes, after, i) && isClosed(bytes, i, end);
  if (key && isNamed(bytes, at, start)) return true;
  i = skipAround(bytes, i, end);
  if (i >= end || (bytes[i] !== COLON && bytes[i] !== EQUALS)) return false;
  while (i < end && (bytes[i] === COLON || bytes[i] === EQUALS || bytes[i] === GREATER)) i++;
  const from = i;
  i = skipAround(bytes, i, end);
  if (i >= end) return false;
  // An escape, of the > in => perhaps.
  if (bytes[i] === LETTER_U && bytes[i - 1] === BACKSLASH) return true;
  for (let q = from; q < i; q++) if (QUOTES[bytes[q]!] === 1) return !isEmpty(bytes, from, q, end);
  if (key && (bytes[i] === BRACKET || bytes[i] === BRACE)) return bytes[i + 1] !== bytes[i]! + 2;
  if (key && isLongNumber(bytes, i, end)) return true;
  // The letter of an escape that was skipped may be the value's first.
  return isRandom(bytes, i > from && AROUND[bytes[i - 1]!] === 0 ? i - 1 : i, end, scheme);
}

/** Whether a key may be one that says "secret" when only this follows the keyword: - and _, and `key`. */
function isSecretsEnd(bytes: Uint8Array, from: number, to: number): boolean {
  let letters = 0;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c === 45 || c === 95) continue;
    if (LOWER[c] !== KEY[letters]) return false;
    letters++;
  }
  return letters === 0 || letters === KEY.length;
}
const KEY = Buffer.from("key");

/** Whether a quote, escaped or not, stands here. */
function isClosed(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end && bytes[i] === BACKSLASH) i++;
  return bytes[i] === QUOTE;
}

/** Whether the text around `at` is the value of `name` or `key`. */
function isNamed(bytes: Uint8Array, at: number, start: number): boolean {
  let i = at - 1;
  while (i > start && at - i <= KEY_CHARS * 3 && bytes[i] !== QUOTE) i--;
  if (bytes[i] !== QUOTE) return false;
  while (i > start && AROUND[bytes[i]!] === 1) i--;
  if (bytes[i] !== COLON) return false;
  i--;
  while (i > start && AROUND[bytes[i]!] === 1) i--;
  return bytes[i + 1] !== COLON && (endsWith(bytes, i + 1, "name") || endsWith(bytes, i + 1, "key"));
}

/** After quotes, backslashes and white space, which is escaped in JSON within JSON. */
function skipAround(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  for (; i < end; i++) {
    const c = bytes[i]!;
    if (AROUND[c] === 1) continue;
    if ((c !== 110 && c !== 114 && c !== 116) || i === at || bytes[i - 1] !== BACKSLASH) break;
  }
  return i;
}

/** Whether nothing is between the quote at `at` and the next, which is escaped as deeply, and nothing is right after. */
function isEmpty(bytes: Uint8Array, from: number, at: number, end: number): boolean {
  let close = at + 1;
  for (let i = at; i > from && bytes[i - 1] === BACKSLASH; i--)
    if (bytes[close++] !== BACKSLASH) return false;
  if (bytes[close] !== bytes[at]) return false;
  const next = bytes[close + 1]!;
  return close + 1 >= end || (TOKEN[next] === 0 && QUOTES[next] === 0);
}

/** Whether the number here has four digits or an exponent. */
function isLongNumber(bytes: Uint8Array, at: number, end: number): boolean {
  let digits = 0;
  for (let i = at; i < end; i++) {
    const c = bytes[i]!;
    if (c > 47 && c < 58) digits++;
    else if ((c | 32) === 101) return digits > 0;
    else if (c !== 43 && c !== 45 && c !== 46) break;
  }
  return digits > 3;
}

const VALUE_CHARS_MIN = 6;
const VALUE_CHARS_MAX = 300;
const SCHEME_CHARS_MAX = 9;
/** Whether an unquoted value begins here that has a digit and a letter, or a sign, as far as it may take. */
function isRandom(bytes: Uint8Array, at: number, end: number, scheme: boolean): boolean {
  const last = Math.min(end, at + VALUE_CHARS_MAX);
  let digit = false;
  let letter = false;
  for (let i = at; i < last; i++) {
    const c = bytes[i]!;
    if (c > 47 && c < 58) digit = true;
    else if (WORD[c] === 1) letter ||= c !== 95;
    else if (SIGN[c] === 1) digit = letter = true;
    else if (TOKEN[c] === 0 && !(scheme && c === SPACE && i - at <= SCHEME_CHARS_MAX)) return false;
    if (digit && letter && i - at >= VALUE_CHARS_MIN - 1) return true;
  }
  return false;
}
