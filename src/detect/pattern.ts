// Sigma strings: wildcards, escapes and placeholders, and matchers for them. Time to match is at most text times
// pattern, whatever either holds. Knows nothing of events; letter case is the caller's business.

export const ANY = 0; // *
export const ONE = 1; // ?
export const DASH = 2; // any of the dashes that Windows programs take
export interface Placeholder {
  readonly placeholder: string;
}
export type Part = string | typeof ANY | typeof ONE | typeof DASH;
export type Text = readonly Part[];

const PLACEHOLDER = /%([\w.-]+)%/y;

/** Reads a Sigma string. A backslash escapes `*`, `?` and itself (and `%` with placeholders), else stands for itself. */
export function parseText(source: string, placeholders = false): (Part | Placeholder)[] {
  const parts: (Part | Placeholder)[] = [];
  let literal = "";
  const push = (part: Part | Placeholder): void => {
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push(part);
  };
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    if (c === "\\") {
      const next = source[i + 1];
      if (next === "*" || next === "?" || next === "\\" || (placeholders && next === "%")) {
        literal += next;
        i++;
      } else literal += c;
    } else if (c === "*") push(ANY);
    else if (c === "?") push(ONE);
    else if (c === "%" && placeholders) {
      PLACEHOLDER.lastIndex = i;
      const m = PLACEHOLDER.exec(source);
      if (m === null) literal += c;
      else {
        push({ placeholder: m[1]! });
        i += m[0].length - 1;
      }
    } else literal += c;
  }
  if (literal !== "") parts.push(literal);
  return parts;
}

/** Literals that touch are joined, and runs of `*` are one. */
export function simplify(text: Text): Part[] {
  const out: Part[] = [];
  for (const part of text) {
    const last = out[out.length - 1];
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else if (part !== "" && !(part === ANY && last === ANY)) out.push(part);
  }
  return out;
}

/** The text as a plain string, or undefined when it has wildcards. */
export function plain(text: Text): string | undefined {
  if (text.length === 0) return "";
  return text.length === 1 && typeof text[0] === "string" ? text[0] : undefined;
}

/** Every switch character that starts a word (at most 16) becomes any dash: `-a /b` also matches `–a ―b`. */
export function windash(text: Text): Part[] {
  const out: Part[] = [];
  for (const part of text) {
    if (typeof part !== "string") {
      out.push(part);
      continue;
    }
    let from = 0;
    for (const m of part.matchAll(/(?<!\w)[-/–—―](?=\w)/gu)) {
      out.push(part.slice(from, m.index), DASH);
      from = m.index + m[0].length;
    }
    out.push(part.slice(from));
  }
  return simplify(out);
}

/** A text that is one literal which a value is, starts or ends with, or holds. */
export function anchored(
  source: Text,
): { where: "is" | "starts" | "ends" | "holds"; literal: string } | undefined {
  const text = simplify(source);
  const literal = text.find((part) => typeof part === "string") ?? "";
  const rest = text.filter((part) => typeof part !== "string");
  if (text.length - rest.length > 1 || rest.some((part) => part !== ANY)) return undefined;
  if (rest.length === 0) return { where: "is", literal };
  if (literal === "") return undefined;
  if (rest.length === 2) return { where: "holds", literal };
  return { where: text[0] === ANY ? "ends" : "starts", literal };
}

/** Longest run of ASCII in the text that every match must hold, lower case; undefined when shorter than `least`. */
export function necessary(text: Text, least: number): string | undefined {
  let best = "";
  for (const part of text) {
    if (typeof part !== "string") continue;
    for (const run of part.match(/[\0-\x7f]+/g) ?? []) if (run.length > best.length) best = run;
  }
  return best.length >= least ? best.toLowerCase() : undefined;
}

/** Where a pattern first matches a text, or -1. For `contains` the place of the text, else of the whole match. */
export type Find = (text: string) => number;

/** A matcher for a text that is not plain, or is `contains` and the like by its wildcards. */
export function finder(source: Text): Find {
  const text = simplify(source);
  const [a, b, c] = text;
  if (text.length === 1 && a === ANY) return () => 0;
  if (text.length === 3 && a === ANY && typeof b === "string" && c === ANY) return (t) => t.indexOf(b);
  if (text.length === 2 && typeof a === "string" && b === ANY) return (t) => (t.startsWith(a) ? 0 : -1);
  if (text.length === 2 && a === ANY && typeof b === "string") {
    return (t) => (t.endsWith(b) ? t.length - b.length : -1);
  }
  return glob(text);
}

function glob(text: Text): Find {
  const segments: Part[][] = [[]];
  for (const part of text) {
    if (part === ANY) segments.push([]);
    else segments[segments.length - 1]!.push(part);
  }
  const first = segments.shift()!;
  const last = segments.pop();
  return (t) => {
    let at = forward(first, t, 0);
    if (at < 0) return -1;
    if (last === undefined) return at === t.length ? 0 : -1;
    const tail = backward(last, t, t.length);
    if (tail < at) return -1;
    let place = first.length > 0 ? 0 : -1;
    for (const segment of segments) {
      let start = at;
      let end = -1;
      // Leftmost is enough: whatever follows can only have more room.
      for (; start <= tail; start++) {
        if (typeof segment[0] === "string") start = t.indexOf(segment[0], start);
        if (start < 0 || start > tail) return -1;
        if (splitsPair(t, start)) continue;
        end = forward(segment, t, start);
        if (end >= 0) break;
      }
      if (end < 0 || end > tail) return -1;
      if (place < 0) place = start;
      at = end;
    }
    return place < 0 ? tail : place;
  };
}

/** Whether `at` is between the halves of one code point. */
function splitsPair(t: string, at: number): boolean {
  return at > 0 && t.codePointAt(at - 1)! > 0xffff;
}

function isDash(code: number): boolean {
  return code === 0x2d || code === 0x2f || code === 0x2013 || code === 0x2014 || code === 0x2015;
}

/** End of a segment that begins at `at`, or -1. `?` takes one code point. */
function forward(segment: readonly Part[], t: string, at: number): number {
  for (const part of segment) {
    if (typeof part === "string") {
      if (!t.startsWith(part, at)) return -1;
      at += part.length;
    } else {
      if (at >= t.length || (part === DASH && !isDash(t.charCodeAt(at)))) return -1;
      at += part === ONE && t.codePointAt(at)! > 0xffff ? 2 : 1;
    }
  }
  return at;
}

/** Start of a segment that ends at `end`, or -1. */
function backward(segment: readonly Part[], t: string, end: number): number {
  for (let i = segment.length - 1; i >= 0; i--) {
    const part = segment[i]!;
    if (typeof part === "string") {
      if (!t.endsWith(part, end)) return -1;
      end -= part.length;
    } else {
      if (end <= 0 || (part === DASH && !isDash(t.charCodeAt(end - 1)))) return -1;
      end -= part === ONE && end > 1 && t.codePointAt(end - 2)! > 0xffff ? 2 : 1;
    }
    if (end < 0) return -1;
  }
  return end;
}
