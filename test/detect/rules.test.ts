// All of detections/: each rule is plain Sigma, named and described as agreed, and does what its proof says.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { compileRules } from "../../src/detect/rules.ts";
import { controlsNamed } from "../../src/detect/controls.ts";
import { loadRules, ruleFiles } from "../../src/detect/load.ts";
import { proofPath, prove, readProof } from "../../src/detect/prove.ts";
import { parseRules } from "../../src/detect/parse.ts";
import type { Placeholders } from "../../src/detect/modifiers.ts";
import type { Rule } from "../../src/detect/rule.ts";
import { readControls } from "../../src/evidence/map.ts";
import { mutants } from "./mutate.ts";
import { python } from "../python.ts";

const home = join(import.meta.dirname, "../../detections");
const CORRELATIONS = join(home, "correlation");
const files = (await ruleFiles([home])).filter((file) => !file.startsWith(CORRELATIONS));
// What the inventory would define, the proofs do.
const placeholders: Record<string, Placeholders[string]> = {};
for (const file of files) {
  const [rule] = parseRules(readFileSync(file, "utf8"), file).rules;
  if (rule === undefined || !existsSync(proofPath(file))) continue;
  for (const [name, values] of Object.entries(proofOf(rule).placeholders)) {
    placeholders[name] = [...new Set([...(placeholders[name] ?? []), ...values])];
  }
}
const { set, problems } = await loadRules(files, { placeholders });

test("all rules compile without a remark", () => {
  expect(problems.map(String)).toEqual([]);
  expect(set.rules.length).toBe(files.length);
  expect(files.length).toBeGreaterThanOrEqual(45);
});

test("without an inventory only the rules on it rest", async () => {
  const bare = await loadRules(files);
  expect([...new Set(bare.problems.map((p) => p.code))]).toEqual(["placeholder"]);
  const names = new Set(bare.problems.map((p) => relative(home, p.file)));
  for (const name of names) expect(name).toMatch(/^unsanctioned\/\w+_unsanctioned_\w+\.yml$/);
  expect(bare.set.rules.length).toBe(files.length - names.size);
});

const CONTROLS = Object.keys(readControls().controls);
const TACTICS =
  "initial_access|execution|persistence|privilege_escalation|stealth|credential_access|discovery|collection|" +
  "command_and_control|exfiltration|impact";
function proofOf(rule: Rule) {
  return readProof(readFileSync(proofPath(rule.file), "utf8"), rule.logsource);
}

describe.each(set.rules.map((r) => [relative(home, r.rule.file), r] as const))("%s", (name, compiled) => {
  const { rule } = compiled;
  test("is described as agreed", () => {
    expect(name).toMatch(new RegExp(`^[a-z]+/(${TACTICS})_[a-z_]+\\.yml$`));
    expect(rule.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(readFileSync(rule.file, "utf8")).toMatch(/^level: /m);
    expect(rule.description).toBeDefined();
    expect(rule.references.length).toBeGreaterThan(0);
    expect(rule.falsepositives.length).toBeGreaterThan(0);
    expect(rule.tags.some((tag) => tag.startsWith("atlas.") || tag.startsWith("attack.t"))).toBe(true);
    expect(controlsNamed(rule.tags).length).toBeGreaterThan(0);
    for (const control of controlsNamed(rule.tags)) expect(CONTROLS).toContain(control);
  });
  test("does what its proof says", () => {
    expect(existsSync(proofPath(rule.file))).toBe(true);
    const proof = proofOf(rule);
    expect(proof.match.length).toBeGreaterThanOrEqual(2);
    expect(proof.miss.length).toBeGreaterThanOrEqual(2);
    expect(prove(compiled, proof)).toEqual([]);
  });
  test("has a proof that notices when any part of it goes", () => {
    const proof = proofOf(rule);
    const unnoticed: string[] = [];
    for (const mutant of mutants(rule)) {
      const { rules } = compileRules([mutant.rule], { placeholders: proof.placeholders });
      if (rules.length > 0 && prove(rules[0]!, proof).length === 0) unnoticed.push(mutant.name);
    }
    expect(unnoticed).toEqual([]);
  });
});

const venv = python();
test.skipIf(venv === undefined)("all rules load in pySigma", async () => {
  const program = [
    "import sys",
    "from sigma.collection import SigmaCollection",
    "for name in sys.argv[1:]:",
    "    for rule in SigmaCollection.from_yaml(open(name, encoding='utf-8').read()).rules:",
    "        assert not rule.errors, (name, rule.errors)",
    "        for condition in rule.detection.parsed_condition: condition.parsed",
    "        print(rule.id)",
  ].join("\n");
  const correlations = await ruleFiles([CORRELATIONS]);
  const read = [
    "import sys",
    "from sigma.collection import SigmaCollection",
    "for name in sys.argv[1:]:",
    "    rules = SigmaCollection.from_yaml(open(name, encoding='utf-8').read())",
    "    rules.resolve_rule_references()",
    "    assert not rules.errors and not any(rule.errors for rule in rules.rules), name",
    "    print(name)",
  ].join("\n");
  const loaded = execFileSync(venv!, ["-c", read, ...correlations], { encoding: "utf8" });
  expect(loaded.trim().split("\n")).toEqual(correlations);
  const out = execFileSync(venv!, ["-c", program, ...files], { encoding: "utf8" });
  expect(out.trim().split("\n").toSorted()).toEqual(set.rules.map((r) => r.rule.id).toSorted());
});
