// Lint: each mistake gives its finding at its line, what is fixed stays the same rule, and the rest of the file is kept.
import { expect, test } from "vitest";
import { applyEdits } from "../../src/detect/lint-finding.ts";
import { type LintFile, lintFiles } from "../../src/detect/lint.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compileRules } from "../../src/detect/rules.ts";

const HEAD = `title: A Rule
id: 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d
status: test
description: Says something.
tags: [attack.execution]
falsepositives: [none]
level: low
logsource: {product: tapline, category: tool-call}
`;
const PROOF = "match: [{gen_ai.tool.name: a}]\nmiss: [{gen_ai.tool.name: b}]\n";

function fileOf(text: string, proof: string | Error | undefined = PROOF): LintFile {
  const { rules, problems } = parseRules(text, "r.yml");
  const fields = /product: (?!tapline)/.test(text) ? "any" : "table";
  return {
    path: "r.yml",
    text,
    rules,
    problems: [...problems, ...compileRules(rules, { fields }).problems],
    proof,
  };
}

/** `code:line` of each finding. */
function codes(text: string, proof?: string | Error): string[] {
  return lintFiles([fileOf(text, proof)]).map((f) => `${f.code}:${f.line}`);
}

const detection = (body: string, head = HEAD): string => `${head}detection:\n${body}`;
const selection = (item: string): string => detection(`  selection:\n    ${item}\n  condition: selection\n`);

test("a rule without fault has no finding", () => {
  expect(codes(selection("gen_ai.tool.name: a"))).toEqual([]);
});

test.each([
  ["vacuous:11", "gen_ai.tool.name|contains: ''"],
  ["vacuous:11", "gen_ai.tool.name: '*'"],
  ["vacuous:11", "gen_ai.tool.name|re: '.*'"],
  ["wildcard:11", "gen_ai.tool.name|contains: '*abc'"],
  ["wildcard:11", "gen_ai.tool.name|startswith: 'abc*'"],
  ["value_twice:11", "gen_ai.tool.name: [abc, ABC]"],
  ["regex_backtracking:11", "gen_ai.tool.name|re: 'abc(x+)+y'"],
  ["regex_slow:11", "gen_ai.tool.name|re: '[a-z]+[0-9]'"],
  ["regex_wildcard:11", "gen_ai.tool.name|re: '.*abc'"],
  ["regex:11", "gen_ai.tool.name|re: '(?=abc)'"],
  ["field:11", "gen_ai.tool.nam: a"],
  ["modifier:11", "gen_ai.tool.name|contans: a"],
  ["all_single:11", "gen_ai.tool.name|contains|all: a"],
  ["placeholder:11", "gen_ai.tool.name|expand: '%nobody%'"],
])("%s for %s", (code, item) => {
  expect(codes(selection(item))).toEqual([code]);
});

test("what is right has no finding: escaped wildcards, filters behind not, literals in expressions", () => {
  expect(codes(selection("gen_ai.tool.name|contains: 'abc\\*'"))).toEqual([]);
  expect(codes(selection("gen_ai.tool.name|startswith: 'abc\\\\\\*'"))).toEqual([]);
  expect(codes(selection("gen_ai.tool.name|re: 'abc\\.*'"))).toEqual([]);
  expect(codes(selection("gen_ai.tool.name|cased: [abc, ABC]"))).toEqual([]);
  const filtered =
    "  a: {gen_ai.tool.name: a}\n  filter_b: {gen_ai.tool.name: b}\n  condition: a and not 1 of filter_*\n";
  expect(codes(detection(filtered))).toEqual([]);
  const kept = filtered.replace("not ", "");
  expect(codes(detection(kept))).toEqual(["filter_without_not:11"]);
});

test("a placeholder without a value is a warning, everything else that is refused an error", () => {
  const of = (item: string) => lintFiles([fileOf(selection(item))]).map((f) => f.severity);
  expect(of("gen_ai.tool.name|expand: '%nobody%'")).toEqual(["warning"]);
  expect(of("gen_ai.tool.nam: a")).toEqual(["error"]);
});

test("what a rule says of itself", () => {
  const body = "  selection: {gen_ai.tool.name: a}\n  condition: selection\n";
  const head = (from: RegExp, to: string) => codes(detection(body, HEAD.replace(from, to)));
  expect(head(/^id.*\n/m, "")).toEqual(["id_missing:1"]);
  expect(head(/^id.*/m, "id: 1234")).toContain("id_format:2");
  expect(head(/^falsepositives/m, "falsepositive")).toEqual(["missing:1", "key:6"]);
  expect(head(/^status/m, "date: 2026/1/2\nstatus")).toEqual(["date:3"]);
  expect(head(/attack.execution/, "attack.initial_access")).toEqual(["tag:5"]);
  expect(head(/attack.execution/, "nobody.t1")).toEqual(["tag_namespace:5"]);
  expect(head(/attack.execution/, "attack.execution, attack.execution")).toEqual(["tag_twice:5"]);
  expect(head(/^level: low/m, "level: Low")).toContain("case:7");
  expect(head(/^status.*\n/m, "")).toEqual(["missing:1"]);
});

