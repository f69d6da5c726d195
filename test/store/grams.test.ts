// Runs of letters: what is in an entry is never ruled out, whatever is in it; what is not mostly is. The oracle is DuckDB's lower().
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openDuckdb } from "../../src/store/duckdb.ts";
import { GramSet, gramsOf, mayHoldGrams } from "../../src/store/grams.ts";

const dir = mkdtempSync(join(tmpdir(), "tapline-grams-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function bitsOf(texts: readonly string[]): { path: string; bytes: number } {
  const set = new GramSet();
  for (const text of texts) set.add(Buffer.from(JSON.stringify({ text })));
  const bits = set.finish();
  const path = join(dir, "one.bits");
  writeFileSync(path, bits);
  return { path, bytes: bits.length };
}

test("a part of a text, in any case of letters, is never ruled out", async () => {
  const duckdb = await openDuckdb(":memory:", 256, "");
  const odd = fc.constantFrom(
    "\n",
    '"',
    "\\",
    "\u001b",
    "É",
    "\u0130",
    "\u212a",
    "ſ",
    "日本",
    "\ud800",
    "_",
    "\\u0041bcdef",
  );
  const text = fc
    .array(fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[a-zA-Z0-9_]{1,12}$/), odd), {
      maxLength: 12,
    })
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(60),
      async (texts, at, length) => {
        const { path, bytes } = bitsOf(texts);
        const from = texts[at % texts.length]!;
        for (const part of [from, from.slice(at % (from.length + 1)).slice(0, length)]) {
          for (const asked of [part, part.toUpperCase(), part.toLowerCase()]) {
            const found = await duckdb.connection.runAndReadAll(
              "SELECT contains(lower($1), lower($2)) AS yes",
              [from, asked],
            );
            if (found.getRowObjectsJS()[0]!["yes"] !== true || bytes === 0) continue;
            expect(mayHoldGrams(path, bytes, gramsOf(asked)), JSON.stringify([from, asked])).toBe(true);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  duckdb.close();
}, 300_000);

test("what is nowhere is ruled out, what is too short or cannot be told never", () => {
  const { path, bytes } = bitsOf(["The resolver could not find module_names", "AKIA0123456789"]);
  const may = (text: string): boolean => mayHoldGrams(path, bytes, gramsOf(text));
  expect(["resolver", "RESOLV", "could not", "akia01234", "module_n"].map(may)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(["kubernetes", "resolvers", "module names nowhere", "akia01235"].map(may)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(["xyz", "", "....", "日本語"].map(may)).toEqual([true, true, true, true]);
  expect(mayHoldGrams(join(dir, "gone.bits"), bytes, gramsOf("kubernetes"))).toBe(true);
  const escaped = new GramSet();
  escaped.add(Buffer.from(String.raw`{"text":"\u0063urling"}`));
  expect(escaped.finish()).toHaveLength(0);
});
