// The index over the rules of a set: it finds what is there, and a set that uses it matches the same events as one that
// tries every rule on every event.
import fc from "fast-check";
import { expect, test } from "vitest";
import { Literals, type Sight, type Watcher, type Where } from "../../src/detect/index-slot.ts";
import { Trie } from "../../src/detect/index-trie.ts";
import { Leaf } from "../../src/detect/leaf.ts";
import { All, Any, Not, type Node } from "../../src/detect/nodes.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { Scan } from "../../src/detect/scan.ts";
import { View } from "../../src/detect/slot.ts";

const unit = fc.constantFrom("a", "b", "c", "é", "😀", "1");
const word = fc.string({ unit, minLength: 1, maxLength: 10 });
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 60 });
const text = fc.array(word, { maxLength: 12 }).map((parts) => parts.join(""));

/** Which of the literals a text has, as an index tells. */
function found(
  literals: readonly string[],
  run: (map: ReadonlyMap<string, Sight>, to: { tell: (s: Sight) => void }) => void,
): string[] {
  const map = new Map<string, Sight>(literals.map((l) => [l, { sure: [], maybe: [], toldAt: 0 }]));
  const told = new Set<Sight>();
  run(map, { tell: (sight) => told.add(sight) });
  return literals.filter((literal) => told.has(map.get(literal)!));
}

test("a scan finds exactly the literals that occur", () => {
  const holds = (literals: string[], t: string): void => {
    expect(found(literals, (map, to) => new Scan(map).run(t, to))).toEqual(
      literals.filter((l) => t.includes(l)),
    );
  };
  fc.assert(fc.property(words, text, holds), { numRuns: 2_000, seed: 4 });
  // Enough of them for every size of its tables.
  const many = fc.uniqueArray(word, { minLength: 300, maxLength: 400 });
  fc.assert(fc.property(many, text, holds), { numRuns: 50, seed: 5 });
});

test("a trie finds exactly the literals that a text starts or ends with", () => {
  fc.assert(
    fc.property(words, text, (literals, t) => {
      const starts = found(literals, (map, to) => new Trie(map, false).run(t, to));
      expect(starts).toEqual(literals.filter((l) => t.startsWith(l)));
      const ends = found(literals, (map, to) => new Trie(map, true).run(t, to));
      expect(ends).toEqual(literals.filter((l) => t.endsWith(l)));
    }),
    { numRuns: 2_000, seed: 6 },
  );
});

test("a field's index tells a watcher once an event, over all values", () => {
  const watcher: Watcher = { id: 0, seenAt: 0, sureAt: 0, uses: 1, weight: 0 };
  const closer: Watcher = { ...watcher, id: 1 };
  const literals = new Literals();
  for (const where of ["is", "starts", "ends", "holds"] as Where[])
    literals.add(where, "pass", watcher, true);
  literals.add("holds", "pass", closer, false);
  const index = literals.build();
  index.search(["no", "pass", "my pass"], 3, 7);
  expect(index.hits.slice(0, index.hitCount)).toEqual([watcher, closer]);
  expect([watcher.sureAt, closer.seenAt, closer.sureAt]).toEqual([7, 7, 0]);
  // A long s is an s to expressions that ignore case, and only to those.
  index.search(["my paſſ"], 1, 8);
  expect([watcher.seenAt, closer.seenAt]).toEqual([7, 8]);
  index.search(["no"], 1, 9);
  expect(index.hitCount).toBe(0);
});

const value = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "B", "b", "1", "-", "*", "?", "\\", "ſ", "s", "é"), maxLength: 6 }),
  fc.integer({ min: 0, max: 3 }),
);
const field = fc.constantFrom("a", "b", "o.a", "o");
const modifiers = fc.constantFrom(
  "|contains",
  "|contains",
  "|startswith",
  "|endswith",
  "|cased",
  "|contains|cased",
  "|contains|all",
  "|windash|contains",
  "|neq",
);
const pattern = fc.constantFrom("a+b", "(?i)s{2}", "^1", "(ab|b1)", "[ab]{2}-");
const list = fc.array(value, { minLength: 1, maxLength: 4 });
const item = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(field, list) },
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.tuple(field, modifiers).map(([f, m]) => f + m),
      list,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      field.map((f) => `${f}|re`),
      pattern,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((f) => `${f}|exists`),
      fc.boolean(),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(field, fc.constant(null)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((f) => `${f}|gt`),
      fc.integer({ min: 0, max: 2 }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      field.map((f) => `${f}|fieldref`),
      field,
    ),
  },
);
const map = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => Object.fromEntries(items));
const selection = fc.oneof(
  { weight: 5, arbitrary: map },
  { weight: 2, arbitrary: fc.array(map, { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: list },
);
const condition = fc.constantFrom(
  "s1",
  "s1 and s2",
  "s1 or s2",
  "s1 and not s2",
  "not s1",
  "1 of s* and not s3",
  "all of them",
  "not (s1 and s2) or s3",
);
const rule = fc
  .record({ s1: selection, s2: selection, s3: selection, condition })
  .map((detection) => JSON.stringify({ title: "Random", logsource: { product: "test" }, detection }));
const held = fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.constant(null));
const event = fc.record(
  { a: held, b: held, o: fc.oneof(fc.record({ a: held }, { requiredKeys: [] }), value), "o.a": value },
  { requiredKeys: [] },
);

/** The same tests, without the word of any index. */
function plainly(node: Node): Node {
  if (node instanceof Leaf) node.indexed = false;
  else if (node instanceof Not) plainly(node.child);
  else if (node instanceof All || node instanceof Any) for (const child of node.children) plainly(child);
  return node;
}

test("a set matches what its rules match one by one", { timeout: 120_000 }, () => {
  let matched = 0;
  let tried = 0;
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 25 }),
      fc.array(event, { minLength: 1, maxLength: 12 }),
      (texts, events) => {
        const rules = texts.flatMap((source, i) => parseRules(source, `${i}.yml`).rules);
        const own = rules.map((r, i) => ({ ...r, id: String(i) }));
        const set = compileRules(own, { fields: "any" });
        expect(set.problems.filter((p) => p.severity === "error").map(String)).toEqual([]);
        const plain = compileRules(own, { fields: "any" }).rules.map(({ test: node }) => plainly(node));
        const view = new View();
        for (const e of events) {
          const out: number[] = [];
          set.match(e as never, out);
          view.set(e);
          const expected = plain.flatMap((node, place) => (node.test(view) ? [place] : []));
          matched += out.length;
          tried += plain.length;
          expect(out, JSON.stringify({ e, texts })).toEqual(expected);
        }
      },
    ),
    { numRuns: process.env["TAPLINE_FULL"] === "1" ? 5_000 : 400, seed: 7 },
  );
  // Neither "everything matches" nor "nothing does" would show a difference.
  expect(matched / tried).toBeGreaterThan(0.1);
  expect(matched / tried).toBeLessThan(0.9);
});
