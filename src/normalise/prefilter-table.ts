// The table of the prefilter: what a pair of bytes in a raw record may be the sign of. Built once, from the keywords of
// secrets and the characters that readers do not see.
import assert from "node:assert";
import { type Candidate, LITERALS, PAIRS } from "./secrets.ts";
import { HIDDEN_LEADS, isHidden } from "./unusual.ts";

const SLASH = 47;
const BACKSLASH = 92;
// Codes of the table: opening brackets in the pair, or something to look at. The sum over a few pairs is below LOOK
// when there are only brackets. From FIRST_GROUP on: candidates of secrets' keywords.
export const LOOK = 16;
export const ESCAPE = 16;
export const HIDDEN = 17;
export const CONTROL = 18;
const SLASHES = 19;
export const FIRST_GROUP = 20;

export const groups: (readonly Candidate[])[] = [];
/** Group and byte → 1 when a keyword has the byte after the pair, 2 when it has it before. */
export const THIRD = new Uint8Array(65_536);
/** Pair (first | second << 8) → code. */
export const TABLE = buildTable();

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
