// Finds keys that an object repeats. JSON.parse keeps the last of them and other parsers the first, so that two readers
// of one line may disagree about what was asked. Looks at the bytes of a line that was parsed: it is valid JSON.

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
/** Longer strings are searched for their end by the runtime. */
const SHORT_BYTES = 48;
/** Objects with more keys are looked at exactly. */
const FEW = 64;
const hashes: number[] = [];
/** Where the hashes of the keys of each open object begin. */
const firsts: number[] = [];

/** A key as readers compare it that do not mind case. */
export function foldedKey(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** Whether an object in the JSON at [start, end) repeats a key. Linear in time. */
export function repeatsKey(bytes: Buffer, start: number, end: number): boolean {
  let depth = 0;
  let count = 0;
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (c === OPEN) firsts[++depth] = count;
    else if (c === CLOSE) count = firsts[depth--]!;
    else if (c === QUOTE) {
      let hash = 0;
      let at = i + 1;
      let plain = true;
      for (; bytes[at] !== QUOTE; at++) {
        if (bytes[at] === BACKSLASH || at - i > SHORT_BYTES) {
          // One key may be written in several ways, with escapes.
          plain = false;
          at = stringEnd(bytes, at);
          break;
        }
        hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
      }
      i = at;
      if (!isKey(bytes, at)) continue;
      if (!plain || count - firsts[depth]! >= FEW) return repeatsExactly(bytes, start, end);
      for (let k = firsts[depth]!; k < count; k++) {
        if (hashes[k] === hash) return repeatsExactly(bytes, start, end);
      }
      hashes[count++] = hash;
    }
  }
  return false;
}

function repeatsExactly(bytes: Buffer, start: number, end: number): boolean {
  const objects: Set<string>[] = [];
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (c === OPEN) objects.push(new Set());
    else if (c === CLOSE) objects.pop();
    else if (c === QUOTE) {
      const from = i;
      i = stringEnd(bytes, i + 1);
      if (!isKey(bytes, i)) continue;
      const key = JSON.parse(bytes.toString("utf8", from, i + 1)) as string;
      const keys = objects.at(-1)!;
      if (keys.has(key)) return true;
      keys.add(key);
    }
  }
  return false;
}

/** Where the quote is that ends a string, looked for from within it, not from behind a backslash. */
function stringEnd(bytes: Buffer, from: number): number {
  let start = from;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, start);
    let slash = quote;
    while (slash > start && bytes[slash - 1] === BACKSLASH) slash--;
    if ((quote - slash) % 2 === 0) return quote;
    start = quote + 1;
  }
}

/** Whether the string whose last quote is at `quote` is a key. */
function isKey(bytes: Buffer, quote: number): boolean {
  let at = quote + 1;
  while (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 9 || bytes[at] === 13) at++;
  return bytes[at] === COLON;
}
