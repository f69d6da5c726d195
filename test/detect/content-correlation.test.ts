// The correlations of detections/: each is described as agreed, does what its proof says, and each part of its steps
// and of itself is needed.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { controlsNamed } from "../../src/detect/controls.ts";
import type { Correlation } from "../../src/detect/correlation-parse.ts";
import { proofPath } from "../../src/detect/prove.ts";
import { mutants } from "./mutate.ts";
import { proveCorrelation, readCorrelations, readSequences } from "./prove-correlation.ts";

const home = join(import.meta.dirname, "../../detections/correlation");
const names = readdirSync(home).filter((name) => !name.endsWith(".test.yml"));

test("there are correlations", () => expect(names.length).toBeGreaterThanOrEqual(15));

describe.each(names)("%s", (name) => {
  const path = join(home, name);
  const file = readCorrelations(readFileSync(path, "utf8"), path);
  const cases = readSequences(readFileSync(proofPath(path), "utf8"), file);
  const main = file.correlations[0]!;

  test("is described as agreed", () => {
    expect(file.problems).toEqual([]);
    expect(main.description).toBeDefined();
    expect(main.references.length).toBeGreaterThan(0);
    expect(main.falsepositives.length).toBeGreaterThan(0);
    expect(main.tags.some((tag) => tag.startsWith("atlas."))).toBe(true);
    expect(controlsNamed(main.tags).length).toBeGreaterThan(0);
    // Steps never alert by themselves.
    for (const rule of file.rules) expect(rule.level).toBe("informational");
  });

  test("does what its proof says", () => {
    expect(cases.match.length).toBeGreaterThan(0);
    expect(cases.miss.length).toBeGreaterThan(0);
    expect(proveCorrelation(file, cases)).toEqual([]);
  });

  test("has a proof that notices when any part of a step goes", () => {
    const unnoticed: string[] = [];
    // An event without a field that is grouped by or counted is left out anyway.
    const fields = file.correlations.flatMap((c) => [...c.group_by, ...c.fields]);
    const said = fields.map((field) => `${field}|exists always`);
    for (const [i, step] of file.rules.entries()) {
      for (const mutant of mutants(step)) {
        if (said.some((end) => mutant.name.endsWith(end))) continue;
        const rules = file.rules.with(i, mutant.rule);
        if (proveCorrelation(file, cases, rules).length === 0)
          unnoticed.push(`${step.title}: ${mutant.name}`);
      }
    }
    expect(unnoticed).toEqual([]);
  });

  test("has a proof that notices when its group, time or number changes", () => {
    const unnoticed: string[] = [];
    for (const [i, correlation] of file.correlations.entries()) {
      for (const [what, changed] of variants(correlation)) {
        const other = { ...file, correlations: file.correlations.with(i, changed) };
        if (proveCorrelation(other, cases).length === 0) unnoticed.push(`${correlation.title}: ${what}`);
      }
    }
    expect(unnoticed).toEqual([]);
  });
});

/** The correlation with one field of its group, or a quarter of its time, or one of its number less. */
function* variants(c: Correlation): Generator<[string, Correlation]> {
  for (const field of c.group_by) {
    yield [`group-by without ${field}`, { ...c, group_by: c.group_by.filter((f) => f !== field) }];
  }
  yield ["shorter timespan", { ...c, span_ms: Math.floor(c.span_ms * 0.75) }];
  yield ["longer timespan", { ...c, span_ms: c.span_ms * 1.25 }];
  if (c.type === "temporal_ordered") yield ["any order", { ...c, type: "temporal" }];
  if (c.condition.kind !== "number" || c.type === "temporal_ordered") return;
  const tests = c.condition.tests.map((t) => ({ ...t, value: Math.floor(t.value * 0.9) }));
  yield ["lower number", { ...c, condition: { kind: "number", tests } }];
}
