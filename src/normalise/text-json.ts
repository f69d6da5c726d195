// Records as JSON text, also where it is not quite what it should be: values glued together on one line.
import { parseExact } from "../core/numbers.ts";

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
