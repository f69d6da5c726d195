// Rules at rest: whose placeholders nothing defines, what stands on them, and what is refused instead.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadRules } from "../../src/detect/load.ts";
import type { Placeholders } from "../../src/detect/modifiers.ts";
import { restingLine } from "../../src/detect/resting.ts";

const dir = mkdtempSync(join(tmpdir(), "tapline-resting-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const rule = (n: number, item: string): string => `title: Rule ${n}
id: 0000000${n}-0000-4000-8000-000000000000
name: r${n}
logsource: {product: tapline, category: tool-call}
detection:
  s: {${item}}
  condition: s
`;
const correlation = (n: number, over: string): string => `title: Rule ${n}
id: 0000000${n}-0000-4000-8000-000000000000
name: r${n}
correlation: {type: event_count, rules: [${over}], group-by: [user.name], timespan: 1m, condition: {gte: 2}}
`;
const filter = (n: number, item: string): string => `title: Rule ${n}
logsource: {product: tapline, category: tool-call}
filter:
  rules: [r2]
  s: {${item}}
  condition: not s
`;

async function rest(documents: readonly string[], placeholders: Placeholders = {}) {
  const file = join(dir, "rules.yml");
  writeFileSync(file, documents.join("---\n"));
  const { resting, problems, set, correlations } = await loadRules([file], { placeholders });
  return {
    told: resting.map(({ kind, rule: { title }, missing }) => `${kind} ${title}: ${missing.join()}`),
    errors: problems.filter(({ severity, code }) => severity === "error" && code !== "placeholder"),
    run: set.rules.length + correlations.nodes.length,
    lines: resting.map(restingLine),
  };
}

const ALL = [
  rule(1, "gen_ai.tool.name|expand: ['%a%-%b%', '%a%'], user.name|expand: '%c%'"),
  rule(2, "gen_ai.tool.name: x"),
  correlation(3, "r1, r2"),
  correlation(4, "r3"),
  correlation(5, "r2"),
  filter(6, "user.name|expand: '%d%'"),
];

test("a rule rests while one of its placeholders has no value, and so does what counts it, however far above", async () => {
  const bare = await rest(ALL);
  expect(bare.told).toEqual([
    "rule Rule 1: a,b,c",
    "filter Rule 6: d",
    "correlation Rule 3: a,b,c",
    "correlation Rule 4: a,b,c",
  ]);
  // None of that is an error, and the others run.
  expect([bare.errors, bare.run]).toEqual([[], 2]);
  expect(bare.lines[0]).toContain("rests: nothing defines %a%, %b% and %c% (`placeholders:`");
  expect(bare.lines[1]).toContain("its rules match as if it were not there");

  const some = await rest(ALL, { a: ["x"], c: ["y"], d: [] });
  expect(some.told).toEqual(["rule Rule 1: b", "correlation Rule 3: b", "correlation Rule 4: b"]);
  const all = await rest(ALL, { a: ["x"], b: ["z"], c: ["y"], d: ["w"] });
  expect([all.told, all.errors, all.run]).toEqual([[], [], 5]);
});

test("a rule that has an error besides is refused, and does not rest", async () => {
  const { told, errors } = await rest([
    rule(1, "gen_ai.tool.nam|expand: '%a%', gen_ai.tool.name|expand: '%a%'"),
  ]);
  expect([told, errors.map(({ code }) => code)]).toEqual([[], ["field"]]);
});

test("correlations that refer to each other in a circle end", async () => {
  const { told, errors } = await rest([
    rule(1, "user.name|expand: '%a%'"),
    correlation(2, "r3"),
    correlation(3, "r2, r1"),
  ]);
  expect(told).toEqual(["rule Rule 1: a", "correlation Rule 2: a", "correlation Rule 3: a"]);
  expect(errors).toEqual([]);
});
