// Where records end: JSON values printed in any way, back to back, are cut where they were put together.
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockEnd, closingEnd, framingOf, lastBlockEnd } from "../../src/core/framing.ts";

/** A printed object: over several lines (two spaces or a tab), or on one. */
const printed = fc
  .tuple(
    fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, noNullPrototype: true }),
    fc.constantFrom(2, "\t", 0),
  )
  .map(([value, indent]) => `${JSON.stringify(value, null, indent)}\n`);
const stream = fc.array(printed, { minLength: 1, maxLength: 8 });

test("objects back to back are cut at their ends, printed over lines or on one", () => {
  fc.assert(
    fc.property(stream, (texts) => {
      const bytes = Buffer.from(texts.join(""));
      const cut: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = blockEnd(bytes, at, bytes.length);
        expect(end).toBeGreaterThan(at);
        cut.push(bytes.toString("utf8", at, end));
        at = end;
      }
      expect(cut).toEqual(texts);
    }),
  );
});

test("the last end in any part that begins at a record is the end of the last whole record in it", () => {
  fc.assert(
    fc.property(stream, fc.nat(), fc.nat(), (texts, first, length) => {
      const bytes = Buffer.from(texts.join(""));
      const ends = [0];
      for (const text of texts) ends.push(ends.at(-1)! + Buffer.byteLength(text));
      const start = ends[first % texts.length]!;
      const stop = start + (length % (bytes.length - start + 1));
      const whole = ends.filter((end) => end > start && end <= stop);
      expect(lastBlockEnd(bytes, start, stop)).toBe(whole.at(-1) ?? start);
      expect(blockEnd(bytes, start, stop)).toBe(whole[0] ?? -1);
    }),
  );
});

test("a long block that is looked at piece by piece ends where it ends, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), fc.integer({ min: 3, max: 40 }), (list, size) => {
      const bytes = Buffer.from(`${JSON.stringify({ list }, null, 2)}\n`);
      let from = 0;
      for (;;) {
        const part = bytes.subarray(from, from + size);
        const { end, seen } = closingEnd(part);
        if (end >= 0) {
          expect(from + end).toBe(bytes.length);
          return;
        }
        expect(from + part.length, "the end was missed").toBeLessThan(bytes.length);
        // As the reader does: what was seen is not looked at again, and a piece always moves on.
        expect(seen).toBeGreaterThan(0);
        from += seen;
      }
    }),
  );
});

test("the first bytes tell", () => {
  const of = (text: string) => framingOf(Buffer.from(text));
  expect([of('{\n  "a": 1\n}\n'), of("\ufeff{\n"), of("{\r\n")]).toEqual(["block", "block", "block"]);
  expect([of('{"a":1}\n'), of("{"), of("{}\n"), of(""), of("[\n"), of("\n{\n")]).toEqual(
    Array(6).fill("line"),
  );
});
