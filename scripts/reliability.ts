// `npm run reliability`: writes docs/reliability.md from docs/reliability.json. With `run` it first runs the tests that the
// matrix names, or the files of it that are named, one after the other, and keeps what became of them; `--full` takes the long
// seeds. Files that were not run keep the results they have.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MATRIX } from "../test/fault/matrix.ts";
import { type FileResult, type Results, reliabilityPage } from "./reliability-page.ts";

const RESULTS = "docs/reliability.json";
const PAGE = "docs/reliability.md";
/** What tests print of themselves, with a number first. */
const FIGURE = /^(?:\/\w+\/?: )?\d[\d,]* (?:kills|power cuts|calls|runs|of \d+ calls) .*$/;
const TICKS = 100; // a second of CPU in /proc, on every Linux

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly ancestorTitles: readonly string[];
      readonly status: string;
    }[];
  }[];
}

/** CPU seconds of the processes that ended and were waited for, theirs included. */
function childrenCpu(): number {
  if (!existsSync("/proc/self/stat")) return 0;
  const text = readFileSync("/proc/self/stat", "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

/** What a title with places in it looks like when they are filled. */
function filled(title: string): RegExp {
  const parts = title.split(/%(?:\.\d+)?[sijd#]|\$\{[^}]*\}|\$\w+/);
  return new RegExp(
    `^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*")}$`,
    "s",
  );
}

/** Files whose tests are in another one that calls them. */
const CALLERS: Readonly<Record<string, string>> = {
  "contract/source.ts": "sources/file.test.ts",
  "integration/reconcile.ts": "integration/opensearch.test.ts",
};

function runFile(file: string, full: boolean, seed: number): FileResult {
  const dir = mkdtempSync(join(tmpdir(), "tapline-reliability-"));
  const out = join(dir, "report.json");
  const before = childrenCpu();
  const { FORCE_COLOR: _, ...env } = process.env;
  const run = spawnSync(
    "npx",
    [
      "vitest",
      "run",
      `test/${CALLERS[file] ?? file}`,
      "--reporter=default",
      "--reporter=json",
      `--outputFile=${out}`,
    ],
    {
      env: { ...env, NO_COLOR: "1", TAPLINE_SEED: String(seed), ...(full ? { TAPLINE_FULL: "1" } : {}) },
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const report = JSON.parse(readFileSync(out, "utf8")) as Report;
  rmSync(dir, { recursive: true });
  const all = report.testResults.flatMap((one) => one.assertionResults);
  const titles: Record<string, "passed" | "failed" | "skipped"> = {};
  for (const { tests } of MATRIX) {
    for (const [named, ...wanted] of tests) {
      for (const title of named === file ? wanted : []) {
        const form = filled(title);
        const found = all.filter(
          (one) => form.test(one.title) || one.ancestorTitles.some((name) => form.test(name)),
        );
        const states = found.map(({ status }) => status);
        if (states.includes("failed")) titles[title] = "failed";
        else titles[title] = states.includes("passed") ? "passed" : "skipped";
      }
    }
  }
  return {
    full,
    seed,
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    date: new Date().toISOString().slice(0, 10),
    cpu_s: Math.round(childrenCpu() - before),
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests,
    titles,
    figures: run.stdout.split("\n").filter((line) => FIGURE.test(line)),
  };
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { full: { type: "boolean" } } });
const [command, ...named] = positionals;
const known: Results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as Results) : {};
const results: Record<string, FileResult> = { ...known };
if (command === "run") {
  const all = [...new Set(MATRIX.flatMap(({ tests }) => tests.map(([file]) => file)))].toSorted();
  const seed = Number(process.env["TAPLINE_SEED"] ?? Date.now() % 1_000_000);
  for (const file of named.length > 0 ? named : all) {
    if (!all.includes(file)) throw new Error(`the matrix names no file ${file}`);
    const result = runFile(file, values.full === true, seed);
    results[file] = result;
    console.log(
      `${file}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped, ${result.cpu_s} s of CPU`,
    );
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}
writeFileSync(PAGE, reliabilityPage(results));
console.log(`wrote ${PAGE}`);
