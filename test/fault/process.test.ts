// What befalls the process of the real collector: told to stop while a server keeps it waiting, frozen, short of memory and
// of file descriptors, a slow disk, a clock that is set, a second one beside it. Afterwards everything is everywhere once.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Bench, whyNot } from "./inject.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const HOUR_MS = 3_600_000;
let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
  bench.append(200);
});
afterEach(() => bench.close());

const soon = (what: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(what()).toBe(true), { timeout: 60_000, interval: 50 });
/** The next run finds nothing wrong and leaves nothing out. */
async function goesOn(): Promise<void> {
  const next = await bench.run();
  expect([next.code, next.stderr]).toEqual([0, ""]);
  await bench.check();
}

test("stopped while a server never answers, once and for good: it ends in time, and nothing is lost", async () => {
  for (const signals of [1, 100]) {
    bench.append(100);
    bench.proxy.script.push({ kind: "never" }, { kind: "never" }, { kind: "never" });
    bench.proxy.met.clear();
    const child = bench.start([]);
    const ended = bench.ended(child);
    await soon(() => bench.proxy.met.has("never"));
    for (let sent = 0; sent < signals && child.exitCode === null; sent++) {
      child.kill(sent % 2 === 0 ? "SIGTERM" : "SIGINT");
      await Promise.race([once(child, "exit"), sleep(200)]);
    }
    const { code, stderr } = await ended;
    // A signal that comes again is an order to end at once.
    expect(signals === 1 ? [0] : [0, 130], stderr).toContain(code);
    bench.proxy.script.length = 0;
  }
  await goesOn();
});

const FROZEN_MS = FULL ? 600_000 : 110_000;
test(
  "frozen while the other side closes its connections, it goes on when it is let go",
  async () => {
    const child = bench.start([]);
    const ended = bench.ended(child, FROZEN_MS);
    await bench.settled(child.pid!, 200);
    for (let times = 1; times <= (FULL ? 5 : 2); times++) {
      child.kill("SIGSTOP");
      bench.append(50);
      bench.proxy.hangUp();
      if (FULL) await sleep(60_000);
      child.kill("SIGCONT");
      await bench.settled(child.pid!, 200 + times * 50);
    }
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
    await bench.check();
  },
  FROZEN_MS,
);

test("out of memory it ends as if it were killed, and nothing is lost", async () => {
  let died = 0;
  for (const megabytes of FULL ? [14, 18, 22, 26, 30, 34, 38] : [20, 28]) {
    const { code } = await bench.run({ node: [`--max-old-space-size=${megabytes}`] });
    if (code !== 0) died++;
  }
  expect(died).toBeGreaterThan(0);
  await goesOn();
});

test("with too few file descriptors it says so or does with what it has, and nothing is lost", async () => {
  let ended = 0;
  for (const limit of FULL ? [24, 26, 28, 30, 34, 40] : [27, 32]) {
    const { code, stderr } = await bench.run({ before: ["prlimit", `--nofile=${limit}`] });
    expect(stderr, `${limit} descriptors: no stack for the user`).not.toMatch(/\n\s+at /);
    expect([0, 3], stderr).toContain(code);
    if (code !== 0) {
      ended++;
      expect(stderr).toMatch(/EMFILE|too many open files/);
    }
  }
  console.log(`${ended} runs ended for want of descriptors`);
  await goesOn();
});

const strace = whyNot();
if (strace !== undefined) console.warn(`skipping the slow disk: ${strace}`);
test.skipIf(strace !== undefined)("a disk that takes seconds to sync delays, and does no more", async () => {
  const log = join(bench.state, "ledger", "wal", `${"0".repeat(20)}.wal`);
  const delay = `inject=fdatasync:delay_exit=${FULL ? 5_000_000 : 1_500_000}`;
  const slow = await bench.traced("-o", "/dev/null", "-P", log, "-e", "trace=fdatasync", "-e", delay);
  expect([slow.code, slow.stderr]).toEqual([0, ""]);
  await bench.check();
});

test("the clock is set forth and back, between runs and while one lasts: order and counts hold", async () => {
  const clock = join(bench.home, "clock");
  const env = { TAPLINE_TEST_CLOCK: clock };
  const node = ["--import", resolve("test/fault/clock.child.ts")];
  let read = 200;
  for (const hours of [48, -48, 0]) {
    writeFileSync(clock, String(hours * HOUR_MS));
    const child = bench.start([], { env, node });
    const ended = bench.ended(child);
    await bench.settled(child.pid!, read);
    writeFileSync(clock, String(-hours * HOUR_MS));
    bench.append(40);
    read += 40;
    await bench.settled(child.pid!, read);
    const { at_ms } = bench.status()!;
    if (hours !== 0) expect(Math.abs(at_ms + hours * HOUR_MS - Date.now())).toBeLessThan(HOUR_MS); // it was set indeed
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
    await bench.check();
  }
});

test("a second collector on the same state is refused by name, and harms nothing", async () => {
  const child = bench.start([]);
  const ended = bench.ended(child);
  await bench.settled(child.pid!, 200);
  const second = await bench.run();
  expect(second.code).toBe(3);
  expect(second.stderr).toContain(`is in use by process ${child.pid}`);
  bench.append(20);
  await bench.settled(child.pid!, 220);
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
  await bench.check();
});

test("a disk that is mounted read-only ends the run with a reason; writable again, it goes on", async ({
  skip,
}) => {
  const mount = (...args: string[]): number | null => spawnSync("mount", args).status;
  await bench.run();
  bench.append(30);
  const own = ["--bind", bench.state, bench.state];
  if (mount(...own) !== 0) skip("needs the right to mount");
  try {
    expect(mount("-o", "remount,bind,ro", bench.state)).toBe(0);
    const { code, stderr } = await bench.run();
    expect([code, stderr]).toEqual([3, expect.stringMatching(/EROFS[^]*remedy: /)]);
    expect(stderr).not.toMatch(/\n\s+at /);
  } finally {
    spawnSync("umount", [bench.state]);
  }
  await goesOn();
});
