// Hostile shapes of values: nesting, numbers beyond a double, odd keys.
import fc from "fast-check";
import { expect, test } from "vitest";
import { newEvent, serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Json } from "../../src/core/text.ts";
import { limitObjects, limitShape } from "../../src/normalise/depth.ts";
import { parseExact } from "../../src/core/numbers.ts";

function levels(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levels));
}
const nested = (depth: number): Json => {
  let value: Json = "core";
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { a: value } : [value];
  return value;
};

test("never deeper than asked, nothing lost, shallow values untouched", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 1, max: 6 }), (value, max) => {
      const before = JSON.stringify(value);
      const after = limitShape(value as Json, max, 4_096);
      expect(levels(after)).toBeLessThanOrEqual(max);
      expect(JSON.stringify(value)).toBe(before);
      if (levels(value) <= max) expect(after).toBe(value);
      else
        expect(JSON.stringify(after).replaceAll("\\", "").length).toBeGreaterThanOrEqual(
          before.replaceAll("\\", "").length,
        );
    }),
  );
});

test("an event's deep objects become text and are listed", () => {
  const e = Object.assign(newEvent(), {
    "gen_ai.tool.call.arguments": nested(LIMITS.depth),
    "gen_ai.tool.call.result": nested(LIMITS.object_depth),
    "tapline.ext": JSON.parse('{"__proto__":'.repeat(20) + "1" + "}".repeat(20)) as Json,
  });
  limitObjects(e);
  expect(levels(e["gen_ai.tool.call.arguments"])).toBe(LIMITS.object_depth);
  expect(serialise(e)).toContain("core");
  expect(e["gen_ai.tool.call.result"]).toEqual(nested(LIMITS.object_depth));
  expect(e["tapline.data.truncated"]).toEqual(["gen_ai.tool.call.arguments", "tapline.ext"]);
  expect(JSON.stringify(e["tapline.ext"]).startsWith('{"__proto__":{"__proto__":')).toBe(true);
});

test("numbers that a double cannot hold are kept as their digits", () => {
  const text =
    '{"a":9007199254740993,"b":[18446744073709551615,-1],"c":1e400,"d":1.5,"e":"9007199254740993","f":12345678901234567890.5}';
  expect(parseExact(text)).toEqual({
    a: "9007199254740993",
    b: ["18446744073709551615", -1],
    c: "1e400",
    d: 1.5,
    e: "9007199254740993",
    f: "12345678901234567890.5",
  });
  expect(Object.keys(parseExact('{"__proto__":12345678901234567890}') as object)).toEqual(["__proto__"]);
  expect(() => parseExact("{")).toThrow(SyntaxError);
});
