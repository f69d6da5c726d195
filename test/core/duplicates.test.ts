// Keys that an object repeats, against an oracle that knows how the text was made.
import fc from "fast-check";
import { expect, test } from "vitest";
import { repeatsKey } from "../../src/core/duplicates.ts";

const repeats = (text: string): boolean => {
  const bytes = Buffer.from(`xx${text}yy`);
  return repeatsKey(bytes, 2, bytes.length - 2);
};

interface Member {
  readonly key: string;
  readonly value: Tree;
}
type Tree = string | number | readonly Member[] | { readonly items: readonly Tree[] };
const key = fc.oneof(
  fc.constantFrom("a", "b", "", "é", '"', "\\", "\\\\", "{", "id", "x".repeat(60)),
  fc.string(),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    key,
    fc.integer(),
    fc.array(fc.record({ key, value: tie("tree") })),
    fc.record({ items: fc.array(tie("tree")) }),
  ),
}));

/** A key or text as JSON, now and then written with escapes that need not be. */
const quoted = (text: string, escape: boolean): string =>
  escape && text.length > 0 && text.charCodeAt(0) < 128
    ? `"\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}${JSON.stringify(text.slice(1)).slice(1)}`
    : JSON.stringify(text);

function write(value: Tree, escape: boolean): string {
  if (typeof value === "string") return quoted(value, escape);
  if (typeof value === "number") return String(value);
  if ("items" in value) return `[${value.items.map((item) => write(item, !escape)).join(" ,")}]`;
  const members = value.map((member) => `${quoted(member.key, escape)}\t: ${write(member.value, !escape)}`);
  return `{${members.join(",")} }`;
}
function hasRepeated(value: Tree): boolean {
  if (typeof value !== "object") return false;
  if ("items" in value) return value.items.some(hasRepeated);
  return new Set(value.map((m) => m.key)).size < value.length || value.some((m) => hasRepeated(m.value));
}

test("found exactly where they are", () => {
  fc.assert(
    fc.property(tree, fc.boolean(), (value, escape) => {
      const text = write(value, escape);
      expect(JSON.parse(text)).toBeDefined();
      expect(repeats(text)).toBe(hasRepeated(value));
    }),
    { numRuns: 3_000 },
  );
});

test("in time that grows with the text alone", () => {
  const keys = Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`);
  expect(repeats(`{${keys.join(",")}}`)).toBe(false);
  expect(repeats(`{${keys.join(",")},"k7":2}`)).toBe(true);
  expect(repeats(`{"a":"${"\\\\".repeat(2_000_000)}","b":"${'\\"'.repeat(1_000_000)}"}`)).toBe(false);
});
