// Retention beside a ledger: a removal that fails is finished before the next one begins, and while nothing is signed nothing
// is removed and no entry says that it was.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Config } from "../src/config.ts";
import { LIMITS } from "../src/core/limits.ts";
import { Ledger } from "../src/ledger/log.ts";
import { Retention } from "../src/retention.ts";
import type { SelfRecorder } from "../src/self.ts";
import { newDir, readAll } from "./ledger/helpers.ts";
import { announced, grown, pruneEntry, say } from "./ledger/pruning.ts";

const { check_first_ms, prune_ms } = LIMITS;
beforeAll(() => void Object.assign(LIMITS, { check_first_ms: 20, prune_ms: 200 }));
afterAll(() => void Object.assign(LIMITS, { check_first_ms, prune_ms }));

/** Retention of a ledger whose collector records nothing else. */
function retaining(
  state_dir: string,
  ledger: Ledger,
  days: number | undefined,
  failed: () => void = () => {},
): Retention {
  let told = pruneEntry(0, 0);
  const add = (_action: string, _message: string, fill: (e: Record<string, unknown>) => void): void => {
    const e: Record<string, unknown> = {};
    fill(e);
    told = pruneEntry(Number(e["tapline.prune.from"]), Number(e["tapline.prune.to"]));
  };
  return new Retention({
    config: { state_dir, retention: { days } } as Config,
    ledger,
    self: { add } as unknown as SelfRecorder,
    log: failed,
    deliveries: [],
    pipeline: { record: async () => void (await say(ledger, told)), renew: async () => {} },
  });
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries === 600) throw new Error("waited in vain");
    await sleep(50);
  }
}

const bundles = (dir: string): string[] =>
  readdirSync(join(dir, "tile/entries")).filter((name) => /^\d{3}$/.test(name));

test.each([30, undefined])("a removal that fails once is finished: retention of %s days", async (days) => {
  const state = newDir();
  const dir = join(state, "ledger");
  const ledger = await grown(dir, 1_700, 1_200);
  const pruned = await announced(ledger, 512);
  // What cannot be removed this once, as where a file system refuses.
  const stuck = join(dir, "tile/entries/001");
  renameSync(stuck, `${stuck}.aside`);
  mkdirSync(join(stuck, "busy"), { recursive: true });
  await expect(ledger.pruner.prune(pruned, [], new Set())).rejects.toMatchObject({ code: "LEDGER_WRITE" });
  // The next one may not begin where this one was to end.
  await expect(
    ledger.pruner.prune({ first: 1_024, from: 512, entry: pruned.entry }, [], new Set()),
  ).rejects.toThrow("what a removal that was cut short has left goes first");

  let failures = 0;
  const retention = retaining(state, ledger, days, () => failures++);
  retention.start();
  await until(() => failures > 0);
  rmSync(stuck, { recursive: true });
  renameSync(`${stuck}.aside`, stuck);
  await until(() => !bundles(dir).includes("001"));
  if (days !== undefined) await until(() => ledger.first === 1_024 && retention.status?.held === undefined);
  await retention.end();
  const first = days === undefined ? 512 : 1_024;
  expect(JSON.parse(readFileSync(join(dir, "pruned"), "utf8"))).toMatchObject({ first, from: first });
  expect(bundles(dir)[0]).toBe(days === undefined ? "002" : "004");
  await ledger.close();
});

test("while nothing is signed nothing is recorded as removed", async () => {
  const state = newDir();
  const dir = join(state, "ledger");
  await (await grown(dir, 1_700, 1_200)).close();
  const signing = { held: false };
  const { ledger } = await Ledger.open({
    dir,
    origin: "test.example/ledger",
    log: () => undefined,
    checkpoint_ms: 1_000_000,
    signing,
  });
  signing.held = true; // an anchor holds another history
  const retention = retaining(state, ledger, 30);
  retention.start();
  await until(() => retention.status?.held !== undefined);
  await sleep(500);
  expect(retention.status?.held).toBe("nothing is signed at present: nothing was removed");
  const told = async () =>
    (await readAll(ledger, ledger.first)).filter((text) => text.includes("ledger-prune"));
  expect(await told()).toEqual([]);
  expect(bundles(dir)[0]).toBe("000");
  signing.held = false;
  await until(() => ledger.first === 1_024);
  await retention.end();
  expect(await told()).toHaveLength(1);
  await ledger.close();
});
