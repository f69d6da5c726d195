// Patterns of files: what they find, against Node's own matcher; that links do not lead round in circles; that what
// rests is not listed again.
import fc from "fast-check";
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join, matchesGlob } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Globs, expandBraces, pathMatcher } from "../../src/sources/glob.ts";
import { removeDir, tempDir } from "./harness.ts";

let dir: string;
beforeEach(() => {
  dir = fs.realpathSync(tempDir());
});
afterEach(() => removeDir(dir));

const FILES = [
  "a.log",
  "b.log",
  "c.txt",
  ".hidden.log",
  "x/a.log",
  "x/y/b.log",
  "x/y/z/c.log",
  ".h/a.log",
  "x/[q].log",
];
function write(paths: readonly string[]): void {
  for (const path of paths) {
    fs.mkdirSync(join(dir, path, ".."), { recursive: true });
    fs.writeFileSync(join(dir, path), "");
  }
}
const find = (include: readonly string[], exclude: readonly string[] = []): string[] => {
  const globs = new Globs(
    include.map((p) => join(dir, p)),
    exclude.map((p) => join(dir, p)),
  );
  return [...globs.look(Date.now()).paths!].map((path) => path.slice(dir.length + 1)).toSorted();
};

test.each([
  ["*.log", ["a.log", "b.log"]],
  ["a.log", ["a.log"]],
  ["[a-b].log", ["a.log", "b.log"]],
  ["[!a].log", ["b.log"]],
  ["?.{log,txt}", ["a.log", "b.log", "c.txt"]],
  ["**/*.log", ["a.log", "b.log", "x/[q].log", "x/a.log", "x/y/b.log", "x/y/z/c.log"]],
  ["x/**/*.log", ["x/[q].log", "x/a.log", "x/y/b.log", "x/y/z/c.log"]],
  ["x/**", ["x/[q].log", "x/a.log", "x/y/b.log", "x/y/z/c.log"]],
  ["*/*.log", ["x/[q].log", "x/a.log"]],
  ["*/y/*", ["x/y/b.log"]],
  [".*.log", [".hidden.log"]],
  [".h/*", [".h/a.log"]],
  ["x/{y/{b,z/c},a}.log", ["x/a.log", "x/y/b.log", "x/y/z/c.log"]],
])("%s", (pattern, expected) => {
  write(FILES);
  expect(find([pattern])).toEqual(expected);
});

test("exclude, several patterns, each path once", () => {
  write(FILES);
  expect(find(["*.log", "**/a.*"], ["b*", "x/**"])).toEqual(["a.log"]);
});

test("agrees with Node's matcher on paths of plain names", () => {
  const name = fc.stringMatching(/^[ab]{1,2}(\.log)?$/);
  const segment = fc.oneof(fc.constantFrom("*", "**", "?", "a*", "*.log", "[ab]", "{a,b}*"), name);
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.array(name, { minLength: 1, maxLength: 4 }),
      (p, n) => {
        const pattern = `/${p.join("/")}`;
        const path = `/${n.join("/")}`;
        fc.pre(p.at(-1) !== "**"); // Node's also finds the directory itself, ours finds files
        expect(pathMatcher(pattern).test(path)).toBe(matchesGlob(path, pattern));
      },
    ),
    { numRuns: 2_000 },
  );
});

test("braces nest, and a lone one stands for itself", () => {
  expect(expandBraces("a{b,c{d,e}}f")).toEqual(["abf", "acdf", "acef"]);
  expect(expandBraces("a{b")).toEqual(["a{b"]);
});

test("~ is the home directory", () => {
  expect(pathMatcher("~/x/*.log").test(join(homedir(), "x", "a.log"))).toBe(true);
  expect(new Globs(["~/x/*.log"], []).bases).toEqual([join(homedir(), "x")]);
});

test("links to directories are entered by name or *, never by **", () => {
  write(["real/a.log"]);
  fs.symlinkSync(dir, join(dir, "real", "loop"));
  fs.symlinkSync("real", join(dir, "link"));
  expect(find(["*/a.log"])).toEqual(["link/a.log", "real/a.log"]);
  expect(find(["**/a.log"])).toEqual(["real/a.log"]);
  expect(find(["link/*.log"])).toEqual(["link/a.log"]);
});

test("a directory that rests is not listed again; a change is seen; so is its end", () => {
  write(["x/a.log", "y/b.log"]);
  const old = new Date(Date.now() - 60_000);
  for (const name of ["x", "y", "."]) fs.utimesSync(join(dir, name), old, old);
  const globs = new Globs([join(dir, "*", "*.log")], []);
  expect(globs.look(Date.now()).paths!.size).toBe(2);
  expect(globs.look(Date.now())).toEqual({ paths: undefined, changed: new Set() });
  write(["x/c.log"]);
  const found = globs.look(Date.now());
  expect([found.paths!.size, [...found.changed]]).toEqual([3, [join(dir, "x")]]);
  removeDir(join(dir, "x"));
  expect([...globs.look(Date.now()).paths!]).toEqual([join(dir, "y", "b.log")]);
});

test("no more than LIMITS.files paths, and the rest is counted", async () => {
  vi.resetModules();
  vi.doMock("../../src/core/limits.ts", async (original) => {
    const { LIMITS } = await original<typeof import("../../src/core/limits.ts")>();
    return { LIMITS: { ...LIMITS, files: 3 } };
  });
  const { Globs: Small } = await import("../../src/sources/glob.ts");
  write(["1.log", "2.log", "3.log", "4.log", "5.log"]);
  const globs = new Small([join(dir, "*.log")], []);
  expect([globs.look(Date.now()).paths!.size, globs.over_limit]).toEqual([3, 2]);
  vi.doUnmock("../../src/core/limits.ts");
});
