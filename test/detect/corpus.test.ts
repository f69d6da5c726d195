// The public Sigma rules: all live ones compile, and of the others exactly those that Sigma 2 no longer has are refused.
// The corpus is large and not ours: where it is not at hand, the test says so and is skipped.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadRules, ruleFiles } from "../../src/detect/load.ts";

const archive = [
  process.env["TAPLINE_SIGMA_RULES"],
  join(import.meta.dirname, "../../../shared/data/sigma-rules.tar.xz"),
].find((path) => path !== undefined && existsSync(path));
if (archive === undefined) {
  console.warn("SKIPPED: the Sigma corpus; set TAPLINE_SIGMA_RULES to a tar of SigmaHQ's rule directories");
}
const dir = mkdtempSync(join(tmpdir(), "tapline-sigma-"));
if (archive !== undefined) execFileSync("tar", ["xf", archive, "-C", dir]);
afterAll(() => rmSync(dir, { recursive: true }));

/** Compiles all rules below the directories, with a value for every placeholder that they name. */
async function compileAll(names: readonly string[]) {
  const paths = names.map((name) => join(dir, name));
  const files = await ruleFiles(paths);
  const placeholders: Record<string, string[]> = {};
  for (const file of files) {
    for (const m of readFileSync(file, "utf8").matchAll(/%([\w.-]+)%/g)) placeholders[m[1]!] = ["value"];
  }
  const { set, problems } = await loadRules(paths, { fields: "any", placeholders });
  const refused = new Set(problems.filter((p) => p.severity === "error").map((p) => relative(dir, p.file)));
  return { files, set, refused, problems };
}

test.skipIf(archive === undefined)(
  "3,780 of 3,780 live rule files compile",
  { timeout: 120_000 },
  async () => {
    const live = [
      "rules",
      "rules-compliance",
      "rules-emerging-threats",
      "rules-threat-hunting",
      "rules-placeholder",
    ];
    const { files, set, refused } = await compileAll(live);
    expect([...refused]).toEqual([]);
    expect(files.length).toBe(3_780);
    expect(set.rules.length).toBe(3_780);
  },
);

test.skipIf(archive === undefined)(
  "59 old rule files are refused and 200 load",
  { timeout: 60_000 },
  async () => {
    const { files, refused, problems } = await compileAll(["unsupported", "deprecated"]);
    expect(files.length).toBe(259);
    expect(refused.size).toBe(59);
    const errors = problems.filter((p) => p.severity === "error");
    expect(new Set(errors.map((p) => p.code))).toEqual(new Set(["legacy_aggregation", "condition_name"]));
    expect(
      errors.filter((p) => p.code === "legacy_aggregation").every((p) => p.remedy.includes("correlation")),
    ).toBe(true);
  },
);
