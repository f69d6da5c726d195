// The spool source: segments in order, deleted once durable, missing ones told. Segments are written as the proxy does.
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Source } from "../../src/core/stage.ts";
import spool, { segmentOf } from "../../src/sources/spool.ts";
import { sourceContract } from "../contract/source.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";

const component = spool as never;

sourceContract("spool", {
  component,
  config: (dir, follow) => ({ type: "spool", dir, follow, poll_ms: 10 }),
  write: (dir, n, text) => fs.appendFileSync(join(dir, `stream${n}.1.spool`), text),
});

let dir: string;
let bench: Bench;
beforeEach(async () => {
  dir = tempDir();
  fs.mkdirSync(join(dir, "spool"));
  bench = new Bench(maker(component, { type: "spool", poll_ms: 10 }), dir);
  await bench.open();
});
afterEach(async () => {
  await bench.source.close();
  removeDir(dir);
});

const HEADER = `${JSON.stringify({ tapline_spool: 1, pid: 7, started_ms: 1, cwd: "/" })}\n`;
const path = (n: number, stream = "s", ending = "spool"): string =>
  join(dir, "spool", `${stream}.${n}.${ending}`);
const write = (n: number, text: string, stream = "s"): void => fs.appendFileSync(path(n, stream), text);
const left = (): string[] => fs.readdirSync(join(dir, "spool")).toSorted();
const counts = (): Record<string, number> =>
  (bench.source as Source & { counts: Record<string, number> }).counts;

describe("segments", () => {
  test("names", () => {
    expect(segmentOf("/x/a.b.12.spool")).toEqual({ stream: "a.b", number: 12, done: false });
    expect(segmentOf("/x/a.3.spool.done")).toEqual({ stream: "a", number: 3, done: true });
    expect(segmentOf("/x/a.3.done")).toEqual({ stream: "a", number: 3, done: true });
    expect(segmentOf("/x/a.spool")).toBeUndefined();
  });

  test("one that may still grow stays; with a successor it is deleted after it is durable, not before", async () => {
    write(1, `${HEADER}one\n`);
    await bench.rest(50);
    expect(left()).toEqual(["s.1.spool"]);
    write(1, "two\n");
    write(2, `${HEADER}three\n`);
    for (let i = 0; i < 20; i++) await bench.read(); // handed over, never settled
    expect(left()).toEqual(["s.1.spool", "s.2.spool"]);
    await bench.rest();
    expect(left()).toEqual(["s.2.spool"]);
    expect(bench.texts).toEqual([HEADER, "one\n", "two\n", HEADER, "three\n"]);
    expect(bench.gaps).toEqual([]);
  });

  test("renamed to .done: read to the end, with its last line, and deleted", async () => {
    write(1, "one\n");
    await bench.rest(30);
    write(1, "two\nthree without an end");
    fs.renameSync(path(1), path(1, "s", "done"));
    await bench.rest();
    expect(bench.texts).toEqual(["one\n", "two\n", "three without an end"]);
    expect([left(), bench.gaps]).toEqual([[], []]);
  });

  test("many at once are read in order, segment after segment", async () => {
    const expected: string[] = [];
    for (const n of [1, 2, 3, 10, 11].toReversed()) write(n, "");
    for (const n of [1, 2, 3, 10, 11]) {
      const lines = Array.from({ length: 3_000 }, (_, i) => `${n} ${i} ${"x".repeat(300)}\n`);
      if (n === 3) lines.push("cut off"); // the proxy was killed
      write(n, lines.join(""));
      expected.push(...lines);
    }
    await bench.rest();
    expect(bench.texts).toEqual(expected);
    expect(left()).toEqual(["s.11.spool"]);
    expect(bench.gaps).toMatchObject([{ reason: "spool_cut", path: path(10) }]);
  });
});

describe("loss and restart", () => {
  test("a missing segment is a gap, once; also across a restart; other streams are not touched", async () => {
    write(1, "one\n");
    write(1, "other\n", "t");
    await bench.rest(50);
    write(2, "two\n");
    await bench.rest();
    await bench.crash();
    write(4, "four\n");
    write(2, "other two\n", "t");
    await bench.rest();
    await bench.crash();
    await bench.rest();
    expect(bench.gaps).toMatchObject([{ reason: "spool_cut", path: path(4) }]);
    expect(bench.texts.toSorted()).toEqual(["four\n", "one\n", "other\n", "other two\n", "two\n"]);
    expect(left()).toEqual(["s.4.spool", "t.2.spool"]);
  });

  test("a first segment that is not number 1 follows lost ones", async () => {
    write(3, "three\n");
    await bench.rest();
    expect(bench.gaps).toMatchObject([{ reason: "spool_cut" }]);
  });

  test("a crash at any moment of a segment's end loses nothing, repeats nothing, deletes it in the end", async () => {
    for (let n = 1; n <= 12; n++) {
      write(n, `line ${n}\n`);
      for (let i = 0; i < n % 4; i++) {
        await bench.read();
        await bench.source.wait(AbortSignal.timeout(15));
      }
      if (n % 3 === 0) bench.settle();
      await bench.crash();
    }
    await bench.rest();
    expect(bench.texts).toEqual(Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`));
    expect([left(), bench.gaps]).toEqual([["s.12.spool"], []]);
  });

  test("a segment that somebody else deletes unread is a gap", async () => {
    write(1, "one\n");
    await bench.rest(30);
    await bench.source.close();
    write(1, "lost\n");
    fs.unlinkSync(path(1));
    await bench.open();
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    await bench.rest(50);
    expect(bench.gaps).toMatchObject([{ reason: "vanished", path: path(1) }]);
    expect(counts()["vanished"]).toBe(1);
  });
});
