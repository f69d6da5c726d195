// Runs of entries: what is written can be walked again, hashes are RFC 6962 leaves, long documents are refused whole.
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { forEachEntry, leafHashOf } from "../../src/core/entry.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { RunWriter } from "../../src/core/run.ts";

test("what is added can be walked again, with its leaf hash", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 200 })), (raw) => {
      const texts = raw.map((text) => text.toWellFormed());
      const writer = new RunWriter(64);
      for (const text of texts) expect(writer.add(text)).toBe(true);
      const { run, hashes, count } = writer.take();
      expect(count).toBe(texts.length);
      const found: string[] = [];
      forEachEntry(run, (start, end, position) => {
        const entry = run.subarray(start, end);
        found.push(Buffer.from(entry).toString());
        const leaf = createHash("sha256").update(Buffer.of(0)).update(entry).digest();
        expect(Buffer.from(hashes.subarray(position * 32, position * 32 + 32)).equals(leaf)).toBe(true);
        expect(leafHashOf(entry)).toEqual(leaf);
      });
      expect(found).toEqual(texts);
    }),
  );
});

test("a document over the entry limit is refused and leaves nothing behind", () => {
  const writer = new RunWriter(1024);
  expect(writer.add("a".repeat(LIMITS.entry_bytes))).toBe(true);
  expect(writer.add("é".repeat(LIMITS.entry_bytes / 2 + 1))).toBe(false);
  expect(writer.add("b")).toBe(true);
  const { run, count } = writer.take();
  expect([count, run.length]).toEqual([2, LIMITS.entry_bytes + 2 + 1 + 2]);
});

test("a run is its taker's own", () => {
  const writer = new RunWriter(64);
  writer.add("first");
  const { run } = writer.take();
  writer.add("other");
  expect(Buffer.from(run.subarray(2)).toString()).toBe("first");
});
