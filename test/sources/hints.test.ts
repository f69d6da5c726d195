// What the operating system says of files is looked at between polls, which are an hour apart here; and what a poll
// has to judge is left to one.
import { getEventListeners } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import file from "../../src/sources/file.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";

const HOUR_MS = 3_600_000;
const LIMIT_MS = 10_000;
let dir: string;
let bench: Bench;
beforeEach(() => {
  dir = tempDir();
});
afterEach(async () => {
  await bench.source.close();
  removeDir(dir);
});

async function start(poll_ms: number): Promise<void> {
  const config = { type: "file", include: [join(dir, "**/*.log*")], poll_ms: 60_000, grace_ms: HOUR_MS };
  bench = new Bench(maker(file as never, { ...config, poll_ms }), dir);
  await bench.open();
}

/** Reads as the pipeline does, until there are so many records. */
async function until(count: number): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  while (bench.records.length < count && !signal.aborted) {
    if (!(await bench.read())) await bench.source.wait(signal);
    bench.settle();
  }
  expect(bench.texts.length, bench.texts.join("")).toBe(count);
  expect(getEventListeners(signal, "abort").length, "waits leave nothing").toBe(0);
}
const polls = (): number => bench.source.counts!["polls"]!;

test("lines are read long before the next poll, looked at not more often than every so many ms", async () => {
  const log = join(dir, "a.log");
  fs.writeFileSync(log, "first\n");
  await start(60_000);
  await until(1);
  const started = performance.now();
  for (let n = 1; n <= 10; n++) {
    fs.appendFileSync(log, `line ${n}\n`);
    await until(1 + n);
  }
  expect(performance.now() - started).toBeGreaterThan(8 * LIMITS.hint_ms);
  expect(polls()).toBe(1);
});

test("a file that was replaced is left to a poll, which comes at once", async () => {
  const log = join(dir, "a.log");
  fs.writeFileSync(log, "first\n");
  await start(60_000);
  await until(1);
  fs.appendFileSync(log, "last of the old\n");
  fs.renameSync(log, `${log}.1`);
  fs.writeFileSync(log, "first of the new\n");
  await until(3);
  expect(bench.texts.toSorted()).toEqual(["first\n", "first of the new\n", "last of the old\n"]);
  expect(new Set(bench.records.map(({ stream }) => stream)).size).toBe(2);
  expect(bench.gaps).toEqual([]);
});

test("a directory that was replaced is found by a poll, and watched again", async () => {
  const inner = join(dir, "in");
  const log = join(inner, "a.log");
  fs.mkdirSync(inner);
  fs.writeFileSync(log, "first\n");
  await start(500);
  await until(1);
  fs.rmSync(inner, { recursive: true });
  fs.mkdirSync(inner);
  fs.writeFileSync(log, "second\n");
  await until(2);
  const waits: number[] = [];
  for (let n = 0; n < 8; n++) {
    const before = performance.now();
    fs.appendFileSync(log, `line ${n}\n`);
    await until(3 + n);
    waits.push(performance.now() - before);
  }
  // By polls alone they would take 2 s and more together.
  expect(waits.toSorted((a, b) => a - b)[4]).toBeLessThan(200);
});

test("no more directories are watched than the bound says, and the others are polled", async () => {
  const logs = Array.from({ length: LIMITS.hint_dirs + 8 }, (_, n) => join(dir, `${n}`, "a.log"));
  for (const log of logs) {
    fs.mkdirSync(join(log, ".."));
    fs.writeFileSync(log, "first\n");
  }
  await start(200);
  await until(logs.length);
  for (const log of logs) fs.appendFileSync(log, "second\n");
  await until(2 * logs.length);
  const watches = fs.readdirSync("/proc/self/fd").map((fd) => {
    const info = join("/proc/self/fdinfo", fd);
    const text = fs.existsSync(info) ? fs.readFileSync(info, "utf8") : "";
    return text.split("\n").filter((line) => line.startsWith("inotify ")).length;
  });
  expect(Math.max(...watches)).toBeLessThanOrEqual(LIMITS.hint_dirs + 8);
  expect(Math.max(...watches)).toBeGreaterThan(0);
});
