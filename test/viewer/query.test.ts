// The search language: what is written is what is read, and what is read can be written.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Term, parseQuery, queryText } from "../../src/viewer/query.ts";

const is = (field: string, ...texts: string[]): Term => ({
  kind: "is",
  not: false,
  field,
  values: texts.map((text) => ({ text, prefix: false })),
});

test("terms are read as they are meant", () => {
  expect(parseQuery('tool:Bash -outcome:success "two words" word')).toEqual([
    is("gen_ai.tool.name", "Bash"),
    { ...is("event.outcome", "success"), not: true },
    { kind: "text", not: false, text: "two words" },
    { kind: "text", not: false, text: "word" },
  ]);
  expect(parseQuery('user:(ann "b c") rule.name:* file.path:/etc/*')).toEqual([
    is("user.name", "ann", "b c"),
    { kind: "there", not: false, field: "rule.name" },
    { kind: "is", not: false, field: "file.path", values: [{ text: "/etc/", prefix: true }] },
  ]);
  expect(parseQuery("event.duration:>100 @timestamp:<2026-11-01T00:00:00Z")).toEqual([
    { kind: "above", not: false, field: "event.duration", value: "100" },
    { kind: "below", not: false, field: "@timestamp", value: "2026-11-01T00:00:00Z" },
  ]);
  expect(parseQuery("https://evil.example/x -y")).toEqual([
    { kind: "text", not: false, text: "https://evil.example/x" },
    { kind: "text", not: true, text: "y" },
  ]);
});

test.each([['"no end'], ["tool:(a b"], ["(a)"], ["tool:()"], ["tool:(a (b))"]])(
  "%s is refused in words",
  (text) => {
    expect(typeof parseQuery(text)).toBe("string");
  },
);

const field = fc.constantFrom("gen_ai.tool.name", "@timestamp", "a_b.c");
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("*", "\\*", "a*", "-a", "x:y", '"', "(", "<1"),
);
const bare = fc.stringMatching(/^[a-z/.*-]{1,8}$/);
const value = fc.oneof(
  text.map((one) => ({ text: one, prefix: false })),
  bare.map((one) => ({ text: one, prefix: true })),
);
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({
    kind: fc.constant("is" as const),
    not: fc.boolean(),
    field,
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("there" as const), not: fc.boolean(), field }),
  fc.record({
    kind: fc.constantFrom("above" as const, "below" as const),
    not: fc.boolean(),
    field,
    value: fc.integer().map(String),
  }),
  fc.record({
    kind: fc.constant("text" as const),
    not: fc.boolean(),
    text: text.filter((one) => one !== ""),
  }),
);

test("what is written is read back the same", () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 5 }), (terms) => {
      expect(parseQuery(queryText(terms))).toEqual(terms);
    }),
    { numRuns: 2_000 },
  );
});

test("any text is read without a throw, and in time", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 4_000 }),
        fc.array(text).map((all) => all.join(":")),
      ),
      (any) => {
        parseQuery(any);
      },
    ),
  );
});
