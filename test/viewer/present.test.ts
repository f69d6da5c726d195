// Figures over incidents as they are now, against figures worked out by hand.
import { expect, test } from "vitest";
import type { Ask } from "../../src/viewer/asks.ts";
import { askPresent, meets } from "../../src/viewer/present-figures.ts";
import { Sums } from "../../src/viewer/sums.ts";
import { readQuery } from "../../src/viewer/where.ts";

const document = (id: string, level: string, more: Record<string, unknown> = {}) => ({
  "@timestamp": "2026-11-01T00:00:00.000Z",
  "tapline.incident.id": id,
  "tapline.incident.level": level,
  "tapline.incident.deadline.passed": [],
  ...more,
});
const DOCUMENTS = [
  document("a", "high", { "tapline.incident.seconds.close": 60, "user.name": "ann" }),
  document("b", "high", {
    "tapline.incident.seconds.close": 600,
    "tapline.incident.deadline.passed": ["first"],
  }),
  document("c", "low"),
];

test("groups, medians, and what is without the field", () => {
  const ask: Ask = {
    where: [],
    by: [
      { kind: "value", field: "tapline.incident.level" },
      { kind: "value", field: "user.name", missing: true },
    ],
    measures: [
      { op: "count" },
      { op: "percentile", field: "tapline.incident.seconds.close" },
      { op: "max", field: "@timestamp" },
    ],
  };
  const sums = new Sums(ask);
  for (const group of askPresent(DOCUMENTS, ask).groups) sums.add(group);
  const found = sums.figures([undefined, 50]).map(({ keys, values }) => [...keys, values[0], values[2]]);
  const time = Date.UTC(2026, 10, 1);
  expect(found).toEqual([
    ["high", "ann", 1, time],
    ["high", "(none)", 1, time],
    ["low", "(none)", 1, time],
  ]);
  const [ann, other, low] = sums.figures([undefined, 50]).map(({ values }) => values[1]);
  expect(ann).toBeCloseTo(60, -0.5);
  expect(Math.abs(other! - 600) / 600).toBeLessThan(0.0101);
  expect(low).toBeNull();
});

test.each([
  ["tapline.incident.deadline.passed:*", ["b"]],
  ["-tapline.incident.deadline.passed:*", ["a", "c"]],
  ["tapline.incident.level:h*", ["a", "b"]],
  ["@timestamp:>2026-10-31T00:00:00Z user:ann", ["a"]],
  ["FIRST", ["b"]],
])("%s", (query, ids) => {
  // These fields are of no event: the language is the same.
  const terms = query.includes("deadline.passed")
    ? [{ kind: "there" as const, not: query.startsWith("-"), field: "tapline.incident.deadline.passed" }]
    : readQuery(query);
  const found = DOCUMENTS.filter((one) => terms.every((term) => meets(one, term)));
  expect(found.map((one) => one["tapline.incident.id"])).toEqual(ids);
});
