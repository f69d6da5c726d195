// What the prefilter passes over the redactor would not find either: secrets of every shape, in hostile surroundings.
import fc from "fast-check";
import { expect, test } from "vitest";
import { newEvent } from "../../src/core/generated/event.ts";
import type { Json } from "../../src/core/text.ts";
import { parseJson } from "../../src/normalise/formats/fields.ts";
import { FLAG_SECRET, prefilter } from "../../src/normalise/prefilter.ts";
import { createRedactor } from "../../src/normalise/redact.ts";
import { randomOf } from "../random.ts";
import { hostileObject, hostileText } from "./planted-hostile.ts";

const redactor = createRedactor("k");
const REDACTED = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
} as const;

/** Secrets that redaction finds in a value, and in the JSON texts within it as mappers read them. */
function secretsOf(value: Json): number {
  const e = newEvent();
  e["tapline.ext"] = { value };
  redactor.redact(e, REDACTED);
  let count = e["tapline.data.secret_count"] ?? 0;
  if (count > 0) return count;
  JSON.stringify(value, (_, item: Json) => {
    const inner = typeof item === "string" ? parseJson(item) : undefined;
    if (inner !== undefined) count += secretsOf(inner);
    return item;
  });
  return count;
}

function isFlagged(line: string, shift: number): boolean {
  const bytes = Buffer.from("\n".repeat(shift) + line);
  return (prefilter(bytes, shift, bytes.length) & FLAG_SECRET) !== 0;
}

type Write = (value: unknown) => string;
const escaped = (text: string, which: RegExp): string =>
  text.replace(which, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
const writers: readonly Write[] = [
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value).replaceAll("/", "\\/"),
  (value) => escaped(JSON.stringify(value), /[&<>]/g),
  (value) => escaped(JSON.stringify(value), /[^\0-\u007f]/g),
  (value) => JSON.stringify(value, undefined, 4),
  (value) => JSON.stringify(value, undefined, "\t").replaceAll("\n", "\r\n"),
];

const seeds = fc.integer({ min: 1, max: 2 ** 31 });
const writer = fc.constantFrom(...writers);

/** Fails when a line is not flagged though redaction finds something in its value. */
function expectFlagged(inner: Json, nested: number, write: Write, within: Write, shift: number): boolean {
  let value: Json = inner;
  for (let i = 0; i < nested; i++) value = { arguments: within(value) };
  if (secretsOf(value) === 0) return false;
  const line = write({ a: 1, value, z: "end" });
  expect(isFlagged(line, shift), line).toBe(true);
  return true;
}

test("texts", () => {
  let found = 0;
  fc.assert(
    fc.property(seeds, fc.nat(2), writer, writer, fc.nat(3), (seed, nested, write, within, shift) => {
      const text = hostileText(randomOf(seed));
      if (expectFlagged({ t: text }, nested, write, within, shift)) found++;
      // Logs are no JSON.
      if (secretsOf(text) > 0) expect(isFlagged(text, shift), text).toBe(true);
    }),
    { numRuns: 10_000 },
  );
  expect(found).toBeGreaterThan(5_000);
}, 60_000);

test("keys and names that say secret", () => {
  let found = 0;
  fc.assert(
    fc.property(seeds, fc.nat(2), writer, writer, fc.nat(3), (seed, nested, write, within, shift) => {
      const value = { in: hostileObject(randomOf(seed)) as Json };
      if (expectFlagged(value, nested, write, within, shift)) found++;
    }),
    { numRuns: 10_000 },
  );
  expect(found).toBeGreaterThan(2_000);
}, 60_000);
