// Wildcards and escapes against a matcher too simple to be wrong, and literals of regular expressions against RE2.
import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { literalsOf } from "../../src/detect/literals.ts";
import {
  ANY,
  DASH,
  ONE,
  type Part,
  type Text,
  finder,
  necessary,
  parseText,
  plain,
  simplify,
} from "../../src/detect/pattern.ts";

test.each<[string, readonly Part[]]>([
  ["abc", ["abc"]],
  ["a*b?c", ["a", ANY, "b", ONE, "c"]],
  [String.raw`\*`, ["*"]],
  [String.raw`\\*`, ["\\", ANY]],
  [String.raw`\\\*`, [String.raw`\*`]],
  [String.raw`C:\Windows\*`, [String.raw`C:\Windows*`]],
  [String.raw`C:\Windows\\*`, ["C:\\Windows\\", ANY]],
  [String.raw`a\b`, [String.raw`a\b`]],
  [String.raw`a\\b`, [String.raw`a\b`]],
  [String.raw`a\\\b`, [String.raw`a\\b`]],
  [String.raw`a\\\\b`, [String.raw`a\\b`]],
  [String.raw`end` + "\\", ["end\\"]],
  ["\\?", ["?"]],
])("reads %s", (source, parts) => {
  expect(parseText(source)).toEqual(parts);
});

/** Matches by trying everything, one code point at a time. */
function naive(text: Text, chars: readonly string[]): boolean {
  const units = text.flatMap((p): Part[] => (typeof p === "string" ? Array.from(p) : [p]));
  const go = (i: number, k: number): boolean => {
    if (i === units.length) return k === chars.length;
    const unit = units[i]!;
    if (unit === ANY) return go(i + 1, k) || (k < chars.length && go(i, k + 1));
    if (k >= chars.length) return false;
    const fits = unit === ONE || (unit === DASH ? "-/–—―".includes(chars[k]!) : chars[k] === unit);
    return fits && go(i + 1, k + 1);
  };
  return go(0, 0);
}

const letter = fc.constantFrom("a", "b", "-", "/", "😀", "é");
const part = fc.oneof(
  fc.array(letter, { minLength: 1, maxLength: 3 }).map((l) => l.join("")),
  fc.constantFrom<Part>(ANY, ONE, DASH),
);

test("matches what a naive matcher matches", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(letter, { maxLength: 8 }), (parts, chars) => {
      expect(finder(simplify(parts))(chars.join("")) >= 0).toBe(naive(parts, chars));
    }),
    { numRuns: 20_000, seed: 1 },
  );
});

test("a text written with every special character escaped matches itself alone", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "*", "?", "\\", "%") }),
      fc.string(),
      (text, other) => {
        const parts = parseText(text.replace(/[\\*?]/g, "\\$&")) as Text;
        expect(plain(parts)).toBe(text);
        expect(plain(parts) === other).toBe(text === other);
      },
    ),
    { seed: 2 },
  );
});

test("what is necessary is in every match", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(letter, { maxLength: 8 }), (parts, chars) => {
      const text = chars.join("");
      const literal = necessary(simplify(parts), 1);
      if (literal !== undefined && finder(simplify(parts))(text) >= 0)
        expect(text.toLowerCase()).toContain(literal);
    }),
    { numRuns: 5_000, seed: 3 },
  );
});

test.each<[string, string[] | undefined]>([
  ["foo.*barbaz", ["barbaz"]],
  ["(?i)(curl|wget)\\b", ["curl", "wget"]],
  ["\\bsh\\s+-i", undefined],
  ["a|foo", undefined],
  ["(foo)*bar", ["bar"]],
  ["(foo)?", undefined],
  ["[^a]bc", undefined],
  ["x{2,}yyy", ["xyyy"]],
  ["(?P<n>abc)+d", ["abcd"]],
  ["\\Qabc\\E", undefined],
])("literals of %s", (source, literals) => {
  expect(literalsOf(source, 3)).toEqual(literals);
});

test("every match of a regular expression holds one of its literals", () => {
  const leaf = fc.constantFrom(
    "a",
    "b",
    "ab",
    "K",
    "\\.",
    "\\d",
    "\\s",
    "[ab]",
    "[^a]",
    ".",
    "\\b",
    "^",
    "$",
    "bab",
    "s",
  );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium" },
      leaf,
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => a + b),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie("tree"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,2}", "+?"))
        .map(([a, q]) => `(?:${a})${q}`),
    ),
  }));
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "k", "K", "\u212a", "s", "\u017f", ".", " ", "1", "\n"),
    maxLength: 10,
  });
  fc.assert(
    fc.property(tree, text, fc.boolean(), (source, subject, fold) => {
      const literals = literalsOf(source, 1);
      if (literals === undefined) return;
      if (!RE2JS.compile(source, fold ? RE2JS.CASE_INSENSITIVE : 0).test(subject)) return;
      const seen = subject.toLowerCase().replaceAll("\u017f", "s");
      expect(
        literals.some((l) => seen.includes(l)),
        `${source} ${JSON.stringify(subject)}`,
      ).toBe(true);
    }),
    { numRuns: 20_000, seed: 5 },
  );
});
