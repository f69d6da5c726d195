// Correlation documents to trees, and the compile errors of those that cannot be honoured.
import { describe, expect, test } from "vitest";
import { base, load } from "./correlations.ts";

const BASES = ["a", "b", "c"].map(base).join("");

function errors(section: string, more = ""): string[] {
  const { problems } = load(`${BASES}title: C\n${more}correlation: ${section}\n`);
  return problems.filter((p) => p.severity === "error").map((p) => `${p.code} ${p.place}`);
}

describe("what can be honoured", () => {
  test("every key", () => {
    const { correlations, problems } = load(
      `${BASES}title: C
id: 0e95725d-7320-415d-80f7-004da920fc11
name: outer
correlation:
  type: value_percentile
  rules: [a, b]
  group-by: [who, h]
  timespan: 90m
  condition: {field: v, percentile: 95, gt: 3, lte: 8}
  aliases: {who: {a: g, b: h}}
  generate: true
  tapline.window: session
  tapline.gap: 30s
`,
    );
    expect(problems).toEqual([]);
    expect(correlations[0]).toMatchObject({
      id: "0e95725d-7320-415d-80f7-004da920fc11",
      name: "outer",
      type: "value_percentile",
      rules: ["a", "b"],
      group_by: ["who", "h"],
      span_ms: 5_400_000,
      window: "session",
      gap_ms: 30_000,
      condition: {
        kind: "number",
        tests: [
          { op: "gt", value: 3 },
          { op: "lte", value: 8 },
        ],
      },
      fields: ["v"],
      percentile: 95,
      aliases: { who: { a: "g", b: "h" } },
      generate: true,
    });
  });

  test("temporal without a condition asks for all rules", () => {
    const { correlations } = load(
      `${BASES}title: C\ncorrelation: {type: temporal, rules: [a, b], timespan: 1m}\n`,
    );
    expect(correlations[0]?.condition).toEqual({ kind: "number", tests: [{ op: "gte", value: 2 }] });
  });

  test("a boolean condition names its rules and is written out", () => {
    const text = `${BASES}title: C\ncorrelation: {type: temporal, condition: b and not (a or c), timespan: 1m}\n`;
    const { correlations } = load(text);
    expect(correlations[0]?.rules).toEqual(["b", "a", "c"]);
    expect(correlations[0]?.condition).toEqual({ kind: "rules", clauses: [{ with: [0], without: [1, 2] }] });
  });

  test("rules by id, and correlations over correlations; inner ones come first and do not alert", () => {
    const { rules, set, problems } = load(
      `${BASES}title: outer\ncorrelation: {type: temporal_ordered, rules: [many, b], group-by: g, timespan: 1h}
---
title: many
name: many
correlation: {type: event_count, rules: a, group-by: h, timespan: 1m, condition: {gte: 3}}
`,
    );
    expect(problems).toEqual([]);
    expect(set.nodes.map(({ rule, alerts }) => [rule.title, alerts])).toEqual([
      ["many", false],
      ["outer", true],
    ]);
    // The outer group comes from the events behind the inner one.
    expect(set.plan[rules.rules[0]!.rule.hash]).toEqual(expect.arrayContaining(["g", "h"]));
    expect(set.quiet).toHaveLength(2);
  });

  test("generate keeps a rule alerting by itself, even when another correlation does not ask for it", () => {
    const one = "type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}";
    const { set } = load(
      `${BASES}title: C\ncorrelation: {${one}, generate: true}\n---\ntitle: D\ncorrelation: {${one}}\n`,
    );
    expect(set.quiet).toEqual([]);
  });
});

