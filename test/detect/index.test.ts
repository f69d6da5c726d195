// The index over the rules of a set: it finds what is there, and a set that uses it matches the same events as one that
// tries every rule on every event.
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Answers } from "../../src/detect/answers.ts";
import { Literals, type Sight, type Watcher, type Where } from "../../src/detect/index-slot.ts";
import { Trie } from "../../src/detect/index-trie.ts";
import { Leaf } from "../../src/detect/leaf.ts";
import { RuleSet } from "../../src/detect/match.ts";
import { Memo } from "../../src/detect/memo.ts";
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

test("a field's index tells of a test once, over all values, and of nothing else", () => {
  const [sure, closer, other] = [0, 1, 2].map((place): Watcher => ({
    place,
    told: true,
    uses: 1,
    weight: 0,
  }));
  const untold: Watcher = { place: 3, told: false, uses: 1, weight: 0 };
  const literals = new Literals();
  for (const watcher of [sure!, closer!, other!, untold]) literals.watch(watcher);
  for (const where of ["is", "starts", "ends", "holds"] as Where[]) literals.add(where, "pass", sure!, true);
  literals.add("holds", "pass", closer!, false);
  literals.add("is", "word", other!, true);
  const index = literals.build(new Memo(64), 0, false);
  const search = (...values: string[]): unknown[] => {
    const answers = index.search(values, values.length);
    const hits = answers.hits.slice(0, answers.hitCount);
    return [hits, [0, 1, 2, 3].map((place) => answers.answer(place))];
  };
  // More than once, so that the second and third time the memo is asked.
  for (let i = 0; i < 4; i++) {
    expect(search("no", "pass", "my pass")).toEqual([
      [0, 1],
      [true, undefined, false, undefined],
    ]);
    expect(search("my pass")).toEqual([
      [0, 1],
      [true, undefined, false, undefined],
    ]);
    // A long s is an s to expressions that ignore case, and only to those.
    expect(search("my paſſ")).toEqual([[1], [false, undefined, false, undefined]]);
    expect(search("no")).toEqual([[], [false, false, false, undefined]]);
    expect(search("WORD")).toEqual([[2], [false, false, true, undefined]]);
    expect(search()).toEqual([[], [false, false, false, false]]);
    // After values that do not come again the memo is not asked for a while.
    for (let n = 0; n < 2_000; n++) search(`value ${i} ${n}`);
  }
});

test("what was learned of a value that is kept is remembered, and of no other value", () => {
  const literals = new Literals();
  literals.watch({ place: 0, told: false, uses: 1, weight: 0 });
  const memo = new Memo(64);
  const index = literals.build(memo, 0, false);
  for (const value of ["a", "a", "b", "b"]) index.search([value], 1);
  expect(index.search(["a"], 1).kept).toBe(true);
  index.search(["a"], 1).learn(0, true);
  expect(index.search(["a"], 1).answer(0)).toBe(true);
  expect(index.search(["b"], 1).answer(0)).toBe(undefined);
  expect(index.search(["a", "c"], 2).answer(0)).toBe(undefined);
  // A number is not its text: tests of numbers tell them apart.
  for (let i = 0; i < 3; i++) index.search([5], 1).learn(0, true);
  for (let i = 0; i < 3; i++) expect(index.search(["5"], 1).answer(0)).toBe(undefined);
});

test("a memo keeps a value that comes twice, no more values than its size, and none that is long", () => {
  const memo = new Memo(64);
  const answers = new Answers(1, false);
  const meet = (value: string | number, field = 0): boolean =>
    memo.find(field, value) !== undefined || (memo.keep(field, value, answers), false);
  expect([meet("once"), meet("once"), meet("once"), meet("once", 1)]).toEqual([false, false, true, false]);
  for (let i = 0; i < 2; i++) for (let n = 0; n < 1_000; n++) for (let k = 0; k < 2; k++) meet(`value ${n}`);
  expect(memo.replaced).toBeGreaterThan(1_000);
  let held = 0;
  for (let n = 0; n < 1_000; n++) if (memo.find(0, `value ${n}`) !== undefined) held++;
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThanOrEqual(64);
  // Whatever characters the place goes by, values that differ anywhere are told apart.
  const alike = Array.from({ length: 400 }, (_, i) => `${"a".repeat(i)}b${"a".repeat(399 - i)}`);
  let again = 0;
  for (const [i, value] of alike.entries()) {
    const mine = new Answers(alike.length, false);
    mine.learn(i, true);
    for (let k = 0; k < 2; k++) if (memo.find(0, value) === undefined) memo.keep(0, value, mine);
    for (const [k, other] of alike.entries()) {
      const kept = memo.find(0, other);
      if (kept === undefined) continue;
      again++;
      if (kept.answer(k) !== true) expect.fail(`${k} has the answers of another`);
    }
  }
  expect(again).toBeGreaterThan(400);
  const long = "x".repeat(LIMITS.answer_memo_chars + 1);
  expect([meet(long), meet(long), meet(long)]).toEqual([false, false, false]);
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

/** What a rule says by its tests alone: without index, memo, clauses and candidates. */
function plainly(node: Node, view: View): boolean {
  if (node instanceof Leaf) return node.first(view) >= 0;
  if (node instanceof Not) return !plainly(node.child, view);
  if (node instanceof All) return node.children.every((child) => plainly(child, view));
  if (node instanceof Any) return node.children.some((child) => plainly(child, view));
  throw new Error("a node of no known kind");
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
        const cut = set.rules.length >> 1;
        const some = new RuleSet("some", set.rules.slice(cut), [], "any");
        const alone = compileRules(own, { fields: "any" }).rules;
        const view = new View();
        const expected = events.map((e) => {
          view.set(e);
          return alone.flatMap(({ test: node }, place) => (plainly(node, view) ? [place] : []));
        });
        // Values come again, alone and in other company: what was remembered of them has to hold.
        for (const turn of [0, 1, 2, 3, 4, 5]) {
          for (const [i, e] of events.entries()) {
            const out: number[] = [];
            set.match(e as never, out);
            expect(out, JSON.stringify({ turn, e, texts })).toEqual(expected[i]);
            matched += out.length;
            tried += alone.length;
            // A set of some of the same rules shares what is remembered, but not the places of rules.
            out.length = 0;
            some.match(e as never, out);
            expect(out).toEqual(expected[i]!.filter((place) => place >= cut).map((place) => place - cut));
          }
        }
      },
    ),
    { numRuns: process.env["TAPLINE_FULL"] === "1" ? 5_000 : 400, seed: 7 },
  );
  // Neither "everything matches" nor "nothing does" would show a difference.
  expect(matched / tried).toBeGreaterThan(0.1);
  expect(matched / tried).toBeLessThan(0.9);
});
