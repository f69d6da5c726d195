// The matrix names every fault once, and tests that there are.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Results, reliabilityPage } from "../../scripts/reliability-page.ts";
import { MATRIX, ROWS } from "./matrix.ts";

const root = join(import.meta.dirname, "..");

test("every row is there, once, in order", () => {
  expect(MATRIX.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, i) => i + 1));
});

test("every row says what has to hold, and has tests or a reason why there are none", () => {
  const bare = MATRIX.filter(
    ({ oracles, tests, notHere }) => oracles.length === 0 || (tests.length === 0 && notHere === undefined),
  );
  expect(bare.map(({ row }) => row)).toEqual([]);
});

test("every test that is named exists, under that title", () => {
  const missing: string[] = [];
  for (const { row, tests } of MATRIX) {
    for (const [file, ...titles] of tests) {
      const path = join(root, file);
      const text = existsSync(path) ? readFileSync(path, "utf8") : "";
      if (titles.length === 0) missing.push(`row ${row}: ${file} names no test`);
      for (const title of titles) {
        // As the title of a test or of a group of them: a text of its own, behind an opening parenthesis.
        const there = [`"${title}"`, `\`${title}\``, `'${title}'`].some((quoted) => {
          const at = text.indexOf(quoted);
          return at > 0 && /\(\s*$/.test(text.slice(0, at));
        });
        if (!there) missing.push(`row ${row}: ${file} has no test "${title}"`);
      }
    }
  }
  expect(missing).toEqual([]);
});

test("docs/reliability.md is what matrix and results give", () => {
  const results = JSON.parse(readFileSync("docs/reliability.json", "utf8")) as Results;
  expect(readFileSync("docs/reliability.md", "utf8"), "run `npm run reliability`").toBe(
    reliabilityPage(results),
  );
});