const COUNT = "rules: [a], timespan: 1m";
test.each([
  ["5", "correlation correlation"],
  [`{type: near, ${COUNT}}`, "correlation correlation.type"],
  [`{type: event_count, ${COUNT}, condition: {gte: 3}, within: 5m}`, "correlation correlation.within"],
  ["{type: event_count, rules: [a], condition: {gte: 3}}", "timespan correlation.timespan"],
  ["{type: event_count, rules: [a], timespan: 1M, condition: {gte: 3}}", "timespan correlation.timespan"],
  ["{type: event_count, rules: [a], timespan: 0s, condition: {gte: 3}}", "timespan correlation.timespan"],
  ["{type: event_count, rules: [a], timespan: 90d, condition: {gte: 3}}", "timespan correlation.timespan"],
  ["{type: event_count, timespan: 1m, condition: {gte: 3}}", "reference correlation.rules"],
  ["{type: event_count, rules: [a, a], timespan: 1m, condition: {gte: 3}}", "reference correlation.rules"],
  [`{type: event_count, ${COUNT}}`, "condition correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {}}`, "condition correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {min: 3}}`, "condition correlation.condition.min"],
  [`{type: event_count, ${COUNT}, condition: {gte: "3"}}`, "condition correlation.condition.gte"],
  [`{type: event_count, ${COUNT}, condition: {gte: 3, field: v}}`, "condition correlation.condition.field"],
  [`{type: event_count, ${COUNT}, condition: a}`, "condition correlation.condition"],
  [`{type: value_count, ${COUNT}, condition: {gte: 3}}`, "condition correlation.condition.field"],
  [
    `{type: value_sum, ${COUNT}, condition: {gte: 3, field: [v, w]}}`,
    "condition correlation.condition.field",
  ],
  [
    `{type: value_percentile, ${COUNT}, condition: {lte: 1, field: v}}`,
    "condition correlation.condition.percentile",
  ],
  [
    `{type: value_percentile, ${COUNT}, condition: {lte: 1, field: v, percentile: 101}}`,
    "condition correlation.condition.percentile",
  ],
  [
    `{type: value_avg, ${COUNT}, condition: {lte: 1, field: v, percentile: 5}}`,
    "condition correlation.condition.percentile",
  ],
  [`{type: event_count, ${COUNT}, condition: {gte: 0}}`, "condition_vacuous correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {lt: 0}}`, "condition_vacuous correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {gt: 5, lt: 6}}`, "condition_vacuous correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {eq: 2.5}}`, "condition_vacuous correlation.condition"],
  [`{type: event_count, ${COUNT}, condition: {gte: 1000000}}`, "condition_vacuous correlation.condition"],
  [
    `{type: value_avg, ${COUNT}, condition: {field: v, gt: 5, lt: 5}}`,
    "condition_vacuous correlation.condition",
  ],
  [
    `{type: temporal, rules: [a, b], timespan: 1m, condition: {gte: 3}}`,
    "condition_vacuous correlation.condition",
  ],
  [`{type: temporal, timespan: 1m, condition: not a}`, `condition_vacuous correlation.condition "not a"`],
  [
    `{type: temporal, timespan: 1m, condition: a or not b}`,
    `condition_vacuous correlation.condition "a or not b"`,
  ],
  [
    `{type: temporal, timespan: 1m, condition: a and not a}`,
    `condition_vacuous correlation.condition "a and not a"`,
  ],
  [
    `{type: temporal, timespan: 1m, condition: a and (b}`,
    `condition_syntax correlation.condition "a and (b"`,
  ],
  [`{type: temporal, rules: [a, b], timespan: 1m, condition: a}`, `reference correlation.condition "a"`],
  [
    `{type: temporal, rules: [a], timespan: 1m, condition: a and b}`,
    `condition_name correlation.condition "a and b"`,
  ],
  [`{type: event_count, rules: [d], timespan: 1m, condition: {gte: 3}}`, `reference correlation.rules "d"`],
  [`{type: event_count, ${COUNT}, condition: {gte: 3}, group-by: [5]}`, "correlation correlation.group-by"],
  [`{type: event_count, ${COUNT}, condition: {gte: 3}, generate: maybe}`, "correlation correlation.generate"],
  [
    `{type: event_count, ${COUNT}, condition: {gte: 3}, tapline.window: hopping}`,
    "correlation correlation.tapline.window",
  ],
  [
    `{type: event_count, ${COUNT}, condition: {gte: 3}, tapline.window: session}`,
    "timespan correlation.tapline.gap",
  ],
  [`{type: event_count, ${COUNT}, condition: {gte: 3}, tapline.gap: 5m}`, "window correlation.tapline.gap"],
  [`{type: event_count, ${COUNT}, condition: {gte: 3}, aliases: {x: g}}`, "alias correlation.aliases.x"],
  [
    `{type: event_count, ${COUNT}, condition: {gte: 3}, group-by: [x], aliases: {x: {zz: g}}}`,
    "alias correlation.aliases.x.zz",
  ],
])("%s is refused", (section, error) => {
  expect(errors(section)).toContain(error);
});

test("a number that rules which match the same events never reach is warned of", () => {
  const warnings = (rules: string, gte: number): string[] => {
    const section = `{type: event_count, rules: ${rules}, timespan: 1m, condition: {gte: ${gte}}}`;
    return load(`${BASES}title: C\ncorrelation: ${section}\n`).problems.map((p) => `${p.severity} ${p.code}`);
  };
  expect(warnings("[a]", 6_000)).toEqual([]);
  expect(warnings("[a, b]", 5_000)).toEqual([]);
  expect(warnings("[a, b]", 5_001)).toEqual(["warning condition_vacuous"]);
  expect(warnings("[a, b, c]", 3_334)).toEqual(["warning condition_vacuous"]);
  expect(warnings("[a, b]", 10_001)).toEqual(["error condition_vacuous"]);
});

test("a rule in a circle, and one that stands on a refused rule, are refused; the rest runs", () => {
  const over = (name: string, rule: string): string =>
    `title: ${name}\nname: ${name}\ncorrelation: {type: event_count, rules: [${rule}], timespan: 1m, condition: {gte: 2}}\n`;
  const { set, problems } = load(
    BASES +
      [over("x", "y"), over("y", "x"), over("z", "gone"), over("w", "z"), over("fine", "a")].join("---\n"),
  );
  expect(set.nodes.map((n) => n.rule.title)).toEqual(["fine"]);
  expect(new Set(problems.map((p) => p.rule))).toEqual(new Set(["x", "y", "z", "w"]));
  for (const p of problems) expect(p.remedy).not.toBe("");
});

test("fields that no event has are refused with a suggestion, unless the rules are for foreign events", async () => {
  const { compileCorrelations } = await import("../../src/detect/correlate-compile.ts");
  const loaded = load(
    `${BASES}title: C\ncorrelation: {type: event_count, ${COUNT}, group-by: user.nam, condition: {gte: 2}}\n`,
  );
  expect(loaded.problems).toEqual([]);
  const bases = loaded.rules.rules.map(({ rule }) => rule);
  const { set, problems } = compileCorrelations(bases, loaded.correlations, "table");
  expect(set.nodes).toEqual([]);
  expect(String(problems[0])).toContain('there is no field "user.nam". Did you mean "user.name"?');
});
