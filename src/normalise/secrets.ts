// What secrets look like: the table of shapes compiled, and the index by which text and bytes are searched for their
// keywords. Both searches use one table, so what the prefilter passes over the redactor would not find either.
// Replaces nothing and reads no events.
import { SECRET_KEYS, SECRET_SHAPES, type SecretShape } from "../core/generated/secrets.ts";

export interface Rule {
  readonly id: string;
  readonly shape: SecretShape;
  /** Sticky. Every repetition is bounded, none is nested, neighbours are disjoint: time is bounded by the pattern. */
  readonly pattern: RegExp;
  readonly before: RegExp | undefined;
  /** Sticky, up to the quote that opens a value: its backslashes and itself are the groups. */
  readonly opening: RegExp | undefined;
}

export const RULES: readonly Rule[] = SECRET_SHAPES.map((shape) => ({
  id: shape.id,
  shape,
  pattern: new RegExp(shape.pattern, shape.fold ? "iy" : "y"),
  before: shape.before === undefined ? undefined : new RegExp(`(?:${shape.before})$`),
  opening:
    shape.opening === undefined
      ? undefined
      : new RegExp(`${shape.opening}(\\\\{0,7})(["'\`])`, shape.fold ? "iy" : "y"),
}));

/** One keyword as it is searched for. */
export interface Literal {
  readonly rule: Rule;
  /** Character codes, in lower case when `fold`. */
  readonly codes: Uint8Array;
  readonly fold: boolean;
  /** Place of its rarest three characters. */
  readonly rare: number;
}
/** A place in a literal at which a pair of characters was found. */
export interface Candidate {
  readonly literal: Literal;
  readonly offset: number;
}

/** Lower case of ASCII, everything else as it is. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, c) => (c >= 65 && c <= 90 ? c + 32 : c));

function variants(code: number, fold: boolean): number[] {
  const upper = String.fromCharCode(code).toUpperCase().charCodeAt(0);
  return fold && upper !== code ? [code, upper] : [code];
}

export const LITERALS: readonly Literal[] = RULES.flatMap((rule) =>
  rule.shape.keywords.map((keyword, i) => {
    const text = rule.shape.fold ? keyword.toLowerCase() : keyword;
    const codes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    return { rule, codes, fold: rule.shape.fold, rare: rule.shape.rare[i]! };
  }),
);

/**
 * Pairs of characters (first | second << 8) → candidates. Two neighbouring pairs of each literal are in it, so that a
 * search that looks at every second pair only, whichever, meets one of them.
 */
function indexPairs(literals: readonly Literal[]): Map<number, Candidate[]> {
  const pairs = new Map<number, Candidate[]>();
  for (const literal of literals) {
    for (const offset of [literal.rare, literal.rare + 1]) {
      for (const a of variants(literal.codes[offset]!, literal.fold)) {
        for (const b of variants(literal.codes[offset + 1]!, literal.fold)) {
          const pair = a | (b << 8);
          const list = pairs.get(pair) ?? [];
          list.push({ literal, offset });
          pairs.set(pair, list);
        }
      }
    }
  }
  return pairs;
}

export const PAIRS: ReadonlyMap<number, readonly Candidate[]> = indexPairs(LITERALS);
/** Pair → 1 when a candidate has it. */
export const PAIR_TABLE = new Uint8Array(65_536);
for (const pair of PAIRS.keys()) PAIR_TABLE[pair] = 1;

const ENDS: readonly string[] = SECRET_KEYS.ends;
const ARE: readonly string[] = SECRET_KEYS.are;
const KEY_CHARS_MAX = 64;
/** How a key ends that the prefilter sees; `[-_]*` is bounded by the key. */
const SEEN = new RegExp(
  `(?:${RULES.filter((rule) => rule.shape.check === "assign" || rule.shape.check === "scheme")
    .flatMap((rule) => rule.shape.keywords)
    .join("|")})[-_]*(?:k[-_]*e[-_]*y[-_]*)?$`,
  "i",
);
/** Whether the text value of this key of an object is a secret whatever it looks like. */
export function isSecretKey(key: string): boolean {
  if (key.length > KEY_CHARS_MAX || key.length < 5) return false;
  const plain = key.toLowerCase().replace(/[-_]/g, "");
  if (ARE.includes(plain)) return SEEN.test(key);
  for (let i = 0; i < ENDS.length; i++) if (plain.endsWith(ENDS[i]!)) return SEEN.test(key);
  return false;
}

const counts = new Uint32Array(256);
/** Bits per character; characters are told apart by their low byte. */
export function entropyOf(text: string): number {
  counts.fill(0);
  for (let i = 0; i < text.length; i++) counts[text.charCodeAt(i) & 0xff]!++;
  let bits = 0;
  for (let c = 0; c < counts.length; c++) {
    const share = counts[c]! / text.length;
    if (share > 0) bits -= share * Math.log2(share);
  }
  return bits;
}

// Whole forms, so that no password is one for how it begins. Variables in lower case are named for what they hold.
const PLACEHOLDER = new RegExp(
  `^(?:${[
    String.raw`\$\{[^{}]*\}`,
    String.raw`\$\{\{[^{}]*\}\}`,
    String.raw`\$\([^()]*\)`,
    String.raw`\$[A-Z_][A-Z0-9_]*`,
    String.raw`\$env:\w+`,
    String.raw`\$[a-z_]{0,40}(?:pass|pw|secret|token|key)[a-z_]{0,40}`,
    String.raw`\{\{[^{}]*\}\}`,
    String.raw`<[A-Za-z][\w .:/-]*>`,
    "[*.xX]{3,}",
    String.raw`%\w+%`,
    "[Yy][Oo][Uu][Rr][A-Za-z_-]+",
    "(?:[Nn]ull|NULL|[Nn]one|nil|[Tt]rue|[Ff]alse|undefined|[Ss]tring|str|[Nn]umber|[Bb]oolean|[Oo]bject|[Rr]equired|[Oo]ptional)[,;:?!|]?",
  ].join("|")})$|^\\[REDACTED:[\\w-]+:\\w+\\]`,
);
const CODE = /^[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)+$/;

const URL_START = /^https?:\/\//i;

/** Whether a value stands for a secret rather than being one. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}

/** Whether a value looks chosen at random, not written as code or prose. */
export function looksRandom(value: string, symbols: boolean): boolean {
  if (isPlaceholder(value) || CODE.test(value) || URL_START.test(value)) return false;
  if (/\d/.test(value)) return /[A-Za-z]/.test(value);
  return symbols && /[!@#$%^&*+?]/.test(value);
}

const USER_PASSWORD = /^[\x20-\x7e]+:[\x20-\x7e]*$/;
/** Whether base64 text is `user:password`. */
export function isUserPassword(base64: string): boolean {
  return USER_PASSWORD.test(Buffer.from(base64, "base64").toString("latin1"));
}
