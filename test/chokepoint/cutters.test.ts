// Lines and server-sent events cut from a stream, however it is chunked: nothing is lost, and each piece is what a plain
// reading of the whole gives.
import fc from "fast-check";
import { expect, test } from "vitest";
import { LineCutter } from "../../src/chokepoint/lines.ts";
import { Pieces } from "../../src/chokepoint/pieces.ts";
import { SseCutter, withData } from "../../src/chokepoint/sse.ts";
import { LIMITS } from "../../src/core/limits.ts";

const chunks = (alphabet: string[]) =>
  fc.array(
    fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }).map((parts) => parts.join("")),
    { maxLength: 20 },
  );
const PROPERTY = { numRuns: process.env["TAPLINE_FULL"] === "1" ? 20_000 : 1_000 };

test("lines: the parts together are the whole, whole lines are within the bound, longer ones are told once", () => {
  fc.assert(
    fc.property(chunks(["a", "bb", "\n", "\r\n", "é"]), fc.integer({ min: 2, max: 12 }), (input, max) => {
      const parts: [string, string][] = [];
      const cutter = new LineCutter((bytes, part) => parts.push([part, bytes.toString("latin1")]), max);
      for (const chunk of input) cutter.push(Buffer.from(chunk));
      cutter.end();
      const whole = Buffer.from(input.join("")).toString("latin1");
      expect(parts.map(([, text]) => text).join("")).toBe(whole);
      const expected = whole.split(/(?<=\n)/).filter((line) => line !== "");
      expect(parts.filter(([part]) => part === "whole").map(([, text]) => text)).toEqual(
        expected.filter((line) => line.length <= max),
      );
      const long = expected.filter((line) => line.length > max).length;
      for (const part of ["begins", "ends"]) expect(parts.filter(([p]) => p === part)).toHaveLength(long);
    }),
    PROPERTY,
  );
});

test("events: the bytes of all events, the last one unended, are the whole; data is as the standard reads it", () => {
  fc.assert(
    fc.property(chunks(["data:", " ", "x", "\n", "\r\n", ":c", "id: 1", "event: e", "\n\n"]), (input) => {
      const events: { raw: string; data: string | undefined; name: string | undefined }[] = [];
      const cutter = new SseCutter(
        ({ raw, data, name }) => events.push({ raw: raw.toString(), data, name }),
        () => expect.unreachable(),
      );
      for (const chunk of input) cutter.push(Buffer.from(chunk));
      cutter.end();
      const whole = input.join("");
      expect(events.map(({ raw }) => raw).join("")).toBe(whole);
      // A plain reading of the same text: blocks end at a blank line, and with the stream.
      const data: string[] = [];
      let block: string[] = [];
      for (const line of [...whole.split(/\r\n|\n/), ""]) {
        if (line === "") {
          const fields = block.filter((l) => l === "data" || l.startsWith("data:"));
          const text = fields.map((l) => l.slice(5).replace(/^ /, "")).join("\n");
          if (text.trim() !== "") data.push(text);
          block = [];
        } else block.push(line);
      }
      expect(events.flatMap((event) => event.data ?? [])).toEqual(data);
    }),
    PROPERTY,
  );
});

test("events that end with CR alone, at once; other data keeps id and name; too long is told", () => {
  const events: string[] = [];
  let long = "";
  const cutter = new SseCutter(
    (event) => events.push(withData(event, '{"b":2}')),
    (bytes) => (long += bytes.toString()),
    40,
  );
  cutter.push(Buffer.from('event: message\rid: 7\rdata: {"a":1}\r\r'));
  expect(events).toEqual(['event: message\nid: 7\ndata: {"b":2}\n\n']);
  cutter.push(Buffer.from(`data: ${"x".repeat(50)}`));
  expect(long).toMatch(/^data: x+$/);
});

test("many small pieces take as much memory as their bytes, and are joined in time that is linear", () => {
  const small = Array.from({ length: 50_000 }, (_, i) => Buffer.from([97 + (i % 26)]));
  const whole = Buffer.concat(small);
  const held = new Pieces();
  const concat = Buffer.concat;
  let most = 0;
  Buffer.concat = (list: readonly Buffer[]) => {
    most = Math.max(most, list.length);
    return concat(list);
  };
  try {
    for (const piece of small) held.push(piece);
    expect(held.bytes).toBe(whole.length);
    expect(held.take().equals(whole)).toBe(true);
  } finally {
    Buffer.concat = concat;
  }
  expect(most).toBeLessThanOrEqual(LIMITS.held_pieces + 1);
  expect([held.bytes, held.take().length]).toEqual([0, 0]);
});
