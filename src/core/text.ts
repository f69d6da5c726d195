// Strings and JSON on the hot path: quoting, and arrays that are written often. Knows nothing of events.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

// Everything that JSON.stringify would escape: quote, backslash, control characters, surrogates.
// oxlint-disable-next-line no-control-regex
const SPECIAL = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

/** `head`, which ends with the opening quote, and the text as the rest of a JSON string. Most text needs no escape, and a
 * test is cheaper than a copy. */
export function quotedAfter(head: string, text: string): string {
  return SPECIAL.test(text) ? head + JSON.stringify(text).slice(1) : head + text + '"';
}

// Tag arrays are constants that every event of a class shares: their JSON is made once, by identity.
const written = new WeakMap<readonly string[], string>();

/** An array of strings as JSON; arrays marked by `constant` are written once and remembered. */
export function strings(list: readonly string[]): string {
  return written.get(list) ?? JSON.stringify(list);
}

/** Marks an array that never changes, so that `strings` remembers its JSON. */
export function constant(list: readonly string[]): readonly string[] {
  if (!written.has(list)) written.set(list, JSON.stringify(list));
  return list;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Deepest nesting of arrays and objects in JSON bytes [start, end). Does not check that they match. */
export function depthOf(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === 123 || c === 91) deepest = Math.max(deepest, ++depth);
    else if (c === 125 || c === 93) depth--;
  }
  return deepest;
}
