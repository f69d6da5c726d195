// Pins, quarantine and rates: what they say, and that nothing is lost with many processes at once, of which some die.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { takeTurn } from "../../src/core/turns.ts";
import { accept } from "../../src/policy/pins.ts";
import { FileState, pinsPath, readPins } from "../../src/policy/state.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tapline-state-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

// 50 in the full run; fewer show the same in less time.
const PROCESSES = process.env["TAPLINE_FULL"] === undefined ? 15 : 50;
const NODE = resolve("node_modules/node/bin/node");
const run = (script: string, ...args: string[]): ChildProcess =>
  spawn(NODE, [resolve("test/policy", script), ...args], { stdio: ["ignore", "pipe", "inherit"] });

async function output(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  return Buffer.concat(chunks).toString().trim();
}

const tool = (name: string, hash: string) => ({ name, hash });

test("a definition is trusted when first seen, held when it changes, and let go by a person only", () => {
  const state = new FileState(dir);
  const other = new FileState(dir);
  expect([...state.see("s", [tool("a", "1"), tool("b", "1")], 1)]).toEqual([]);
  expect(other.changed("s", "a", "1")).toBe(false);
  expect([...other.see("s", [tool("a", "2"), tool("b", "1")], 2)]).toEqual(["a"]);
  // Going back to what it was does not end it, and hooks that know no definition see it too.
  expect([...state.see("s", [tool("a", "1")], 3)]).toEqual(["a"]);
  expect(state.changed("s", "a", undefined)).toBe(true);
  expect(state.changed("s", "b", undefined)).toBe(false);
  expect([...state.see("s", [tool("a", "3")], 4)]).toEqual(["a"]);
  state.change((pins) => accept(pins, "s", "a", 5));
  expect(other.changed("s", "a", "3")).toBe(false);
  expect(other.changed("s", "a", "1")).toBe(false);
  expect(other.changed("s", "a", "2")).toBe(true);
  const { journal } = readPins(pinsPath(dir));
  expect(
    journal.map(({ seq, what, tool: name, count, before, after }) => [
      seq,
      what,
      name ?? count,
      before,
      after,
    ]),
  ).toEqual([
    [0, "pinned", 2, undefined, undefined],
    [1, "quarantined", "a", "1", "2"],
    [2, "accepted", "a", "1", "3"],
  ]);
});

test("a hostile server pins no more than its share, and names that objects do not hold are not trusted", () => {
  const state = new FileState(dir);
  const many = Array.from({ length: LIMITS.policy_pins_server + 5 }, (_, i) => tool(`t${i}`, "1"));
  const held = state.see("s", [tool("__proto__", "1"), tool("x".repeat(300), "1"), ...many], 1);
  expect(held.size).toBe(7);
  expect(state.changed("s", "later", "1")).toBe(true);
  expect(state.changed("other", "later", "1")).toBe(false);
});

test("pins that cannot be read are trouble, rates begin anew", () => {
  const state = new FileState(dir);
  state.see("s", [tool("a", "1")], 1);
  expect(state.take("k", { calls: 1, per_s: 10 }, 1_000)).toBe(true);
  writeFileSync(pinsPath(dir), "{");
  writeFileSync(join(dir, "policy", "rates.json"), "{");
  expect(() => state.changed("s", "a", "1")).toThrow(/cannot read/);
  expect(state.take("k", { calls: 1, per_s: 10 }, 1_000)).toBe(true);
  expect(state.take("k", { calls: 1, per_s: 10 }, 1_001)).toBe(false);
});

test("a rate lets through what a list of all calls would", () => {
  const calls = fc.array(fc.record({ key: fc.constantFrom("a", "b"), step_ms: fc.nat(4_000) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(calls, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), (all, most, per_s) => {
      const own = mkdtempSync(join(dir, "rate-"));
      const state = new FileState(own);
      const passed: { key: string; at: number }[] = [];
      let now = 1_000_000;
      for (const { key, step_ms } of all) {
        now += step_ms;
        const recent = passed.filter((one) => one.key === key && one.at > now - per_s * 1000).length;
        const free = recent < most;
        expect(state.take(key, { calls: most, per_s }, now)).toBe(free);
        if (free) passed.push({ key, at: now });
      }
    }),
    { numRuns: 30 },
  );
});

test(`${PROCESSES} processes at once: no turn is taken twice, though some die in theirs`, async () => {
  writeFileSync(join(dir, "count"), "0");
  const children = Array.from({ length: PROCESSES }, (_, i) =>
    run("turns.child.ts", dir, "20", ...(i % 5 === 0 ? ["10"] : [])),
  );
  await Promise.all(children.map((child) => once(child, "close")));
  expect(children.filter((child) => child.signalCode === "SIGKILL")).toHaveLength(PROCESSES / 5);
  expect(readFileSync(join(dir, "count"), "utf8")).toBe(String((PROCESSES / 5) * (4 * 20 + 10)));
  expect(readdirSync(join(dir, "turn"))).toHaveLength(1);
}, 120_000);

test(`${PROCESSES} processes at once: a rate lets through exactly its calls, and every pin is kept`, async () => {
  const rates = Array.from({ length: PROCESSES / 5 }, () => output(run("state.child.ts", dir, "rate", "25")));
  const pins = Array.from({ length: (PROCESSES * 4) / 5 }, (_, i) =>
    output(run("state.child.ts", dir, `tool${i}`, "4")),
  );
  const passed = await Promise.all(rates);
  await Promise.all(pins);
  expect(passed.reduce((sum, n) => sum + Number(n), 0)).toBe(40);
  const { servers, seq, journal } = readPins(pinsPath(dir));
  expect(Object.values(servers).map((tools) => Object.keys(tools).length)).toEqual(
    Array(4).fill((PROCESSES * 4) / 5),
  );
  expect([seq, journal.length]).toEqual(Array(2).fill((PROCESSES * 16) / 5));
}, 120_000);

test("who waits in vain is told who has the turn", () => {
  const turn = join(dir, "turn");
  const giveBack = takeTurn(turn, 100);
  expect(() => takeTurn(turn, 20)).toThrow(`process ${process.pid} had the turn`);
  giveBack();
  takeTurn(turn, 0)();
  for (const name of readdirSync(turn)) rmSync(join(turn, name));
  takeTurn(turn, 10_000)();
});
