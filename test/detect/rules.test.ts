// All of detections/: each rule is plain Sigma, named and described as agreed, and does what its proof says.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { compileRules } from "../../src/detect/rules.ts";
import { loadRules, ruleFiles } from "../../src/detect/load.ts";
import { proofPath, prove, readProof } from "../../src/detect/prove.ts";
import type { Item, Rule, Term } from "../../src/detect/rule.ts";
import { python } from "./python.ts";

const home = join(import.meta.dirname, "../../detections");
const { set, problems } = await loadRules([home]);
const files = await ruleFiles([home]);

test("all rules compile without a remark", () => {
  expect(problems.map(String)).toEqual([]);
  expect(set.rules.length).toBe(files.length);
  expect(files.length).toBeGreaterThanOrEqual(10);
});

const TACTICS =
  "initial_access|execution|persistence|privilege_escalation|stealth|credential_access|discovery|collection|" +
  "command_and_control|exfiltration|impact";
const proofOf = (rule: Rule) => readProof(readFileSync(proofPath(rule.file), "utf8"), rule.logsource);

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
  });
  test("does what its proof says", () => {
    expect(existsSync(proofPath(rule.file))).toBe(true);
    const proof = proofOf(rule);
    expect(proof.match.length).toBeGreaterThanOrEqual(2);
    expect(proof.miss.length).toBeGreaterThanOrEqual(2);
    expect(prove(compiled, proof)).toEqual([]);
  });
  test("has a proof that notices when a selection goes", () => {
    for (const selection of rule.selections.keys()) {
      // Without the selection: what it says is never true.
      const never: Item = {
        kind: "item",
        field: "event.action",
        modifiers: [],
        values: ["no such"],
        place: "",
      };
      const selections = new Map<string, Term>(rule.selections).set(selection, never);
      const crippled = compileRules([{ ...rule, selections }]);
      expect(prove(crippled.rules[0]!, proofOf(rule)), `without ${selection}`).not.toEqual([]);
    }
  });
});

const venv = python();
test.skipIf(venv === undefined)("all rules load in pySigma", () => {
  const program = [
    "import sys",
    "from sigma.collection import SigmaCollection",
    "for name in sys.argv[1:]:",
    "    for rule in SigmaCollection.from_yaml(open(name, encoding='utf-8').read()).rules:",
    "        assert not rule.errors, (name, rule.errors)",
    "        for condition in rule.detection.parsed_condition: condition.parsed",
    "        print(rule.id)",
  ].join("\n");
  const out = execFileSync(venv!, ["-c", program, ...files], { encoding: "utf8" });
  expect(out.trim().split("\n").toSorted()).toEqual(set.rules.map((r) => r.rule.id).toSorted());
});
