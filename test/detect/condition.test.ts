// Conditions: every form, precedence, keywords and selections of all shapes, and what is refused.
import { expect, test } from "vitest";
import { errorsOf, matches } from "./helpers.ts";

const three = "a: {x: 1}\nb: {y: 1}\nc: {z: 1}\n_hidden: {h: 1}\n";
const events = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ x: n & 1, y: (n >> 1) & 1, z: n >> 2, h: 0 }));
type Expected = (x: boolean, y: boolean, z: boolean) => boolean;

test.each<[string, Expected]>([
  ["a", (x) => x],
  ["not a", (x) => !x],
  ["not not a", (x) => x],
  ["a and b", (x, y) => x && y],
  ["a or b and c", (x, y, z) => x || (y && z)],
  ["(a or b) and c", (x, y, z) => (x || y) && z],
  ["not a and b", (x, y) => !x && y],
  ["not (a and b)", (x, y) => !(x && y)],
  ["a and not b or c", (x, y, z) => (x && !y) || z],
  ["1 of them", (x, y, z) => x || y || z],
  ["any of them", (x, y, z) => x || y || z],
  ["all of them", (x, y, z) => x && y && z],
  ["not 1 of them", (x, y, z) => !(x || y || z)],
  ["a and not 1 of b*", (x, y) => x && !y],
  ["1 of *", (x, y, z) => x || y || z],
  ["all of _*", () => false],
])("%s", (condition, expected) => {
  for (const e of events) {
    expect(matches(`${three}condition: ${condition}`, e)).toBe(expected(e.x === 1, e.y === 1, e.z === 1));
  }
});

test("a list of conditions is any of them", () => {
  const rule = `${three}condition: [a and b, c]`;
  for (const e of events) expect(matches(rule, e)).toBe((e.x === 1 && e.y === 1) || e.z === 1);
});

test.each([
  ["a and", "condition_syntax"],
  ["(a", "condition_syntax"],
  ["a b", "condition_syntax"],
  ["a AND b", "condition_syntax"],
  ["missing", "condition_name"],
  ["1 of sel*", "condition_vacuous"],
  ["2 of them", "condition_quantifier"],
  ["a | count() by x > 5", "legacy_aggregation"],
  ["a | near b", "legacy_aggregation"],
  ["(".repeat(200) + "a" + ")".repeat(200), "condition_depth"],
])("refuses %s", (condition, code) => {
  expect(errorsOf(`${three}condition: ${condition}`)).toEqual([code]);
});

test("a list of maps is any, a map is all", () => {
  const rule = "s:\n  - {a: 1, b: 2}\n  - {c: 3}\ncondition: s";
  expect(matches(rule, { a: 1, b: 2 })).toBe(true);
  expect(matches(rule, { a: 1 })).toBe(false);
  expect(matches(rule, { c: 3 })).toBe(true);
});

test("keywords search every text of the event, at any depth", () => {
  const any = "k: [needle, 'h?y*stack']\ncondition: k";
  expect(matches(any, { deep: { list: [{ text: "a NEEDLE in" }] } })).toBe(true);
  expect(matches(any, { text: "the haystack" })).toBe(true);
  expect(matches(any, { needle: "key only" })).toBe(false);
  expect(matches("k:\n  '|all': [one, two]\ncondition: k", { a: "one", b: { c: "two" } })).toBe(true);
  expect(matches("k:\n  '|all': [one, two]\ncondition: k", { a: "one" })).toBe(false);
  expect(matches("k:\n  '|re': 'n+e'\ncondition: k", { a: "nne" })).toBe(true);
  expect(matches("k:\n  - word\n  - {a: 1}\ncondition: k", { a: 1 })).toBe(true);
});
