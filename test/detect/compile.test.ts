// What is refused and how it says so; fields of the table; routing by logsource; loading from directories.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { eventOf } from "../../src/core/event.ts";
import type { Action } from "../../src/core/generated/classes.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { loadRules } from "../../src/detect/load.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compile, ruleText } from "./helpers.ts";

const dir = mkdtempSync(join(tmpdir(), "tapline-rules-"));
afterAll(() => rmSync(dir, { recursive: true }));

function ours(logsource: string, item: string, head = ""): string {
  return `title: Ours\n${head}logsource: {product: tapline${logsource}}\ndetection:\n  s:\n    ${item}\n  condition: s\n`;
}
function event(action: Action, fields: Partial<Event> = {}): Event {
  return Object.assign(eventOf(action, { namespace: "d", host: "h", version: "0" }), fields);
}
function hits(text: string, e: Event): boolean {
  const { set, problems } = compile(text, {});
  expect(problems.map(String)).toEqual([]);
  const out: number[] = [];
  set.match(e, out);
  return out.length > 0;
}
const codes = (text: string): string[] => compile(text, {}).problems.map((p) => p.code);

test("every problem of a rule is reported at once, with file, line, rule, place and remedy", () => {
  const text = `# comment\ntitle: Bad\nlevel: urgent\nlogsource: {product: tapline, category: tool-cal}\ndetection:\n  s:\n    file.pat|contain: x\n    file.path|cidr: y\n  condition: s and t\n`;
  const { set, problems } = compile(text, {});
  expect(set.rules).toEqual([]);
  expect(problems.map(String)).toEqual([
    'test.yml:2 "Bad", level: "urgent" is no level. Use one of informational, low, medium, high, critical.',
  ]);
  const rest = compile(text.replace("urgent", "high"), {}).problems;
  expect(rest.map((p) => `${p.code} ${p.place} ${p.remedy}`)).toEqual([
    'logsource logsource.category Did you mean "tool-call"?',
    'modifier detection.s.file.pat|contain Did you mean "contains"?',
    'field detection.s.file.pat|contain Did you mean "file.path"?',
    "cidr detection.s.file.path|cidr Write 10.0.0.0/8 or 2001:db8::/32",
    'condition_name detection.condition "s and t" Selections of this rule: s',
  ]);
});

test.each([
  ["correlation: []", "correlation"],
  ["logsource: {product: tapline}\nfilter: {rules: any}", "condition"],
  ["logsource: {product: tapline}\nfilter: {s: {a: 1}, condition: s}", "filter_rules"],
  ["filter: {rules: any, s: {a: 1}, condition: s}", "logsource"],
  ["logsource: {product: tapline}", "detection"],
])("%s is recognised and refused", (body, code) => {
  expect(codes(`title: X\n${body}\n`)).toContain(code);
});

test("one bad rule in a file leaves the others", () => {
  const good = ours("", "file.path: x");
  const { set, problems } = compile(
    `${good}---\ntitle: C\ncorrelation: {}\n---\n${good.replace("Ours", "Two")}`,
    {},
  );
  expect(set.rules.map((r) => r.rule.title)).toEqual(["Ours", "Two"]);
  expect(new Set(problems.map((p) => `${p.line} ${p.rule}`))).toEqual(new Set(["8 C"]));
});

test.each([
  ["a YAML bomb", `a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\ntitle: [*b,*b,*b]\n`, "yaml"],
  ["a repeated key", "title: a\ntitle: b\n", "yaml"],
  ["bad YAML", "title: [", "yaml"],
  ["a list", "- a\n", "not_a_rule"],
  ["a deep nest", `title: x\ncustom: ${"[".repeat(60)}${"]".repeat(60)}\n`, "depth"],
  ["a nest beyond the stack", `title: x\ncustom: ${"[".repeat(200_000)}\n`, "yaml"],
  ["a large file", `# ${"x".repeat(LIMITS.rule_file_bytes)}`, "file_size"],
])("%s is refused", (_what, text, code) => {
  const { rules, problems } = parseRules(text, "x.yml");
  expect(rules).toEqual([]);
  expect(problems.map((p) => p.code)).toContain(code);
});

