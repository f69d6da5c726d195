// An entry of the ledger as the document that sinks write: its bytes, with event.sequence and event.hash spliced in
// before the closing braces. Pure.
import type { EntryBatch } from "../core/stage.ts";

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const SEQUENCE = ascii(',"sequence":');
const HASH = ascii(',"hash":"sha256:');
const HEX = ascii("0123456789abcdef");
const QUOTE = 0x22;
const BRACE = 0x7d;
const NEWLINE = 0x0a;

/** Most bytes that a document has more than its entry. */
export const SPLICED_BYTES = SEQUENCE.length + 16 + HASH.length + 64 + 1;

/** Writes the entry at [start, end) of `run` as a document to `out` at `to`, and returns where it ends. The entry
 * ends with its event group, so with two braces. `hash` is where its 32 bytes begin in `hashes`. */
export function writeDocument(
  run: Buffer,
  start: number,
  end: number,
  index: number,
  hashes: Uint8Array,
  hash: number,
  out: Buffer,
  to: number,
): number {
  to += run.copy(out, to, start, end - 2);
  for (let k = 0; k < SEQUENCE.length; k++) out[to++] = SEQUENCE[k]!;
  let digits = 1;
  for (let rest = index; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = index;
  for (let k = to + digits - 1; k >= to; k--) {
    const next = Math.floor(rest / 10);
    out[k] = 0x30 + (rest - next * 10);
    rest = next;
  }
  to += digits;
  for (let k = 0; k < HASH.length; k++) out[to++] = HASH[k]!;
  for (let k = 0; k < 32; k++) {
    const byte = hashes[hash + k]!;
    out[to++] = HEX[byte >> 4]!;
    out[to++] = HEX[byte & 15]!;
  }
  out[to++] = QUOTE;
  out[to++] = BRACE;
  out[to++] = BRACE;
  return to;
}

/** The documents of a batch from position `from` on, each with its newline. */
export function documentLines(batch: EntryBatch, from = 0): Buffer {
  const { run, hashes, first, count } = batch;
  const source = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
  const bytes = Buffer.allocUnsafe(run.length + (count - from) * (SPLICED_BYTES + 1));
  let to = 0;
  let at = 0;
  for (let position = 0; position < count; position++) {
    const start = at + 2;
    const end = start + ((run[at]! << 8) | run[at + 1]!);
    if (position >= from) {
      to = writeDocument(source, start, end, first + position, hashes, position * 32, bytes, to);
      bytes[to++] = NEWLINE;
    }
    at = end;
  }
  return bytes.subarray(0, to);
}
