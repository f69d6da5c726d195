// Many paths found in one pass are the same as each found alone; what is left over keeps every name.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Finder, compilePath, find, restOf, treeOf } from "../../../src/normalise/formats/json-path.ts";

const key = fc.constantFrom("a", "b", "a.b", "constructor", "__proto__", "toString");
const record = fc.letrec((tie) => ({
  object: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  value: fc.oneof({ depthSize: "small" }, fc.constantFrom(1, null, "text", [1]), tie("object")),
})).object;
const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join("."));

test("a finder finds what `find` finds, path by path", () => {
  fc.assert(
    fc.property(fc.array(path, { maxLength: 6 }), fc.array(record, { maxLength: 3 }), (texts, records) => {
      const paths = texts.map(compilePath);
      const finder = new Finder(paths);
      for (const made of records) {
        const one = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
        finder.look(one);
        for (const [place, of] of paths.entries()) expect(finder.at(one, place)).toBe(find(one, of));
      }
    }),
  );
});

test("a key named __proto__ is left over like any other", () => {
  const one = JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":2,"b":3},"c":4}') as Record<string, unknown>;
  const rest = restOf(one, treeOf([compilePath("a.b")]), new Set());
  expect(JSON.stringify(rest)).toBe('{"__proto__":{"x":1},"a":{"__proto__":2},"c":4}');
});
