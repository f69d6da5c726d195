// Canonical JSON against RFC 8785 written out plainly.
import fc from "fast-check";
import { expect, it } from "vitest";
import { canonical } from "../../src/core/digest.ts";

/** RFC 8785 for what JSON can hold, as plainly as it can be written. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${plain(item)}`).join(",")}}`;
}

it("orders keys by code unit, whatever the keys are", () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom("10", "9", "__proto__", "a", "Z", "toJSON", "é", "\ud800"),
  );
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("value")),
      fc.dictionary(key, tie("value"), { maxKeys: 40 }),
    ),
  })).value;
  fc.assert(
    fc.property(tree, (value) => {
      const parsed: unknown = JSON.parse(JSON.stringify(value));
      expect(canonical(parsed)).toBe(plain(parsed));
    }),
    { numRuns: 500 },
  );
  const own: unknown = JSON.parse('{"b":1,"__proto__":{"10":1,"9":2},"a":[{"d":1,"c":null}]}');
  expect(canonical(own)).toBe('{"__proto__":{"10":1,"9":2},"a":[{"c":null,"d":1}],"b":1}');
});

it("leaves out what JSON does not have", () => {
  expect(canonical({ b: undefined, a: 1 })).toBe('{"a":1}');
  expect(canonical(undefined)).toBe("null");
});
