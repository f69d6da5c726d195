// The longest run of base64 or hex characters in a text. Skips ahead by the least length that counts, so that prose
// costs a look at every 64th character or so.
import { LIMITS } from "../core/limits.ts";

/** A run found so far: text.slice(start, start + length). */
export interface Run {
  start: number;
  length: number;
  text: string;
}

const ALPHABET = new Uint8Array(128);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")
  ALPHABET[c.charCodeAt(0)] = 1;
const DIGIT_OR_UPPER = /[0-9A-Z]/;

/** Makes `run` the longest run of `text` when that is longer, and at least LIMITS.encoded_run_chars. */
export function longestRun(text: string, run: Run): void {
  let least = Math.max(LIMITS.encoded_run_chars, run.length + 1);
  let from = 0;
  while (from + least <= text.length) {
    // A run of `least` from `from` or later must cover this place.
    let end = from + least - 1;
    let start = end;
    while (start >= from && isEncoded(text.charCodeAt(start))) start--;
    if (start >= from) {
      from = start + 1;
      continue;
    }
    while (end < text.length && isEncoded(text.charCodeAt(end))) end++;
    if (isMixed(text, from, end)) {
      run.start = from;
      run.length = end - from;
      run.text = text;
      least = run.length + 1;
    }
    from = end + 1;
  }
}

function isEncoded(code: number): boolean {
  return code < 128 && ALPHABET[code] === 1;
}

/** Paths and rules of dashes are long runs too: a run has digits or capitals among its first, and few slashes. */
function isMixed(text: string, start: number, end: number): boolean {
  const part = text.slice(start, Math.min(end, start + LIMITS.encoded_run_chars));
  if (!DIGIT_OR_UPPER.test(part)) return false;
  let marks = 0;
  for (let i = 0; i < part.length; i++) {
    const c = part.charCodeAt(i);
    if (c === 47 || c === 45 || c === 95 || c === 61) marks++;
  }
  return marks * 10 < part.length;
}
