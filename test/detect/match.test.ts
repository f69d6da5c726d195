// A rule that throws on an event: it alone misses that event, and it is counted and named.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Explainer } from "../../src/detect/explain.ts";
import { slotFor } from "../../src/detect/fields.ts";
import { type CompiledRule, RuleSet } from "../../src/detect/match.ts";
import type { Node } from "../../src/detect/nodes.ts";
import { View } from "../../src/detect/slot.ts";
import { compile, ruleText } from "./helpers.ts";

const ruleOf = (id: string): CompiledRule =>
  compile(ruleText("s:\n  a: [1, 2]\ncondition: s", `id: ${id}\n`)).set.rules[0]!;

test("a rule that throws is isolated, counted and named", () => {
  const bad: Node = {
    cost: 0,
    test: (view) => {
      if (view.event["a"] === 2) throw new RangeError("too deep");
      return true;
    },
    partly: () => undefined,
    explain: () => undefined,
  };
  const [first, second, third] = [ruleOf("r1"), { ...ruleOf("r2"), test: bad }, ruleOf("r3")];
  const set = new RuleSet("test", [first, second, third], [], "any");
  const match = (a: number): number[] => {
    const out = [9];
    set.match({ a } as never, out);
    return out;
  };
  expect(match(1)).toEqual([9, 0, 1, 2]);
  expect(set.takeFailures()).toEqual([]);
  expect(match(2)).toEqual([9, 0, 2]);
  expect(match(2)).toEqual([9, 0, 2]);
  expect(set.takeFailures()).toEqual([{ id: "r2", title: second.rule.title, count: 2, reason: "too deep" }]);
  expect(set.takeFailures()).toEqual([]);
  expect(match(1)).toEqual([9, 0, 1, 2]);
});

test("one event after another, whatever kinds of them come", () => {
  const text = `title: Ours\nlogsource: {product: tapline, category: tool-call}\ndetection:\n  s: {file.path: x}\n  condition: s\n`;
  const { set } = compile(text, {});
  for (let i = 0; i < 3_000; i++) {
    const out: number[] = [];
    set.match({ "event.action": `kind ${i}`, "file.path": "x" } as never, out);
    expect(out).toEqual([]);
    set.match({ "event.action": "tool-call", "file.path": "x" } as never, out);
    expect(out).toEqual([0]);
  }
});

test("values that were remembered and had to go are counted", () => {
  const { set } = compile(ruleText("s:\n  a|contains: needle\ncondition: s"));
  const out: number[] = [];
  for (let again = 0; again < 2; again++)
    for (let i = 0; i < 100; i++) set.match({ a: `value ${i}` } as never, out);
  expect(set.values_replaced).toBe(0);
  for (let from = 0; from < 4 * LIMITS.answer_memo; from += 64) {
    for (let again = 0; again < 8; again++)
      for (let i = from; i < from + 64; i++) set.match({ a: `other ${i}` } as never, out);
  }
  expect(set.values_replaced).toBeGreaterThan(LIMITS.answer_memo);
  expect(out).toEqual([]);
});

test.each([
  ["table", "tapline", "gen_ai.tool.call.arguments", "options.url"],
  ["any", "test", "requestParameters", "options.url"],
] as const)("a key with dots hides nothing that stands on the path (%s)", (fields, product, object, path) => {
  const name = `${object}.${path}`;
  const text = `title: Evil\nlogsource: {product: ${product}}\ndetection:\n  s: {${name}|contains: evil.example}\n  condition: s\n`;
  const { set, problems } = compile(text, { fields });
  expect(problems).toEqual([]);
  const [evil, fine] = ["http://evil.example/x", "http://ok.example"];
  const cases: readonly (readonly [unknown, readonly number[]])[] = [
    [{ options: { url: evil } }, [0]],
    [{ "options.url": fine, options: { url: evil } }, [0]],
    [{ options: { url: fine }, "options.url": evil }, [0]],
    [[{ "options.url": fine }, { options: [{ url: evil }] }], [0]],
    [{ "options.url": null, options: { url: evil } }, [0]],
    [{ "options.url": fine, options: { url: fine, "url.url": evil } }, []],
  ];
  for (const [value, matched] of cases) {
    const event = { "event.action": "tool-call", [object]: value };
    const out: number[] = [];
    set.match(event as never, out);
    expect(out, JSON.stringify(value)).toEqual(matched);
    const { leaves } = new Explainer(set.rules[0]!.rule, event as never).explain();
    expect(leaves[0]!.outcome === "matches", JSON.stringify(value)).toBe(matched.length > 0);
  }
});

test("of an event with every way to spell a path each value is read once", () => {
  const parts = Array.from({ length: 12 }, () => "k");
  let count = 0;
  const below = (left: number): unknown =>
    left === 0
      ? `value ${count++}`
      : Object.fromEntries(
          Array.from({ length: left }, (_, i) => [parts.slice(0, i + 1).join("."), below(left - i - 1)]),
        );
  const slot = slotFor(parts.join("."), "any")!;
  const view = new View();
  view.set(below(parts.length) as object);
  slot.load(view);
  expect(count).toBe(2_048);
  expect(slot.count).toBe(count);
  expect(new Set(slot.values).size).toBe(count);
});
