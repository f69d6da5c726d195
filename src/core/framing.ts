// Where records end. Most streams hold one a line. Some hold JSON objects printed over several lines, back to back:
// such a block ends with the first line that is neither indented nor its opening brace. Pure.

/** `message`: a segment is one record, line ends and all, and its offset is the record's place, not in bytes. */
export type Framing = "line" | "block" | "message";

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const OPEN = 123;
const CLOSE = 125;
const BOM = [0xef, 0xbb, 0xbf] as const;

/** Length of the byte order mark that the bytes begin with: 0 or 3. */
export function bomLength(bytes: Uint8Array): number {
  return BOM.every((byte, i) => bytes[i] === byte) ? BOM.length : 0;
}

/** How the records of a stream end, told by its first bytes: a line with an opening brace alone is no record. */
export function framingOf(head: Uint8Array): Framing {
  return opens(head, bomLength(head), head.length) ? "block" : "line";
}

/** Whether the line that begins at `at` is an opening brace alone. */
function opens(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== OPEN || at + 1 >= end) return false;
  return bytes[at + 1] === NEWLINE || (bytes[at + 1] === RETURN && bytes[at + 2] === NEWLINE);
}

/** Whether a block ends with the line that begins at `at`. Lines that are whole records do, whatever they hold. */
function closes(bytes: Uint8Array, at: number, end: number): boolean {
  const c = bytes[at]!;
  return c !== SPACE && c !== TAB && c !== NEWLINE && c !== RETURN && !opens(bytes, at, end);
}

/** End of the first block of [start, end), its line end included; -1 when none ends there. */
export function blockEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end;) {
    const next = bytes.indexOf(NEWLINE, at);
    if (next < 0 || next >= end) return -1;
    if (closes(bytes, at, end)) return next + 1;
    at = next + 1;
  }
  return -1;
}

/** End of the last block that ends in [start, end), its line end included; `start` when none does. */
export function lastBlockEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let to = end; to > start;) {
    const last = bytes.lastIndexOf(NEWLINE, to - 1);
    if (last < start) return start;
    const before = last === start ? -1 : bytes.lastIndexOf(NEWLINE, last - 1);
    const at = before < start ? start : before + 1;
    if (closes(bytes, at, last + 1)) return last + 1;
    to = at;
  }
  return start;
}

/** For a block that is longer than what is read at once: the end of the first line that closes one, and how many bytes
 * need not be looked at again when there is none (`end` is -1 then). The bytes may begin within a line. */
export function closingEnd(bytes: Uint8Array): { readonly end: number; readonly seen: number } {
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (at + 1 === bytes.length) return { end: -1, seen: at };
    if (bytes[at + 1] !== CLOSE) continue;
    const next = bytes.indexOf(NEWLINE, at + 1);
    return next < 0 ? { end: -1, seen: at } : { end: next + 1, seen: next };
  }
  return { end: -1, seen: bytes.length };
}