test("keys of the prototype are keys like any other", () => {
  const text = ruleText("__proto__:\n  a: 1\ncondition: __proto__");
  const { set } = compile(text);
  const out: number[] = [];
  set.match({ a: 1 } as never, out);
  expect(out).toEqual([0]);
  expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
});

test("fields of the table, paths into its objects, and objects whole", () => {
  const e = event("tool-call", {
    "file.path": "/x",
    "gen_ai.tool.call.arguments": { command: "ls -l", list: [{ q: "deep" }], n: 7, "a.b": "dotted" },
    "tapline.text.flags": ["ansi", "bidi"],
    "tapline.data.bytes_out": 12,
    "tapline.primary": false,
  });
  for (const item of [
    "file.path: /X",
    "gen_ai.tool.call.arguments.command|startswith: ls",
    "gen_ai.tool.call.arguments.list.q: deep",
    "gen_ai.tool.call.arguments.a.b: dotted",
    "gen_ai.tool.call.arguments.n: 7",
    "gen_ai.tool.call.arguments|contains: eep",
    "tapline.text.flags: bidi",
    "tapline.data.bytes_out|gt: 11",
    "tapline.primary: false",
    "url.full: null",
  ]) {
    expect(hits(ours("", item), e), item).toBe(true);
  }
  expect(hits(ours("", "gen_ai.tool.call.arguments: 7"), e)).toBe(false);
  expect(codes(ours("", "tool.name: x"))).toEqual(["field"]);
  expect(codes(ours("", "event.hash: x"))).toEqual(["field"]);
  expect(codes(ours("", "file.path.x: x"))).toEqual(["field"]);
});

test.each<[string, Action, boolean]>([
  ["", "tool-call", true],
  [", category: tool-call", "tool-call", true],
  [", category: tool-call", "tool-result", false],
  [", service: activity", "tool-result", true],
  [", service: decision", "tool-result", false],
  [", service: decision, category: permission-change", "permission-change", true],
  [", service: activity, category: permission-change", "permission-change", false],
])("logsource {product: tapline%s} and %s: %s", (logsource, action, expected) => {
  expect(hits(ours(logsource, "file.path: x"), event(action, { "file.path": "x" }))).toBe(expected);
});

test("rules for other products are refused here and meet everything there", () => {
  const text = ruleText("s:\n  file.path: x\ncondition: s");
  expect(codes(text)).toEqual(["logsource"]);
  expect(compile(text, { fields: "any" }).problems).toEqual([]);
});

const hash = (text: string, placeholders = {}): string => compile(text, { placeholders }).set.hash;

test("a set's hash follows content, placeholders and nothing else", () => {
  const a = ours("", "file.path: x");
  expect(hash(`# comment\n${a}`)).toBe(hash(a));
  expect(hash(a.replace("x", "y"))).not.toBe(hash(a));
  expect(hash(a, { p: ["1"] })).not.toBe(hash(a));
});

test("loads directories, without proofs and links, and names what is missing", async () => {
  mkdirSync(join(dir, "a/b"), { recursive: true });
  writeFileSync(join(dir, "a/one.yml"), ours("", "file.path: x", "id: one\n"));
  writeFileSync(join(dir, "a/one.test.yml"), "match: []\n");
  writeFileSync(join(dir, "a/b/two.yaml"), ours("", "file.path: y", "id: one\n"));
  writeFileSync(join(dir, "a/notes.md"), "no rule");
  symlinkSync(join(dir, "a"), join(dir, "a/loop"));
  const { set, problems } = await loadRules([dir]);
  expect(set.rules.length).toBe(1);
  expect(problems.map((p) => [p.code, p.file])).toEqual([["duplicate_id", join(dir, "a/one.yml")]]);
  await expect(loadRules([join(dir, "absent")])).rejects.toMatchObject({
    code: "rules_missing",
    retry: false,
  });
});
