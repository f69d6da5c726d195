// Which classes the reference marks as made by no code of ours: held against events that were made, and against every way in
// which a class can be named without being made.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { classesMade } from "../../scripts/gen/made.ts";
import { readClasses } from "../../scripts/gen/tables.ts";

const classes = Object.keys(readClasses());

/** Classes without a star in the reference. */
function unstarred(): string[] {
  const [, section] = /^## Event classes$([^]*?)^## /m.exec(readFileSync("docs/reference.md", "utf8"))!;
  return [...section!.matchAll(/^\| `([a-z-]+)`( \*)? \|/gm)].flatMap(([, name, star]) =>
    star ? [] : [name!],
  );
}

/** Classes of events in files below a directory, as text or in the ledger's own framing. */
function classesBelow(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true, withFileTypes: true });
  const texts = names
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  const found = texts.flatMap((text) =>
    [...text.matchAll(/"(?:event\.)?action": ?"([a-z-]+)"/g)].map(([, name]) => name!),
  );
  return classes.filter((name) => found.includes(name));
}

test("every class of which events were made has no star, and the one that nothing makes has", () => {
  const made = unstarred();
  // All formats but the one whose mappings choose the class themselves, and ledgers of collectors.
  const formats = readdirSync("test/fixtures").filter((name) => name !== "json" && name !== "tapline-event");
  const seen = new Set(formats.flatMap((name) => classesBelow(join("test/fixtures", name))));
  expect(seen.size).toBeGreaterThan(35);
  expect([...seen].filter((name) => !made.includes(name))).toEqual([]);
  // Whoever adds a class that nothing makes, or makes the last of these, says so here.
  expect(classes.filter((name) => !made.includes(name))).toEqual(["egress"]);
});

test("a class is made where its name goes to what makes events, not where it is looked for", () => {
  const makes = (text: string): boolean =>
    classesMade(["bypass"], [{ path: "src/a.ts", text }]).has("bypass");
  for (const text of [
    'const e = eventOf("bypass", origin);',
    'const e = eventOf(kind === "x" ? "hole" : "bypass", origin);',
    'const e = eventOf(isIt(kind) ? "bypass" : "hole", origin);',
    'this.#parts.self.add(\n  "bypass",\n  message);',
    'return this.#event("bypass", call);',
    'const e = begin(line, "bypass", method);',
    'import type { Action } from "../core/generated/classes.ts";\nconst KINDS: Record<string, Action> = { a: "bypass" };',
  ])
    expect(makes(text), text).toBe(true);
  const named = 'import type { Action } from "../core/generated/classes.ts";\n';
  for (const text of [
    'if (e["event.action"] === "bypass") return;',
    'const NAMED = ["bypass"];',
    'seen.add("bypass");',
    '// eventOf("bypass", origin)',
    `${named}if (action !== "bypass") e["network.direction"] ??= "bypass";`,
  ])
    expect(makes(text), text).toBe(false);
});
