// Entries as bytes: a run of `uint16 big-endian length, entry`, which is the C2SP entry bundle format, so that
// what a worker writes is what the ledger keeps and what a sink reads. Knows nothing of events.
import { hash } from "node:crypto";
import assert from "node:assert";

/** Calls `visit` with the place of each entry in a run. */
export function forEachEntry(
  run: Uint8Array,
  visit: (start: number, end: number, position: number) => void,
): void {
  let at = 0;
  let position = 0;
  while (at < run.length) {
    const start = at + 2;
    const end = start + ((run[at]! << 8) | run[at + 1]!);
    assert(end <= run.length, "an entry ends within its run");
    visit(start, end, position++);
    at = end;
  }
}

/** Leaf hash of RFC 6962, SHA-256(0x00 ‖ entry), of the entry at [start, end) of a run, as 32 latin1 characters.
 * The byte before the entry (its length) is 0x00 while the hash is taken, which spares a copy. */
export function leafHash(run: Uint8Array, start: number, end: number): string {
  const low = run[start - 1]!;
  run[start - 1] = 0;
  const digest = hash("sha256", run.subarray(start - 1, end), "binary");
  run[start - 1] = low;
  return digest;
}

/** Leaf hash of an entry that stands alone. */
export function leafHashOf(entry: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(entry.length + 1);
  bytes.set(entry, 1);
  return hash("sha256", bytes, "buffer");
}
