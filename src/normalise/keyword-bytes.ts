// Whether bytes of a record hold a keyword of a secret, followed by what may be one. Looks at raw JSON, so escapes are
// still in it, those of JSON within JSON too: says yes too often rather than too seldom.
import { isAssigned } from "./assigned-bytes.ts";
import {
  AROUND,
  AT,
  BACKSLASH,
  COLON,
  LETTER_U,
  NOT_USERINFO,
  SPACE,
  TOKEN,
  WORD,
  endsWith,
  isKeyByte,
} from "./byte-classes.ts";
import { type Literal, LOWER } from "./secrets.ts";

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
    if (bytes[at - 2] !== BACKSLASH && (bytes[at - 6] !== BACKSLASH || bytes[at - 5] !== LETTER_U))
      return false;
  }
  for (let i = 0; i < shape.not.length; i++) if (endsWith(bytes, after, shape.not[i]!)) return false;
  if (shape.check === "assign") return isAssigned(bytes, at, after, start, end, false);
  if (shape.check === "scheme") return isAssigned(bytes, at, after, start, end, true);
  if (shape.check === "userinfo") return hasUserinfo(bytes, after, end);
  if (shape.check === "login") return hasLogin(bytes, after, end);
  return hasTail(bytes, codes.at(-1) === SPACE ? afterSpaces(bytes, after) : after, end, shape.tail);
}

/** After two more spaces at most. */
function afterSpaces(bytes: Uint8Array, at: number): number {
  return bytes[at] !== SPACE ? at : bytes[at + 1] !== SPACE ? at + 1 : at + 2;
}

/** At least `tail` token characters. */
function hasTail(bytes: Uint8Array, at: number, end: number, tail: number): boolean {
  if (at + tail > end) return false;
  for (let i = at; i < at + tail; i++) if (TOKEN[bytes[i]!] === 0) return false;
  return true;
}

const LOGIN_CHARS = 100;
/** `user:`, which may be quoted. */
function hasLogin(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end && bytes[i] !== SPACE && AROUND[bytes[i]!] === 1) i++;
  const from = i;
  while (i < end && i - from < LOGIN_CHARS && (isKeyByte(bytes[i]!) || bytes[i] === AT)) i++;
  return i > from && bytes[i] === COLON;
}

/** `user:password@` before the path begins. It ends at the next slash, so that no byte is looked at twice. */
export function hasUserinfo(bytes: Uint8Array, at: number, end: number): boolean {
  let colon = false;
  for (let i = at; i < end; i++) {
    const c = bytes[i]!;
    if (c === COLON) colon = true;
    else if (c === AT) return colon;
    else if (NOT_USERINFO[c] === 1) return false;
    // An escape `\u` may be any character, the other escapes are none that it may hold.
    else if (c === BACKSLASH && bytes[i + 1] !== BACKSLASH && bytes[i + 1] !== LETTER_U) return false;
  }
  return false;
}
