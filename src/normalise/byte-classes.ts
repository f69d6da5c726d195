// Classes of bytes for what the prefilter asks of a place in raw JSON.
import { LOWER } from "./secrets.ts";

export const SPACE = 32;
export const QUOTE = 34;
export const SLASH = 47;
export const COLON = 58;
export const AT = 64;
export const BACKSLASH = 92;
export const LETTER_U = 117;

const none = (): Uint8Array => new Uint8Array(256);
/** 1: letters, digits and _. */
export const WORD = none();
/** 1: what a token or password may hold, unquoted; backslashes too, since slashes may be escaped. Beyond ASCII all may. */
export const TOKEN = none();
/** 1: quotes. */
export const QUOTES = none();
/** 1: quotes, backslashes and white space around an assignment. */
export const AROUND = none();
/** 1: signs that prose does not have within words. */
export const SIGN = none();
/** 1: what neither the user nor the password of a URL may hold, except for backslashes. */
export const NOT_USERINFO = none();
for (let c = 0; c < 256; c++) {
  const char = String.fromCharCode(c);
  const white = c === SPACE || (c > 8 && c < 14);
  if (c < 128 && /\w/.test(char)) WORD[c] = 1;
  if (/["'`]/.test(char)) QUOTES[c] = 1;
  if (/[!@#$%^&*+?]/.test(char)) SIGN[c] = 1;
  if (!white && !/["'`,;&<>(){}[\]]/.test(char)) TOKEN[c] = 1;
  if (white || /["'`\\]/.test(char)) AROUND[c] = 1;
  if (white || /[/?#"'<>]/.test(char)) NOT_USERINFO[c] = 1;
}

/** Whether keys go on with this byte: letters, digits, _ - and full stops. */
export function isKeyByte(c: number): boolean {
  return WORD[c] === 1 || c === 45 || c === 46;
}

/** Whether a word (lower case) stands right before `at`, in any case. */
export function endsWith(bytes: Uint8Array, at: number, word: string): boolean {
  const from = at - word.length;
  if (from < 0) return false;
  for (let i = 0; i < word.length; i++) if (LOWER[bytes[from + i]!] !== word.charCodeAt(i)) return false;
  return true;
}
