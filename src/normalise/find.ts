// Finds secrets in one text: keywords by the table of pairs, then each rule's pattern at its keyword. Knows no events.
// Time is linear: every pattern looks at a bounded number of characters from its keyword.
import {
  type Literal,
  LOWER,
  PAIRS,
  PAIR_TABLE,
  type Rule,
  entropyOf,
  isPlaceholder,
  isUserPassword,
  looksRandom,
} from "./secrets.ts";

/** The secret is text.slice(start, end). */
export interface Found {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

const BACKSLASH = 92;
const BEFORE_CHARS = 160;
const NEEDS_CHARS = 400;
const UNTIL_CHARS = 16_384;
/** A match this long may have been cut by a pattern's bound: the token's rest goes with it. */
const LONG_CHARS = 200;

/** Secrets of a text, in order, none overlapping. */
export function findSecrets(text: string): readonly Found[] {
  let specific: Found[] | undefined;
  let gated: { rule: Rule; at: number }[] | undefined;
  let done = 0;
  for (let i = 0; i + 1 < text.length; i += 2) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    if ((a | b) > 255 || PAIR_TABLE[a | (b << 8)] === 0) continue;
    const candidates = PAIRS.get(a | (b << 8))!;
    for (let c = 0; c < candidates.length; c++) {
      const { literal, offset } = candidates[c]!;
      const at = i - offset;
      if (at < done || !isAt(text, at, literal)) continue;
      const rule = literal.rule;
      if (rule.shape.gate !== undefined) {
        gated ??= [];
        gated.push({ rule, at });
        continue;
      }
      const found = match(text, rule, at, done);
      if (found === undefined) continue;
      specific ??= [];
      specific.push(found);
      done = found.end;
    }
  }
  if (gated === undefined) return specific ?? NOTHING;
  return withGated(text, specific ?? [], gated);
}

const NOTHING: readonly Found[] = [];

/** Adds what the rules with a gate find between the others. */
function withGated(
  text: string,
  specific: readonly Found[],
  gated: readonly { rule: Rule; at: number }[],
): readonly Found[] {
  const all = [...specific];
  let done = 0;
  let next = 0;
  for (let i = 0; i < gated.length; i++) {
    const { rule, at } = gated[i]!;
    if (at < done) continue;
    const found = match(text, rule, at, done);
    if (found === undefined) continue;
    while (next < specific.length && specific[next]!.end <= found.start) next++;
    if (next < specific.length && specific[next]!.start < found.end) continue;
    all.push(found);
    done = found.end;
  }
  return all.length === specific.length ? specific : all.toSorted((a, b) => a.start - b.start);
}

function isAt(text: string, at: number, literal: Literal): boolean {
  const codes = literal.codes;
  if (at < 0 || at + codes.length > text.length) return false;
  for (let i = 0; i < codes.length; i++) {
    const c = text.charCodeAt(at + i);
    if (c > 255 || (literal.fold ? LOWER[c] : c) !== codes[i]) return false;
  }
  const { word, not } = literal.rule.shape;
  const end = at + codes.length;
  for (let i = 0; i < not.length; i++) {
    if (text.slice(Math.max(0, end - not[i]!.length), end).toLowerCase() === not[i]) return false;
  }
  return word === false || at === 0 || !follows(text, at, word === "dash");
}

/** Whether a letter, digit or _ stands before `at`, and is not what an escape such as \n ends with. */
function follows(text: string, at: number, dash: boolean): boolean {
  const c = text.charCodeAt(at - 1);
  if (dash && c === 45) return true;
  const word = (c > 47 && c < 58) || (c > 64 && c < 91) || c === 95 || (c > 96 && c < 123);
  return word && !(at > 1 && text.charCodeAt(at - 2) === BACKSLASH);
}

