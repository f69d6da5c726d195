// Characters that a reader does not see or that change what he sees: which code points, which bytes, what to call them.

const TEXT_FLAGS = ["invisible", "bidi", "tags_block", "ansi", "control"] as const;
const INVISIBLE = 1;
const BIDI = 2;
const TAGS = 4;
const ANSI = 8;
const CONTROL = 16;

/** First two bytes of the UTF-8 of unusual characters beyond U+07FF. */
export const HIDDEN_LEADS: readonly (readonly [number, number])[] = [
  [0xe1, 0xa0],
  [0xe2, 0x80],
  [0xe2, 0x81],
  [0xef, 0xbb],
  [0xf3, 0xa0],
];

/** Whether three bytes of UTF-8 are, or begin, an unusual character beyond U+07FF. */
export function isHidden(a: number, b: number, c: number): boolean {
  if (a === 0xe2)
    return (
      (b === 0x80 && ((c >= 0x8b && c <= 0x8f) || (c >= 0xaa && c <= 0xae))) || (b === 0x81 && c >= 0xa0)
    );
  if (a === 0xef) return b === 0xbb && c === 0xbf;
  if (a === 0xf3) return b === 0xa0 && c >= 0x80 && c < 0x88;
  return a === 0xe1 && b === 0xa0 && c === 0x8e;
}

/** What a UTF-16 code unit is, as bits; 0 for almost all. */
function kindOf(code: number): number {
  if (code < 0xa0) {
    if (code === 0x1b || code === 0x9b) return ANSI;
    if (code >= 0x80) return CONTROL;
    return code < 32 && code !== 9 && code !== 10 && code !== 13 && code !== 8 && code !== 12 ? CONTROL : 0;
  }
  if (code === 0xad || code === 0x180e || code === 0xfeff) return INVISIBLE;
  if (code < 0x200b || code > 0x206f) return code === 0xdb40 ? TAGS : 0;
  if (code <= 0x200d) return INVISIBLE;
  if (code <= 0x200f || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return BIDI;
  return code >= 0x2060 ? INVISIBLE : 0;
}

/** Whether a UTF-16 code unit that stands as an escape is, or begins, an unusual character; or a surrogate, which may
 * be alone. */
export function isUnusualCode(code: number): boolean {
  return kindOf(code) !== 0 || (code >= 0xd800 && code < 0xe000);
}

/** Bits of all unusual characters of a text. */
export function unusualBits(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 128 && code > 31) continue;
    // A joiner after a surrogate or a variation selector holds an emoji together.
    if (code === 0x200d && i > 0 && text.charCodeAt(i - 1) >= 0xdc00) continue;
    bits |= kindOf(code);
  }
  return bits;
}

/** Names of bits, in the order of the field table. */
export function flagNames(bits: number): string[] {
  return TEXT_FLAGS.filter((_, i) => (bits & (1 << i)) !== 0);
}
