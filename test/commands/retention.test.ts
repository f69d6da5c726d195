// Retention in a collector: what is older than the configuration keeps goes from the ledger and the store, with an entry that
// says so, and every command goes on from the first entry that is left.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { readManifest } from "../../src/store/manifest.ts";
import { openStore } from "../../src/store/reader.ts";
import { emptyTally } from "../../src/tally.ts";
import { DIGEST_KEY, grown } from "../ledger/pruning.ts";
import { checkDocument, configure, ended, field, newHome, start, tapline } from "./tapline.ts";

/** Waits for a condition, however long it takes. */
async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries === 900) throw new Error("waited in vain");
    await sleep(100);
  }
}

test("entries that are old go from ledger and store, and everything goes on from there", async () => {
  const home = newHome();
  const ledger = join(home, "state/ledger");
  mkdirSync(join(home, "state/keys"), { recursive: true });
  writeFileSync(join(home, "state/keys/digest.key"), DIGEST_KEY, { mode: 0o600 });
  const made = await grown(ledger, 1_700, 1_200, {
    origin: "tapline/here",
    header: '{"positions":{},"tally":{}}',
    state: JSON.stringify({ version: 1, positions: {}, tally: emptyTally(), sessions: [] }),
  });
  await made.close();
  const config = configure(home, {
    host: "here",
    sinks: { local: { type: "store" }, none: { type: "null" } },
    viewer: { enabled: false },
    retention: { days: 30 },
    checks: { without: ["sources", "retention", "witness", "alerts", "incidents", "inventory", "policy"] },
  });
  const run = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const { code, stdout, stderr } = await tapline(home, [...args, "-c", config]);
    return { code, said: stdout + stderr };
  };
  expect((await run("run", "--once")).code).toBe(0);
  const proof = join(home, "300.proof");
  expect((await run("ledger", "prove", "300", "--out", proof)).code).toBe(0);
  const blobs = readdirSync(join(ledger, "blobs"), { recursive: true }).length;

  const collecting = start(home, "run", "-c", config);
  const pruned = join(ledger, "pruned");
  const said = (): { first: number; from: number; entry: number } =>
    JSON.parse(readFileSync(pruned, "utf8")) as { first: number; from: number; entry: number };
  await until(() => existsSync(pruned) && said().from === said().first);
  await until(() => readManifest(join(home, "state/local")).files[0]?.first === said().first);
  const stopped = ended(collecting);
  collecting.kill("SIGTERM");
  expect((await stopped).code).toBe(0);

  const { first, entry } = said();
  // The snapshots need nothing before entry 1,200: whole bundles before that are gone.
  expect(first).toBe(1_024);
  expect(readdirSync(join(ledger, "tile/entries")).filter((name) => name < "004")).toEqual([]);
  expect(readdirSync(join(ledger, "blobs"), { recursive: true }).length).toBeLessThan(blobs);
  const vkey = join(ledger, "ledger.vkey");
  const shown = await tapline(home, ["ledger", "verify", proof, "--vkey", vkey]);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining("this is entry 300 of")]);

  const verified = await run("ledger", "verify");
  expect([verified.code, verified.said]).toEqual([
    0,
    expect.stringMatching(
      new RegExp(
        `entries before 1024 were removed by retention.*entry ${entry} says so[^]*those from 1,024 on with their content`,
      ),
    ),
  ]);
  for (const args of [
    ["ledger", "prove", "300"],
    ["replay", "--sink", "none", "--from", "0"],
  ])
    expect(await run(...args)).toEqual({
      code: 3,
      said: expect.stringMatching(
        /entry (300|0) was removed by retention: the ledger begins at entry 1024/,
      ) as string,
    });
  expect((await run("replay", "--sink", "none", "--from", "1024")).code).toBe(0);
  expect((await run("rules", "backtest")).said).toContain("retention has removed the entries before 1024");

  // The store has no older rows, also when it is made again; a sink whose cursor is lost begins where the ledger does.
  rmSync(join(home, "state/local"), { recursive: true });
  rmSync(join(home, "state/cursors"), { recursive: true });
  expect((await run("run", "--once")).code).toBe(0);
  const store = await openStore(join(home, "state/local"));
  expect(await store.query('SELECT min("event.sequence") AS least FROM events')).toEqual([{ least: 1_024 }]);
  const rows = await store.query(`SELECT entry FROM events WHERE "event.action" = 'ledger-prune'`);
  await store.close();
  const told = rows.map((row) => JSON.parse(String(row["entry"])) as Record<string, unknown>);
  for (const one of told) checkDocument(one);
  const [{ from, to }] = told.map((one) => field(one, "tapline.prune") as { from: number; to: number }) as [
    { from: number; to: number },
  ];
  expect([from, to]).toEqual([0, 1_024]);
  expect(told.map((one) => field(one, "event.reason"))).toEqual(["retention of 30 days"]);
  const status = await run("status");
  expect(status.said).toContain("entries before 1,024 were removed by retention; their hashes are kept");
  expect(status.said).toMatch(/sink {8}none: ledger [\d,]+ = new [\d,]+ .*\+ pruned 1,024 \+ pending 0/);
  expect(status.code).toBe(0);
});