test("proofs: missing, thin, unreadable", () => {
  const text = selection("gen_ai.tool.name: a");
  expect(lintFiles([{ ...fileOf(text), proof: undefined }]).map((f) => f.code)).toEqual(["proof_missing"]);
  expect(codes(text, "match: [{gen_ai.tool.name: a}]\n")).toEqual(["proof_thin:1"]);
  expect(codes(text, "match: [{gen_ai.tool.nam: a}]\n")).toEqual(["proof:1"]);
  expect(codes(text, new Error("larger than 1 bytes"))).toEqual(["proof:1"]);
  expect(codes(text, "match: &a [{gen_ai.tool.name: a}]\nmiss: *a\n")).toEqual(["proof:1"]);
  const inside = `${text}testcases:\n  match: [{gen_ai.tool.name: a}]\n  dont-match: [{gen_ai.tool.name: b}]\n`;
  expect(lintFiles([{ ...fileOf(inside), proof: undefined }])).toEqual([]);
});

test("the proof of a rule that is refused is left alone", () => {
  const text = selection("gen_ai.tool.name: a").replace("level: low", "level: lowest");
  expect(codes(text)).toEqual(["level:7"]);
});

test("filters that keep, groups without bound", () => {
  const filter =
    "title: F\nid: 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4e\nlogsource: {product: tapline}\nfilter:\n  rules: any\n";
  const of = (text: string) =>
    lintFiles([{ ...fileOf(text), problems: [] }]).map((f) => `${f.code}:${f.line}`);
  expect(of(`${filter}  selection: {user.name: a}\n  condition: selection\n`)).toEqual([
    "filter_without_not:7",
  ]);
  expect(of(`${filter}  selection: {user.name: a}\n  condition: not selection\n`)).toEqual([]);
  const head = HEAD.replace(
    /^logsource.*\n/m,
    "correlation:\n  type: event_count\n  rules: [a]\n  timespan: 5m\n  condition: {gte: 3}\n",
  );
  const cases = "match: [[{offset: 0}]]\nmiss: [[{offset: 0}]]\n";
  const grouped = (by: string) =>
    lintFiles([{ ...fileOf(head + by, cases), problems: [] }]).map((f) => `${f.code}:${f.line}`);
  expect(grouped("")).toEqual(["group_by_missing:8"]);
  expect(grouped("  group-by: [user.name, event.id]\n")).toEqual(["group_by_unbounded:13"]);
  expect(grouped("  group-by: [user.name]\n")).toEqual([]);
});

test("rules of other people: one remark a rule, no proof asked for", () => {
  const text = detection(
    "  sel: {CommandLine: a, Image: b}\n  condition: sel\n",
    HEAD.replace("tapline", "windows"),
  );
  const [only, ...more] = lintFiles([{ ...fileOf(text), proof: undefined }]);
  expect([only!.code, only!.severity, more]).toEqual(["foreign", "warning", []]);
  expect(only!.message).toMatch(/windows\/tool-call.*CommandLine, Image/);
});

test("fix: mechanical mistakes go, comments, quotes and layout stay", () => {
  const before = `# a comment
title: A Rule # the name
status: Test
description: Says something.
date: 2026/1/2
tags:
    - attack.initial_access # how it begins
    - attack.initial-access
falsepositives: [none]
level: Low
logsource: {product: tapline, category: tool-call}
detection:
    timeframe: 5m # old
    selection:
        gen_ai.tool.name|contains|all: "*send*"   # odd   spaces
    filter:
        gen_ai.tool.name:
            - read # this one
            - READ
    condition: selection AND NOT filter
`;
  const after = `# a comment
title: A Rule # the name
id: ID
status: test
description: Says something.
date: 2026-01-02
tags:
    - attack.initial-access # how it begins
falsepositives: [none]
level: low
logsource: {product: tapline, category: tool-call}
detection:
    selection:
        gen_ai.tool.name|contains: "send"   # odd   spaces
    filter:
        gen_ai.tool.name:
            - read # this one
    condition: selection and not filter
`;
  let text = before;
  for (let round = 0; round < 3; round++) {
    const edits = lintFiles([fileOf(text)]).flatMap((f) => f.edit ?? []);
    text = applyEdits(text, edits)!.text;
  }
  expect(text.replace(/^id: .*/m, "id: ID")).toBe(after);
  expect(codes(text)).toEqual([]);
});

test("an edit that would break the YAML is not made", () => {
  expect(applyEdits("a: 1\n", [{ start: 0, end: 1, text: "[" }])).toBeUndefined();
});

test("one title in two files", () => {
  const text = selection("gen_ai.tool.name: a");
  const findings = lintFiles([fileOf(text), { ...fileOf(text), path: "s.yml" }]);
  expect(findings.map((f) => [f.file, f.code])).toEqual([["s.yml", "title_twice"]]);
});
