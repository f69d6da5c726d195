// Whether bytes of a record hold a keyword of a secret, followed by what may be one. Looks at raw JSON, so escapes are
// still in it: says yes too often rather than too seldom.
import { type Literal, LOWER } from "./secrets.ts";

const QUOTE = 34;
const SLASH = 47;
const COLON = 58;
const BACKSLASH = 92;

/** Whether a keyword stands at `at`, and what follows may be a secret. */
export function isKeyword(
  bytes: Uint8Array,
  literal: Literal,
  at: number,
  start: number,
  end: number,
): boolean {
  const codes = literal.codes;
  const after = at + codes.length;
  if (at < start || after > end) return false;
  if (literal.fold) {
    for (let i = 0; i < codes.length; i++) if (LOWER[bytes[at + i]!] !== codes[i]) return false;
  } else for (let i = 0; i < codes.length; i++) if (bytes[at + i] !== codes[i]) return false;
  const shape = literal.rule.shape;
  if (shape.word !== false && at > start && WORD[bytes[at - 1]!] === 1) {
    // Not when what looks like a letter ends an escape.
    if (bytes[at - 2] !== BACKSLASH && (bytes[at - 6] !== BACKSLASH || bytes[at - 5] !== 117)) return false;
  }
  for (let i = 0; i < shape.not.length; i++) if (endsWith(bytes, at, shape.not[i]!)) return false;
  if (shape.check === "assign") return isAssigned(bytes, after, end);
  if (shape.check === "userinfo") return hasUserinfo(bytes, after, end);
  return hasTail(bytes, after, end, shape.tail);
}

/** Whether a word (lower case) stands right before `at`, in any case. */
function endsWith(bytes: Uint8Array, at: number, word: string): boolean {
  const from = at - word.length;
  if (from < 0) return false;
  for (let i = 0; i < word.length; i++) if (LOWER[bytes[from + i]!] !== word.charCodeAt(i)) return false;
  return true;
}

/** 1: letters, digits and _. */
export const WORD = new Uint8Array(256);
/** 1: what a token or password may hold, unquoted; backslashes too, since slashes may be escaped. */
const TOKEN = new Uint8Array(256);
/** 1: quotes, backslashes and spaces around an assignment. */
const AROUND = new Uint8Array(256);
for (let c = 33; c < 127; c++) {
  const char = String.fromCharCode(c);
  if (/\w/.test(char)) WORD[c] = 1;
  if (!/["'`,;&<>(){}[\]]/.test(char)) TOKEN[c] = 1;
}
for (const char of "\"'`\\ \t") AROUND[char.charCodeAt(0)] = 1;

/** At least `tail` token characters. */
function hasTail(bytes: Uint8Array, at: number, end: number, tail: number): boolean {
  if (at + tail > end) return false;
  for (let i = at; i < at + tail; i++) if (TOKEN[bytes[i]!] === 0) return false;
  return true;
}

const SUFFIX_CHARS = 20;
// Twice what the patterns allow: quotes and backslashes are escaped in JSON.
const AROUND_CHARS = 18;
const VALUE_CHARS_MIN = 4;
const VALUE_CHARS_MAX = 300;
/** `…key" : "value`: the key of an object with text, or an assignment within text of more than a word or number. */
function isAssigned(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end && i - at <= SUFFIX_CHARS && (WORD[bytes[i]!] === 1 || bytes[i] === 45 || bytes[i] === 46))
    i++;
  const key = bytes[i] === QUOTE;
  let from = i;
  while (i < end && i - from < AROUND_CHARS && AROUND[bytes[i]!] === 1) i++;
  if (i >= end || (bytes[i] !== COLON && bytes[i] !== 61)) return false;
  while (i < end && i - from < AROUND_CHARS + 2 && (bytes[i] === COLON || bytes[i] === 61 || bytes[i] === 62))
    i++;
  from = i;
  while (
    i < end &&
    i - from < AROUND_CHARS &&
    bytes[i] !== QUOTE &&
    (AROUND[bytes[i]!] === 1 || bytes[i] === 91)
  )
    i++;
  if (key && bytes[i] === QUOTE) return bytes[i + 1] !== QUOTE;
  while (i < end && i - from < AROUND_CHARS && AROUND[bytes[i]!] === 1) i++;
  const quoted = bytes[i - 1] === QUOTE;
  from = i;
  let random = quoted;
  while (i < end && i - from < VALUE_CHARS_MAX && TOKEN[bytes[i]!] === 1) {
    if (bytes[i]! < 48 || bytes[i]! > 57) random ||= i - from >= VALUE_CHARS_MIN;
    i++;
  }
  return random && i - from >= VALUE_CHARS_MIN;
}

/** `user:password@` before the path begins. */
export function hasUserinfo(bytes: Uint8Array, at: number, end: number): boolean {
  let colon = false;
  for (let i = at; i < end && i - at < 420; i++) {
    const c = bytes[i]!;
    if (c === COLON) colon = true;
    else if (c === 64) return colon;
    else if (TOKEN[c] === 0 && c < 127) return false;
    else if (c === SLASH || c === BACKSLASH) return false;
  }
  return false;
}
