// Names with `*` for any characters. Takes time in proportion to the text, whatever the pattern.

/** Whether the whole text is of the pattern. */
export function matches(pattern: string, text: string): boolean {
  const first = pattern.indexOf("*");
  if (first === -1) return pattern === text;
  const last = pattern.lastIndexOf("*");
  const tail = pattern.slice(last + 1);
  if (text.length < first + tail.length) return false;
  if (!text.startsWith(pattern.slice(0, first)) || !text.endsWith(tail)) return false;
  let at = first;
  const end = text.length - tail.length;
  if (first === last) return true;
  for (const part of pattern.slice(first + 1, last).split("*")) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

export function matchesAny(patterns: readonly string[], text: string): boolean {
  for (const pattern of patterns) if (matches(pattern, text)) return true;
  return false;
}
