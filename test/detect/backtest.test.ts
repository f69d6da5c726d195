// Backtests and what is expected of them, coverage, and recordings of others, on small data.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { eventOf } from "../../src/core/event.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { alertEvent } from "../../src/detect/alert.ts";
import { Backtest } from "../../src/detect/backtest.ts";
import { compileCorrelations } from "../../src/detect/correlate-compile.ts";
import { readCorrelations, readNames } from "../../src/detect/correlations.ts";
import { coverageOf, layersOf } from "../../src/detect/coverage.ts";
import { readExpectations, unmet } from "../../src/detect/expect.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { readEvents, readInfo } from "../../src/detect/regression.ts";
import { junit } from "../../src/detect/report-junit.ts";
import { compileRules } from "../../src/detect/rules.ts";

const RULES = `title: A Call
id: r1
name: a_call
level: low
logsource: {product: tapline, category: tool-call}
detection: {sel: {gen_ai.tool.name: a}, condition: sel}
---
title: Many Calls
id: c1
level: high
correlation:
  type: event_count
  rules: [a_call]
  group-by: [gen_ai.conversation.id]
  timespan: 10m
  generate: true
  condition: {gte: 3}
`;

function call(minute: number, tool: string): Event {
  const e = eventOf("tool-call", { namespace: "default", host: "h", version: "0" });
  e["@timestamp"] = e["event.created"] = new Date(Date.UTC(2026, 0, 1, 23, 58 + minute)).toISOString();
  e["event.id"] = `e${minute}`;
  e["tapline.stream"] = "s";
  e["tapline.vantage"] = "transcript";
  e["gen_ai.tool.name"] = tool;
  e["gen_ai.conversation.id"] = "c";
  return e;
}

const set = compileRules(parseRules(RULES, "r.yml").rules);
const names = readNames(RULES, "r.yml");
const bases = set.rules.map(({ rule }) => ({ id: rule.id, hash: rule.hash, name: names.get(rule.line) }));
const joined = compileCorrelations(bases, readCorrelations(RULES, "r.yml").correlations, "table");
const open = (from?: string, to?: string) => new Backtest(set, joined.set, { from, to, samples: 2 });

test("matches by rule and day, correlations among them, compared with the alerts of the time", () => {
  expect(joined.problems).toEqual([]);
  const backtest = open();
  for (const minute of [0, 1, 2, 3]) {
    const e = call(minute, "a");
    backtest.add(e);
    if (minute < 2) backtest.add(alertEvent(set.rules[0]!, e, "hash"));
  }
  backtest.add(call(4, "b"));
  backtest.flush();
  const { rules, events, only_backtest, only_recorded } = backtest.report();
  expect(events).toBe(5);
  const [first, second] = rules;
  expect([first!.id, first!.matches, first!.recorded]).toEqual(["r1", 4, 2]);
  expect(first!.days).toEqual({ "2026-01-01": 2, "2026-01-02": 2 });
  expect(first!.samples.map((s) => s.event)).toEqual(["e0", "e1"]);
  expect([second!.id, second!.matches]).toEqual(["c1", 1]);
  // The correlation was not told at the time, and neither were two of the calls.
  expect([only_backtest, only_recorded]).toEqual([3, 0]);
});

test("the range of time holds its ends, and heartbeats and what comes of alerts are not matched", () => {
  const backtest = open(call(1, "a")["@timestamp"], call(2, "a")["@timestamp"]);
  for (const minute of [0, 1, 2, 3]) backtest.add(call(minute, "a"));
  for (const action of ["heartbeat", "alert-suppressed"]) {
    const own = call(1, "a");
    own["event.action"] = action;
    backtest.add(own);
  }
  expect(backtest.report()).toMatchObject({
    events: 2,
    first: call(1, "a")["@timestamp"],
    last: call(2, "a")["@timestamp"],
  });
});

test("an alert that no rule gives now is counted", () => {
  const backtest = open();
  backtest.add(alertEvent(set.rules[0]!, call(0, "a"), "hash"));
  expect(backtest.report()).toMatchObject({ only_backtest: 0, only_recorded: 1 });
});

const hits = (id: string, matches: number) => ({
  id,
  title: `Title ${id}`,
  level: "low",
  correlation: false,
  matches,
  recorded: 0,
  days: {},
  samples: [],
});

