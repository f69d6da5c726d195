// The bounded map that tells its changes, against a plain map, and replayed from what it told.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Tracked } from "../../src/normalise/tracked.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("set" as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delta" as const), key }) },
);

it("holds what a plain map holds, drops the oldest, and is rebuilt from its changes, order included", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (max, steps) => {
      const plain = new Map<string, number>();
      const told = new Tracked<number>(max);
      const replayed = new Tracked<number>(max);
      let evicted = 0;
      for (const [n, { do: what, key: at }] of [...steps, { do: "delta" as const, key: "" }].entries()) {
        if (what === "set") {
          plain.set(at, n);
          told.set(at, n);
          if (plain.size > max) {
            plain.delete(plain.keys().next().value!);
            evicted++;
          }
        } else if (what === "delete") {
          plain.delete(at);
          told.delete(at);
        } else {
          replayed.apply(told.delta() ?? []);
          expect(replayed.entries()).toEqual([...plain]);
        }
        expect(told.entries()).toEqual([...plain]);
        expect(told.evicted).toBe(evicted);
      }
    }),
    { numRuns: 500 },
  );
});

it("tells nothing of what came and went in between", () => {
  const tracked = new Tracked<number>(4);
  tracked.set("a", 1);
  tracked.delete("a");
  expect(tracked.delta()).toBeUndefined();
  tracked.set("b", 1);
  expect(tracked.delta()).toEqual([["b", 1]]);
  tracked.delete("b");
  tracked.set("b", 2);
  tracked.delete("b");
  expect(tracked.delta()).toEqual([["b", null]]);
  expect(tracked.delta()).toBeUndefined();
});
