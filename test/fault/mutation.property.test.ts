// Real lines with random bytes changed, in batches: nothing throws, the law holds, every document is whole (engine.ts
// checks these), and no mapper fails.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { Engine } from "../../src/engine.ts";
import { newEngine, read } from "./engine.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const NO_FORMAT = ["evidence", "dashboards", "json", "ledger-0.1", "ledger-0.1-state", "sigma-regression"];
const FORMATS = readdirSync(fixtures).filter((name) => !NO_FORMAT.includes(name));
const files = new Map(
  FORMATS.map((format) => [
    format,
    readdirSync(join(fixtures, format))
      .filter((name) => /\.(?:jsonl|log)$/.test(name))
      .map((name) => readFileSync(join(fixtures, format, name))),
  ]),
);

let engine: Engine;
beforeAll(async () => {
  engine = await newEngine();
});

const JSON_BYTES = Buffer.from('{}[]",:\\\n\r\t \u0000-019eE.tfnu');
const byte = fc.oneof(fc.constantFrom(...JSON_BYTES, 0xff, 0xc3, 0xed, 0xef, 0xbb, 0x80), fc.nat(255));
const change = fc.record({
  what: fc.constantFrom("set", "insert", "remove", "repeat", "cut"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.array(byte, { minLength: 1, maxLength: 4 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Buffer, { what, at, bytes: put }: Change): Buffer {
  const from = Math.floor(at * bytes.length);
  const to = Math.min(bytes.length, from + put.length * 8);
  if (what === "cut") return bytes.subarray(0, from);
  const middle =
    what === "remove"
      ? []
      : what === "repeat"
        ? Array.from({ length: 3 }, () => bytes.subarray(from, to))
        : [Buffer.from(put)];
  const rest = what === "insert" ? from : what === "set" ? from + put.length : to;
  return Buffer.concat([bytes.subarray(0, from), ...middle, bytes.subarray(rest)]);
}

test.each(FORMATS)(
  "%s",
  (format) => {
    const property = fc.property(
      fc.constantFrom(...files.get(format)!),
      fc.nat(),
      fc.array(change, { minLength: 1, maxLength: 12 }),
      (file, seed, changes) => {
        // Some lines of the file, from anywhere in it.
        const lines = file.toString("latin1").split("\n");
        const start = seed % lines.length;
        let bytes: Buffer = Buffer.from(lines.slice(start, start + 12).join("\n"), "latin1");
        for (const each of changes) bytes = changed(bytes, each);
        const { result, documents } = read(engine, bytes, { format });
        for (const document of documents) expect(document["error"]?.type).not.toBe("mapper_failed");
        const given = bytes.length === 0 ? 0 : bytes.toString("latin1").replace(/\n$/, "").split("\n").length;
        // Glued records are several.
        expect(result.counts.read).toBeGreaterThanOrEqual(given);
      },
    );
    fc.assert(property, { numRuns: 250 });
  },
  60_000,
);
