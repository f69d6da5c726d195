// The newest entries in memory: what a reader was given stays whole when the frame it came from leaves.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Recent } from "../../src/ledger/recent.ts";

const ENTRY = 60_000;

/** A frame of one entry, in memory of its own, as a Buffer: its `slice` is a view. */
function frame(first: number) {
  const run = Buffer.allocUnsafeSlow(2 + ENTRY).fill(first & 0xff);
  run.writeUInt16BE(ENTRY, 0);
  return { first, count: 1, run, hashes: new Uint8Array(32) };
}

test("a batch that was read outlives the frames it was read from", () => {
  const recent = new Recent(0);
  recent.push(frame(0));
  const batch = recent.read(0, 1, ENTRY * 2);
  const copy = Buffer.from(batch.run);
  let pushed = 1;
  for (; pushed * ENTRY <= LIMITS.memory_entries_bytes * 2; pushed++) {
    recent.push(frame(pushed));
    recent.shrink(pushed);
  }
  expect(recent.first).toBeGreaterThan(0);
  expect(batch.run.length).toBe(2 + ENTRY);
  expect(copy.equals(batch.run)).toBe(true);
  const newest = recent.read(pushed - 1, 10, ENTRY * 10);
  expect([newest.first, newest.count]).toEqual([pushed - 1, 1]);
});
