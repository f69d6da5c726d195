// What the collector keeps for itself, damaged while it was down: it does without, or is refused with a reason, the same one
// each time, until what the reason asks for is done. Never a crash, never running without collecting.
import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench } from "./inject.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  for (let run = 0; run < 2; run++) {
    bench.append(150);
    expect((await bench.run()).code).toBe(0);
  }
  bench.append(50);
  bench.keep();
});
afterAll(() => bench.close());

const newest = (dir: string): string => join(dir, readdirSync(join(bench.state, dir)).toSorted().at(-1)!);
const half = (path: string): void => truncateSync(path, Math.floor(statSync(path).size / 2));
const garble = (path: string): void => writeFileSync(path, "\u0000{garbage");
const lengthen = (path: string): void => writeFileSync(path, '{"index":1,"at', { flag: "a" });

// What can be done without.
const WITHOUT: readonly (readonly [what: string, damage: (state: string) => void])[] = [
  ["the status", (state) => garble(join(state, "status.json"))],
  ["the newest snapshot", (state) => half(join(state, newest("ledger/snapshots")))],
  ["every snapshot", (state) => rmSync(join(state, "ledger/snapshots"), { recursive: true })],
  [
    "the end of the log, from a write that was not finished",
    (state) => lengthen(join(state, newest("ledger/wal"))),
  ],
  ["the end of the dead letters", (state) => lengthen(join(state, "dlq/cluster.ndjson"))],
];
test.each(FULL ? WITHOUT : WITHOUT.slice(1, 5))("it does without %s", async (_, damage) => {
  bench.restore();
  damage(bench.state);
  const { code, stderr } = await bench.run();
  expect([code, /\n\s+at /.test(stderr)], stderr).toEqual([0, false]);
  await bench.check();
});

// What it does not start without, and what helps.
const REFUSED: readonly (readonly [
  what: string,
  path: string,
  damage: (path: string) => void,
  says: RegExp,
])[] = [
  ["an empty digest key", "keys/digest.key", (path) => truncateSync(path, 0), /digest\.key is no key/],
  ["half a signing key", "ledger/ledger.key", half, /ledger\.key|key/i],
  ["a checkpoint that nobody signed", "ledger/checkpoint", garble, /checkpoint is damaged/],
];
test.each(FULL ? REFUSED : REFUSED.slice(0, 2))(
  "%s is refused each time, and changes nothing",
  async (_, path, damage, says) => {
    bench.restore();
    const whole = join(bench.home, "whole");
    const at = join(bench.state, path);
    cpSync(at, whole);
    damage(at);
    const damaged = readFileSync(at);
    for (let times = 0; times < 2; times++) {
      const { code, stderr } = await bench.run();
      expect([code, stderr]).toEqual([3, expect.stringMatching(says)]);
      expect(stderr).toMatch(/remedy: /);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(readFileSync(at)).toEqual(damaged);
    }
    cpSync(whole, at);
    expect((await bench.run()).code).toBe(0);
    await bench.check();
  },
);

test("a cursor that is none holds up its sink alone, and says what to do; that done, nothing is shipped twice", async () => {
  bench.restore();
  const path = join(bench.state, "cursors/cluster.json");
  garble(path);
  // The second time there is nothing left to read.
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await bench.run();
    expect([code, stderr]).toEqual([3, expect.stringContaining("move the file away")]);
  }
  rmSync(path);
  bench.proxy.truth!.rollover();
  expect((await bench.run()).code).toBe(0);
  await bench.check();
});
