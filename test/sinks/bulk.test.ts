// The bulk encoder against its slow twin, which parses and serialises (batches.ts).
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { serialise } from "../../src/core/generated/event.ts";
import { type BulkBody, BulkEncoder, itemOf, pick } from "../../src/sinks/bulk.ts";
import { batchOf, expected, series, toolCall } from "./batches.ts";

const lines = (body: BulkBody): unknown[] =>
  body.bytes
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

test("bodies hold what parsing and serialising would give", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 });
  const event = fc.record({
    id: fc.stringMatching(/^[ !#-[\]-~é]{1,40}$/),
    reason: text,
    original: text,
    args: fc.json(),
  });
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 1, maxLength: 20 }),
      fc.nat(2 ** 50),
      fc.boolean(),
      (events, first, two) => {
        const batch = batchOf(
          events.map(({ id, reason, original, args }, i) => {
            const e = toolCall(
              "p",
              i,
              two && i % 2 === 1 ? "other" : "default",
              i % 3 === 0 ? "heartbeat" : "tool-call",
            );
            e["event.id"] = id;
            e["event.reason"] = `"event":{"id":"${reason.toWellFormed()}`;
            e["event.original"] = original.toWellFormed();
            e["gen_ai.tool.call.arguments"] = { event: { id: args } };
            return serialise(e);
          }),
          first,
        );
        const bodies = new BulkEncoder().encode(batch, 4_000, 7);
        const got = bodies.flatMap((body) => lines(body));
        const want = expected(batch).flatMap(({ stream, id, document }) => [
          { create: { _index: stream, _id: id } },
          document,
        ]);
        expect(got).toEqual(want);
        expect(bodies.flatMap((b) => [...b.indexes])).toEqual(events.map((_, i) => first + i));
        expect(bodies.every((b) => b.items <= 7 && (b.items === 1 || b.bytes.length <= 4_000))).toBe(true);
        const named = bodies.flatMap((b) => Array.from({ length: b.items }, (_, i) => itemOf(b, i)));
        expect(named).toEqual(expected(batch).map(({ stream, id }) => ({ stream, id })));
      },
    ),
    { numRuns: 200 },
  );
});

test("datasets that are left out are in no body, and the rest is as it would be without them", () => {
  const kinds = ["tool-call", "heartbeat", "rule-alert"] as const;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...kinds), { maxLength: 40 }),
      fc.subarray(["tapline.activity", "tapline.integrity", "tapline.alert"]),
      fc.integer({ min: 1, max: 5 }),
      (actions, leave_out, most) => {
        const events = actions.map((action, i) => serialise(toolCall("l", i, "default", action)));
        const batch = batchOf(events, 100);
        const bodies = new BulkEncoder(leave_out).encode(batch, 3_000, most);
        const kept = expected(batch)
          .map((one, i) => ({ ...one, index: 100 + i }))
          .filter(({ stream }) => !leave_out.some((dataset) => stream === `logs-${dataset}-default`));
        expect(bodies.flatMap((body) => lines(body))).toEqual(
          kept.flatMap(({ stream, id, document }) => [{ create: { _index: stream, _id: id } }, document]),
        );
        expect(bodies.flatMap((body) => [...body.indexes])).toEqual(kept.map(({ index }) => index));
        expect(bodies.every((b) => b.items > 0 && b.items <= most)).toBe(true);
      },
    ),
  );
});

test("the entry's own bytes are copied: only the end differs", () => {
  const document = serialise(toolCall("x", 7));
  const [body] = new BulkEncoder().encode(batchOf([document], 4_294_967_296));
  const line = body!.bytes.toString().split("\n")[1]!;
  expect(line.startsWith(document.slice(0, -2))).toBe(true);
  expect(line.slice(document.length - 2)).toMatch(
    /^,"sequence":4294967296,"hash":"sha256:[0-9a-f]{64}"\}\}$/,
  );
});

test("an entry of the largest size fits", () => {
  const e = toolCall("big", 0);
  e["event.original"] = "";
  e["event.original"] = "x".repeat(65_535 - Buffer.byteLength(serialise(e)));
  const document = serialise(e);
  expect(Buffer.byteLength(document)).toBe(65_535);
  const batch = batchOf([document, document]);
  expect(new BulkEncoder().encode(batch, 70_000).map((b) => b.items)).toEqual([1, 1]);
});

test("pick keeps order, bytes and ledger indexes", () => {
  const [body] = new BulkEncoder().encode(series("pick", 9, 100));
  const some = pick(body!, [1, 4, 8]);
  expect([...some.indexes]).toEqual([101, 104, 108]);
  expect(lines(some)).toEqual([1, 4, 8].flatMap((i) => lines(body!).slice(i * 2, i * 2 + 2)));
  expect(itemOf(some, 2)).toEqual(itemOf(body!, 8));
  expect(pick(body!, []).bytes.length).toBe(0);
});

const encode = (document: string): BulkBody[] => new BulkEncoder().encode(batchOf([document]));

test("memory that is given back holds the next body, and no body in hand", () => {
  const encoder = new BulkEncoder();
  const documents = (from: number) =>
    Array.from({ length: 200 }, (_, i) => serialise(toolCall("m", from + i)));
  const next = (from: number): BulkBody => encoder.encode(batchOf(documents(from), from))[0]!;
  const fresh = (from: number): Buffer => new BulkEncoder().encode(batchOf(documents(from), from))[0]!.bytes;
  const first = next(0);
  const second = next(1_000);
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
  encoder.give(first);
  const third = next(2_000);
  expect(third.bytes.buffer).toBe(first.bytes.buffer);
  expect(third.bytes.equals(fresh(2_000))).toBe(true);
  expect(second.bytes.equals(fresh(1_000))).toBe(true);
  // What was picked has memory of its own, which is not taken for a body's.
  encoder.give(pick(third, [0]));
  expect(next(3_000).bytes.buffer.byteLength).toBe(LIMITS.bulk_bytes);
  expect(third.bytes.equals(fresh(2_000))).toBe(true);
});

test("what is not an entry is a program error", () => {
  expect(() => encode('{"event":{"id":"a"}}')).toThrow("begins with @timestamp");
  const headless = serialise(toolCall("x", 1)).replace('"event":{"id"', '"event":{"nr"');
  expect(() => encode(headless)).toThrow("ends with the event group");
  expect(() => encode(serialise({ ...toolCall("x", 1), "event.id": 'a"b' }))).toThrow("none of them escaped");
});
