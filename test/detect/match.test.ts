// A rule that throws on an event: it alone misses that event, and it is counted and named.
import { expect, test } from "vitest";
import { type CompiledRule, RuleSet } from "../../src/detect/match.ts";
import type { Node } from "../../src/detect/nodes.ts";
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
