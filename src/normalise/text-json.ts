// Records as JSON text, also where it is not quite what it should be: how deep it nests, and values glued together on one line.
import { parseExact } from "./numbers.ts";

const QUOTE = 34;
const BACKSLASH = 92;

let reason = "";

/** The value of a JSON text, `exactly` with the numbers that a double cannot hold as text; undefined for what is no
 * JSON: parsers report by throwing. */
export function parseRecord(text: string, exactly: boolean): unknown {
  try {
    return exactly ? parseExact(text) : JSON.parse(text);
  } catch (error) {
    // The message of V8 quotes the text; the reason is what comes before.
    reason = (error as Error).message.replace(/,? ?(?:"|\.\.\.|'|in JSON).*$/s, "");
    return undefined;
  }
}

/** Why the last text that `parseRecord` refused is no JSON, without any of the text. */
export function whyNot(): string {
  return reason;
}

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

/** The values of a line that holds two or more JSON objects in a row, or undefined when it is anything else. */
export function splitGlued(text: string): unknown[] | undefined {
  const values: unknown[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === 123) depth++;
    else if (c === 125 && --depth === 0) {
      const value = parseRecord(text.slice(start, i + 1), true);
      if (value === undefined) return undefined;
      values.push(value);
      start = i + 1;
    }
  }
  return values.length > 1 && text.slice(start).trim() === "" ? values : undefined;
}
