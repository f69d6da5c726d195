// Moving texts to blobs: any event fits, every moved text can be put back, what is indexed stays.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { type Event, FIELDS, type FieldName, newEvent, serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Json } from "../../src/core/text.ts";
import { moveToBlobs } from "../../src/normalise/blob.ts";

const digest = createDigest("k");
const LIMIT = LIMITS.entry_bytes;
const size = (e: Event): number => Buffer.byteLength(serialise(e));
const wellFormed = (text: string): string =>
  JSON.stringify(JSON.parse(text), (_, v: unknown) => (typeof v === "string" ? v.toWellFormed() : v));

/** The event with its blobs put back, as its reader would do it: from the end of the list. */
function restored(e: Event, blobs: readonly { digest: string; bytes: Uint8Array }[]): Event {
  const copy = structuredClone(e) as unknown as Record<string, Json | undefined>;
  const texts = new Map(blobs.map((b) => [b.digest, Buffer.from(b.bytes).toString()]));
  const fields = e["tapline.blob.fields"] ?? [];
  for (let i = fields.length - 1; i >= 0; i--) {
    const text = texts.get(e["tapline.blob.digests"]![i]!)!;
    expect(digest(text)).toBe(e["tapline.blob.digests"]![i]);
    expect(Buffer.byteLength(text)).toBe(e["tapline.blob.bytes"]![i]);
    const [name, pointer] = fields[i]!.split(/#(.*)/s) as [FieldName, string?];
    const whole = FIELDS[name] === "object" || FIELDS[name] === "keyword[]";
    if (pointer === undefined || pointer === "") {
      const object = whole && pointer === undefined && !(typeof copy[name] === "string");
      copy[name] = object ? (JSON.parse(text) as Json) : text;
      continue;
    }
    const steps = pointer
      .slice(1)
      .split("/")
      .map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
    let at = copy[name] as Record<string, Json>;
    for (const step of steps.slice(0, -1)) at = at[step] as Record<string, Json>;
    at[steps.at(-1)!] = text;
  }
  for (const name of ["fields", "digests", "bytes"]) copy[`tapline.blob.${name}`] = undefined;
  return copy as unknown as Event;
}

/** Moves, and checks all that must always hold. */
function check(
  fields: Partial<Event>,
  keywordsStay = true,
): { e: Event; blobs: ReturnType<typeof moveToBlobs> } {
  const e = Object.assign(newEvent(), fields);
  const before = wellFormed(serialise(e));
  const keywords = (Object.keys(FIELDS) as FieldName[]).filter((name) => FIELDS[name] === "keyword");
  const kept = keywords.map((name) => (e as unknown as Record<string, unknown>)[name]);
  const blobs = moveToBlobs(e, LIMIT, digest);
  expect(size(e)).toBeLessThanOrEqual(LIMIT);
  expect(JSON.parse(serialise(e))).toBeTypeOf("object");
  if (keywordsStay) {
    keywords.forEach((name, i) => {
      const value = kept[i];
      if (typeof value === "string" && value.length > LIMITS.keyword_chars) return;
      expect((e as unknown as Record<string, unknown>)[name]).toBe(value);
    });
  }
  expect(wellFormed(serialise(restored(e, blobs)))).toBe(before);
  return { e, blobs };
}

describe("what moves", () => {
  test("nothing when it fits", () => {
    const { e, blobs } = check({ message: "x".repeat(60_000) });
    expect(blobs).toEqual([]);
    expect(e["tapline.blob.fields"]).toBeUndefined();
  });
  test("only the longest, with its head left", () => {
    const result = { content: [{ text: "short" }, { text: "r".repeat(100_000) }], other: "o".repeat(5_000) };
    const { e, blobs } = check({
      "gen_ai.tool.call.result": result,
      message: "m".repeat(20_000),
      "gen_ai.tool.name": "t",
    });
    expect(blobs).toHaveLength(1);
    expect(e["tapline.blob.fields"]).toEqual(["gen_ai.tool.call.result#/content/1/text"]);
    expect((e["gen_ai.tool.call.result"] as typeof result).content[1]!.text).toBe(
      "r".repeat(LIMITS.blob_head_bytes),
    );
    expect(result.content[1]!.text).toHaveLength(100_000);
    expect(e.message).toHaveLength(20_000);
  });
  test("equal texts share a blob", () => {
    const text = "e".repeat(40_000);
    const { blobs, e } = check({ "gen_ai.tool.call.result": { a: text, b: text, c: text } });
    expect(blobs).toHaveLength(1);
    expect(e["tapline.blob.digests"]!.length).toBeGreaterThan(1);
  });
});

test.each<[string, Partial<Event>]>([
  ["a text of 16 MiB", { "gen_ai.tool.call.result": "x".repeat(16 * 1024 * 1024) }],
  [
    "control characters, which escape to six bytes each",
    { message: "\u0000".repeat(100_000), "event.original": "\u0001".repeat(60_000) },
  ],
  ["three-byte characters", { "tapline.ext": { a: "€".repeat(50_000), b: "日".repeat(30_000) } }],
  ["four-byte characters, cut in the middle", { message: "a" + "🙂".repeat(40_000) }],
  ["lone surrogates", { message: "\ud800".repeat(70_000), "tapline.ext": { a: "\udfff".repeat(20_000) } }],
  [
    "10,000 keys",
    { "tapline.ext": Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, "value"])) },
  ],
  ["a key of 1 MB", { "tapline.ext": { ["k".repeat(1_000_000)]: 1, a: "x" } }],
  [
    "a hundred texts of 5 KiB",
    {
      "gen_ai.tool.call.result": Array.from({ length: 100 }, (_, i) => `${i}`.repeat(5_000).slice(0, 5_000)),
    },
  ],
  [
    "hostile keys",
    {
      "tapline.ext": JSON.parse(
        `{"__proto__":{"x":"${"p".repeat(80_000)}"},"constructor":"${"c".repeat(70_000)}","a/b~c":"${"s".repeat(90_000)}"}`,
      ) as Json,
    },
  ],
  ["numbers", { "tapline.ext": Array.from({ length: 40_000 }, (_, i) => i) }],
  [
    "every object at once",
    Object.fromEntries(
      (Object.keys(FIELDS) as FieldName[])
        .filter((n) => FIELDS[n] === "object")
        .map((n) => [n, { a: "o".repeat(9_000), n }]),
    ),
  ],
  ["a keyword that is not indexed anyway", { "gen_ai.tool.name": "n".repeat(100_000), "user.name": "ana" }],
  ["a list of names", { "tapline.tool.names": Array.from({ length: 9_000 }, (_, i) => `tool_number_${i}`) }],
])("%s", (_, fields) => void check(fields));

test("keywords alone too long move last", () => {
  const names = (Object.keys(FIELDS) as FieldName[]).filter(
    (n) => FIELDS[n] === "keyword" && n !== "event.hash" && n !== "event.id",
  );
  const { e } = check(Object.fromEntries(names.map((n) => [n, "€".repeat(LIMITS.keyword_chars)])), false);
  expect(e["tapline.blob.fields"]!.length).toBeGreaterThan(50);
});

test("any event fits and can be restored", () => {
  const text = fc
    .tuple(
      fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: "binary", minLength: 1 })),
      fc.integer({ min: 1, max: 40_000 }),
    )
    .map(([part, times]) => part.repeat(Math.ceil(times / part.length)));
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      text,
      fc.string(),
      fc.integer(),
      fc.dictionary(fc.string(), tie("node")),
      fc.array(tie("node")),
    ),
  })).node;
  const fields = fc.record(
    {
      "gen_ai.tool.call.arguments": value,
      "gen_ai.tool.call.result": value,
      "tapline.ext": fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor")), value),
      message: text,
      "event.original": text,
      "process.command_line": text,
      "gen_ai.tool.name": fc.string(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, (some) => void check(some as Partial<Event>)),
    { numRuns: 60 },
  );
}, 120_000);
