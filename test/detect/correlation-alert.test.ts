// The alert of a correlation: what an analyst reads, and the id that keeps replays from doubling it.
import { expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import { correlationAlert, correlationAlertId } from "../../src/detect/correlation-alert.ts";
import type { Firing } from "../../src/detect/correlate-fire.ts";
import { parseRules } from "../../src/detect/parse.ts";

const TEXT = `title: Repeated denials
id: 3b0c1f5e-6f0e-4a52-9d0a-5a34a1f1d001
level: high
description: Many calls of one session were denied.
references: [https://example.org/denials]
tags: [atlas.t0086, attack.exfiltration]
correlation:
  type: event_count
  rules: [denied]
  group-by: [gen_ai.conversation.id, event.action]
  timespan: 10m
  condition: {gte: 5}
`;
const rule = parseRules(TEXT, "r.yml").correlations[0]!;
const NOW = Date.UTC(2026, 10, 1, 12);
const firing: Firing = {
  node: 0,
  key: "k",
  group: ['s1"\u202e', "tool-call"],
  grid_ms: NOW - 600_000,
  start_ms: NOW - 500_000,
  end_ms: NOW,
  time_ms: NOW - 5,
  number: 5,
  count: 5,
  evidence: [
    { event: "e1", index: 7 },
    { event: "e2", index: -1 },
  ],
  context: { "gen_ai.conversation.id": "s1", "user.name": "ann" },
  backfill: true,
};
const context = {
  origin: { namespace: "default", host: "h", version: "1" },
  ruleset_hash: "set",
  now_ms: NOW,
};

test("names the rule, the threat, whom it concerns and what it rests on", () => {
  const alert = correlationAlert(rule, firing, context);
  expect(JSON.parse(serialise(alert))).toMatchObject({
    "@timestamp": "2026-11-01T11:59:59.995Z",
    event: {
      kind: "alert",
      action: "rule-alert",
      risk_score: 73,
      severity: 73,
      created: "2026-11-01T12:00:00.000Z",
      reason:
        'Repeated denials: 5 events within 10m; gen_ai.conversation.id "s1\'", event.action "tool-call", user.name "ann"',
    },
    rule: {
      id: rule.id,
      name: "Repeated denials",
      version: rule.hash,
      ruleset: "set",
      category: "sigma-correlation",
    },
    threat: {
      framework: "MITRE ATLAS",
      tactic: { name: ["Exfiltration"] },
      technique: { id: ["AML.T0086"] },
    },
    user: { name: "ann" },
    tapline: {
      backfill: true,
      alert: {
        level: "high",
        event_ids: ["e1", "e2"],
        indexes: [7],
        count: 5,
        number: 5,
        group: { "gen_ai.conversation.id": 's1"\u202e', "event.action": "tool-call" },
        window: { start: "2026-11-01T11:51:40.000Z", end: "2026-11-01T12:00:00.000Z" },
      },
    },
  });
  // What is grouped by concerns the alert, and does not change what the alert itself is.
  expect(alert["gen_ai.conversation.id"]).toBe('s1"\u202e');
});

test("the id depends on rule, content, group and place on the grid alone", () => {
  const id = correlationAlertId(rule, firing);
  expect(correlationAlert(rule, firing, { ...context, now_ms: NOW + 1 })["event.id"]).toBe(id);
  expect(
    correlationAlertId(rule, { ...firing, start_ms: 1, end_ms: 2, time_ms: 3, evidence: [], number: 9 }),
  ).toBe(id);
  for (const other of [{ key: "l" }, { grid_ms: 0 }])
    expect(correlationAlertId(rule, { ...firing, ...other })).not.toBe(id);
  expect(correlationAlertId({ ...rule, hash: "other" }, firing)).not.toBe(id);
});

test.each([
  [
    "type: value_count, condition: {field: user.name, gte: 2}",
    {},
    "5 different values of user.name within 10m",
  ],
  [
    "type: value_sum, condition: {field: tapline.data.bytes_out, gte: 2}",
    { number: 1.23456 },
    "adds up to 1.235 within",
  ],
  [
    "type: value_percentile, condition: {field: event.duration, gte: 2, percentile: 95}",
    {},
    "percentile 95 of event.duration is 5",
  ],
  ["type: temporal", { number: 2 }, "5 events of 2 of its rules within"],
  ["type: temporal_ordered", { number: 2 }, "2 of its rules, one after the other, within"],
  ["type: event_count, condition: {lt: 1}", { number: 0, count: 0 }, "nothing within 10m"],
])("%s is told in a sentence", (section, more, told) => {
  const { correlations } = parseRules(
    `title: T\ncorrelation: {${section}, rules: [a, b], timespan: 10m}\n`,
    "r.yml",
  );
  const alert = correlationAlert(correlations[0]!, { ...firing, group: [], ...more }, context);
  expect(alert["event.reason"]).toContain(told);
});