test("expectations: bounds by id or title, and rules that are not listed", () => {
  const expected = readExpectations(
    "rules:\n  r1: {exactly: 2}\n  Title r2: {at_least: 1, at_most: 3}\n  r4: {at_most: 1}\nunexpected: fail\n",
  );
  expect(expected.problems).toEqual([]);
  expect(unmet(expected, [hits("r1", 2), hits("r2", 3), hits("r4", 0), hits("r3", 0)])).toEqual([]);
  const missed = unmet(expected, [hits("r1", 1), hits("r2", 4), hits("r3", 5)]);
  expect(missed.map((m) => m.severity)).toEqual(["error", "error", "error", "error"]);
  expect(missed.map((m) => m.message).join("\n")).toMatch(
    /exactly 2[^]*at most 3[^]*"r4"[^]*"Title r3" matches 5/,
  );
});

test.each([
  ["rules: 1\n", /rules: a map/],
  ["rules: {a: {exactly: x}}\n", /rules\.a/],
  ["rules: {a: {exact: 1}}\n", /rules\.a/],
  ["rules: {}\nunexpected: maybe\n", /unexpected/],
  ["rule: {}\n", /"rule"/],
  ["rules: &a {b: *a}\n", /anchor|alias/i],
])("expectations that are wrong: %s", (text, message) => {
  expect(readExpectations(text).problems.join("\n")).toMatch(message);
});

test("coverage counts rules by technique, OWASP entry and control; layers are what the Navigator reads", () => {
  const rules = [
    {
      id: "1",
      title: "One",
      level: "low" as const,
      tags: ["attack.t1552.001", "atlas.t0086", "owasp.mcp01"],
      category: "tool-call",
    },
    {
      id: "2",
      title: "Two",
      level: "high" as const,
      tags: ["attack.t1552.001", "iso42001.a-7-5"],
      category: undefined,
    },
  ];
  const found = coverageOf(
    rules,
    new Map([
      ["A.7.5", "Data provenance"],
      ["A.9.4", "Intended use"],
      ["A.2.2", "AI policy"],
    ]),
  );
  expect(found.attack).toEqual([{ id: "T1552.001", name: "", rules: ["One", "Two"] }]);
  expect(found.atlas.map((row) => row.id)).toEqual(["AML.T0086"]);
  expect(found.owasp).toHaveLength(30);
  expect(found.owasp.filter((row) => row.rules.length > 0).map((row) => row.id)).toEqual(["MCP01"]);
  expect(found.controls.map((row) => row.rules)).toEqual([["Two"], ["One"], []]);
  const layers = layersOf(found, rules) as {
    domain: string;
    versions: { layer: string };
    techniques: object[];
  }[];
  expect(layers.map((layer) => [layer.domain, layer.versions.layer])).toEqual([
    ["enterprise-attack", "4.5"],
    ["atlas-atlas", "4.5"],
  ]);
  expect(layers[0]!.techniques).toEqual([
    expect.objectContaining({
      techniqueID: "T1552.001",
      score: 2,
      metadata: [{ name: "highest level", value: "high" }],
    }),
  ]);
});

test("recordings: a value, a list, lines, values glued together; Windows events with their data on top", () => {
  expect(readEvents('{"a": 1}')).toEqual([{ a: 1 }]);
  expect(readEvents('[{"a": 1}, {"a": 2}]')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(readEvents('{"a": "}{"}\n{"a": "\\"{"}\n')).toEqual([{ a: "}{" }, { a: '"{' }]);
  expect(readEvents('{"a": {"b": 1}}{"a": [{}]}')).toEqual([{ a: { b: 1 } }, { a: [{}] }]);
  expect(() => readEvents("{nothing")).toThrow(SyntaxError);
  const dir =
    "test/fixtures/sigma-regression/regression_data/rules/windows/process_creation/proc_creation_win_renamed_msdt";
  const { recordings, problems } = readInfo(readFileSync(`${dir}/info.yml`, "utf8"));
  expect([recordings.length, recordings[0]!.matches, problems]).toEqual([1, 1, []]);
  const text = readFileSync(
    recordings[0]!.path.replace(/^/, "test/fixtures/sigma-regression/").replace(/evtx$/, "json"),
    "utf8",
  );
  expect(readEvents(text)[0]).toMatchObject({
    EventID: 1,
    Provider_Name: "Microsoft-Windows-Sysmon",
    OriginalFileName: "msdt.exe",
  });
});

test("JUnit: counts, and text that XML cannot hold as it is", () => {
  const text = junit([
    {
      file: "a&b.yml",
      rule: 'R "x" <y>',
      id: "1",
      cases: [{ name: "one" }, { name: "two", failure: "a\u0000<b>" }, { name: "three", skipped: "no" }],
    },
  ]);
  expect(text).toContain('tests="3" failures="1" errors="0" skipped="1"');
  expect(text).toContain('name="a&amp;b.yml"');
  expect(text).toContain('classname="R &quot;x&quot; &lt;y&gt;"');
  expect(text).toContain('message="a &lt;b&gt;"');
});
