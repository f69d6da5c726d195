// Feeds a mapper records that no agent wrote: real ones with parts swapped for anything, and plain junk.
import fc from "fast-check";
import type { Format } from "../../../src/normalise/format.ts";
import { type MapOptions, mapRecords } from "../harness.ts";

const JUNK = fc.oneof(
  fc.constantFrom<unknown>({ toString: "" }, [{ toString: "", valueOf: 1 }], { length: -1 }),
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    "",
    -1,
    1.5,
    Infinity,
    2 ** 60,
    [],
    {},
    [[]],
    { text: [] },
    "{",
    '{"a":{"a":1}}',
    "NaN",
  ),
);

/** The value with the node that `path` leads to replaced; the numbers pick keys, so every path leads somewhere. */
function swap(value: unknown, path: readonly number[], by: unknown): unknown {
  const [pick, ...rest] = path;
  if (pick === undefined || typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[pick % keys.length]!;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as never)
    : { ...value };
  copy[key] = swap(copy[key], rest, by);
  return copy;
}

/** Throws when the mapper does, when an event breaks the field table, or when an outcome is not what was emitted. */
export function fuzz(
  format: Format,
  records: readonly unknown[],
  runs = 300,
  options: MapOptions = {},
): void {
  const record = fc
    .tuple(fc.constantFrom(...records), fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }), JUNK)
    .map(([of, path, by]) => swap(of, path, by));
  const lines = fc.array(fc.oneof({ weight: 9, arbitrary: record }, { weight: 1, arbitrary: JUNK }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lines, fc.string(), (some, path) => {
      // As it comes from a file: what JSON cannot say is not in it.
      const read = JSON.parse(JSON.stringify(some)) as unknown[];
      const score = format.recognise(read, path);
      if (!(score >= 0 && score <= 1)) throw new Error(`score ${score}`);
      mapRecords(format, read, options);
    }),
    { numRuns: runs },
  );
}