/** What a rule finds at its keyword, not before `from`. */
function match(text: string, rule: Rule, at: number, from: number): Found | undefined {
  const shape = rule.shape;
  if (shape.needs !== undefined && !text.slice(Math.max(0, at - NEEDS_CHARS), at).includes(shape.needs)) {
    return undefined;
  }
  const quoted = rule.opening === undefined ? undefined : quotedValue(text, rule, rule.opening, at);
  if (quoted !== undefined) return quoted;
  const pattern = rule.pattern;
  pattern.lastIndex = at;
  const m = pattern.exec(text);
  if (m === null) return undefined;
  let end = at + m[0].length;
  let start = at;
  if (m[1] !== undefined) {
    start = at + m[0].lastIndexOf(m[1]);
    end = start + m[1].length;
  }
  if (rule.before !== undefined) {
    const before = rule.before.exec(text.slice(Math.max(from, at - BEFORE_CHARS), at));
    if (before === null) return undefined;
    start = at - before[0].length;
  }
  if (!isSecret(text, rule, start, end)) return undefined;
  // Only what is found is extended, so that no character is looked at twice.
  if (shape.until !== undefined) end = throughLine(text, end, shape.until);
  else if (end - start >= LONG_CHARS) while (end < text.length && isToken(text.charCodeAt(end))) end++;
  return { start, end, rule: rule.id };
}

const QUOTED_CHARS_MIN = 6;
const QUOTED_CHARS_MAX = 300;

/** The value from the quote that opens it to the one that closes it, on the same line and near. */
function quotedValue(text: string, rule: Rule, opening: RegExp, at: number): Found | undefined {
  opening.lastIndex = at;
  const m = opening.exec(text);
  if (m === null) return undefined;
  const deep = m[1]!.length;
  const quote = m[2]!.charCodeAt(0);
  const start = at + m[0].length;
  const last = Math.min(text.length, start + QUOTED_CHARS_MAX);
  let slashes = 0;
  for (let i = start; i < last; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) slashes++;
    else if (c === 10 || c === 13) return undefined;
    // As deeply escaped as the first; backslashes of the value come twice as many at a time.
    else if (c === quote && slashes % (2 * (deep + 1)) === deep) {
      const end = i - deep;
      if (end - start < QUOTED_CHARS_MIN || isPlaceholder(text.slice(start, end))) return undefined;
      return { start, end, rule: rule.id };
    } else slashes = 0;
  }
  return undefined;
}

function isSecret(text: string, rule: Rule, start: number, end: number): boolean {
  const { gate, entropy } = rule.shape;
  if (gate === undefined && entropy === 0) return true;
  const secret = text.slice(start, end);
  if (entropy > 0 && entropyOf(secret) < entropy) return false;
  if (gate === "userpass") return isUserPassword(secret);
  if (gate === "assigned") return looksRandom(secret, false);
  if (gate === "given") return isQuoted(text, start) ? !isPlaceholder(secret) : looksRandom(secret, true);
  return true;
}

function isQuoted(text: string, start: number): boolean {
  const c = text.charCodeAt(start - 1);
  return c === 34 || c === 39 || c === 96;
}

function isToken(c: number): boolean {
  return (
    (c > 47 && c < 58) ||
    (c > 64 && c < 91) ||
    (c > 96 && c < 123) ||
    c === 95 ||
    c === 45 ||
    c === 43 ||
    c === 47 ||
    c === 61
  );
}

const BODY = /(?:\s|\\[rn]){0,8}[A-Za-z0-9+/=]{16,100}/y;

/** End of a block that goes on to the line that begins with `until`; without it, of its lines of base64. */
function throughLine(text: string, from: number, until: string): number {
  const near = text.slice(from, from + UNTIL_CHARS);
  const at = near.indexOf(until);
  if (at !== -1) {
    const close = near.indexOf("-----", at + until.length);
    return from + (close === -1 || close - at > 100 ? at + until.length : close + 5);
  }
  let end = from;
  for (;;) {
    BODY.lastIndex = end;
    const m = BODY.exec(text);
    if (m === null) return end;
    end += m[0].length;
  }
}
