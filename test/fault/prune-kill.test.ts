// SIGKILL of a collector while retention removes entries, at three moments of the removal, and at twenty with TAPLINE_FULL=1, while new
// records come in. The next start goes on with the removal; then the ledger verifies from its first entry on, by our verifier and
// by one that is not ours, proofs of what went hold, and store and file have every entry that is there, once each.
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { parseVerifier } from "../../src/ledger/note.ts";
import { checkProof } from "../../src/ledger/proof-file.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { readManifest } from "../../src/store/manifest.ts";
import { openStore } from "../../src/store/reader.ts";
import { emptyTally } from "../../src/tally.ts";
import { configure, ended, newHome, start, tapline } from "../commands/tapline.ts";
import { buildVerifiers, goverify, haveGo } from "../ledger/oracle.ts";
import { DIGEST_KEY, grown } from "../ledger/pruning.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const ENTRIES = 21_000;
const PRUNABLE = 20_000;
const lines = readFileSync("sample/mcp-session.jsonl", "utf8").trimEnd().split("\n");

interface Pruned {
  readonly first: number;
  readonly from: number;
}
interface Moment {
  readonly name: string;
  /** Whether the collector dies now; `gone` are files removed since the file `pruned` was written. */
  readonly now: (gone: { blobs: number; bundles: number }) => boolean;
  readonly wait_ms?: number;
}
const MOMENTS: Moment[] = [
  { name: "the removal is decided on", now: () => true },
  { name: "many blobs are gone", now: ({ blobs }) => blobs > 150 },
  { name: "the first bundle is gone", now: ({ bundles }) => bundles > 0 },
];
if (FULL)
  MOMENTS.push(
    { name: "the first blob is gone", now: ({ blobs }) => blobs > 0 },
    { name: "many bundles are gone", now: ({ bundles }) => bundles > 30 },
    ...Array.from({ length: 15 }, (_, i): Moment => ({
      name: `${i} ms after that`,
      now: () => true,
      wait_ms: i,
    })),
  );

const readPruned = (ledger: string): Pruned | undefined => {
  const path = join(ledger, "pruned");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Pruned) : undefined;
};
const filesIn = (dir: string): number =>
  readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;

async function until(what: () => boolean, why: string): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries === 1_200) throw new Error(`waited in vain: ${why}`);
    await sleep(100);
  }
}

function options(home: string): Record<string, unknown> {
  return {
    host: "here",
    sources: { logs: { type: "file", include: [join(home, "logs/*.jsonl")], poll_ms: 50 } },
    sinks: { local: { type: "store" }, copy: { type: "file", path: join(home, "copy.ndjson") } },
    viewer: { enabled: false },
    retention: { days: 30 },
    checks: { without: ["sources", "retention", "witness", "alerts", "incidents", "inventory", "policy"] },
  };
}

let model = "";
/** A ledger that every sink has taken in, and whose first 20,000 entries are old. */
beforeAll(async () => {
  if (haveGo) buildVerifiers();
  model = newHome();
  const ledger = join(model, "state/ledger");
  mkdirSync(join(model, "state/keys"), { recursive: true });
  mkdirSync(join(model, "logs"));
  writeFileSync(join(model, "state/keys/digest.key"), DIGEST_KEY, { mode: 0o600 });
  const made = await grown(ledger, ENTRIES, PRUNABLE, {
    origin: "tapline/here",
    header: '{"positions":{},"tally":{}}',
    state: JSON.stringify({ version: 1, positions: {}, tally: emptyTally(), sessions: [] }),
  });
  await made.close();
  const { code, stderr } = await tapline(model, ["run", "--once", "-c", configure(model, options(model))]);
  expect([code, stderr]).toEqual([0, ""]);
  const proof = ["ledger", "prove", "300", ledger, "--out", join(model, "300.proof")];
  expect((await tapline(model, proof)).code).toBe(0);
}, 600_000);

/** Kills a collector at a moment of its removal, and says how far that was. */
async function killed(home: string, config: string, { now, wait_ms }: Moment): Promise<Pruned> {
  const ledger = join(home, "state/ledger");
  const gone = { blobs: 0, bundles: 0 };
  const collector = start(home, "run", "-c", config);
  const exit = once(collector, "exit");
  let decided = false;
  const look = (): void => {
    if (!decided || !now(gone)) return;
    if (wait_ms === undefined) collector.kill("SIGKILL");
    else setTimeout(() => collector.kill("SIGKILL"), wait_ms);
  };
  const watchers = [
    watch(ledger, (_, name) => {
      decided ||= name === "pruned";
      look();
    }),
    watch(join(ledger, "blobs"), { recursive: true }, () => {
      if (decided) gone.blobs++;
      look();
    }),
    watch(join(ledger, "tile/entries"), { recursive: true }, (kind) => {
      if (decided && kind === "rename") gone.bundles++;
      look();
    }),
  ];
  // Records come in all the while.
  for (let i = 0; collector.exitCode === null && collector.signalCode === null; i++) {
    appendFileSync(join(home, "logs/mcp.jsonl"), `${lines[i % lines.length]!}\n`);
    expect(i, "records until the kill").toBeLessThan(6_000);
    await sleep(20);
  }
  await exit;
  for (const watcher of watchers) watcher.close();
  expect(collector.signalCode, "the collector's end").toBe("SIGKILL");
  return readPruned(ledger)!;
}

const cut: string[] = [];
test.each(MOMENTS)("killed when $name", { timeout: 600_000 }, async (moment) => {
  const home = newHome();
  cpSync(model, home, { recursive: true });
  const config = configure(home, options(home));
  const ledger = join(home, "state/ledger");
  const blobs = filesIn(join(ledger, "blobs"));

  const left = await killed(home, config, moment);
  if (left.from < left.first) cut.push(moment.name);

  const collector = start(home, "run", "-c", config);
  const end = ended(collector);
  await until(() => readPruned(ledger)!.from === left.first, "the removal");
  await until(() => readManifest(join(home, "state/local")).files[0]?.first === left.first, "the store");
  collector.kill("SIGTERM");
  expect((await end).code).toBe(0);

  expect(left.first % 256).toBe(0);
  expect(left.first).toBeGreaterThan(PRUNABLE - 256);
  expect(filesIn(join(ledger, "blobs"))).toBeLessThan(blobs / 4);
  const { findings, size } = await verifyLedger(ledger);
  expect(findings).toEqual([]);
  if (haveGo)
    expect(goverify(ledger)).toBe(
      `0 verified ${size} entries, those from ${left.first} on with their content, and 0 older checkpoints`,
    );
  const verifier = parseVerifier(readFileSync(join(ledger, "ledger.vkey"), "utf8"));
  expect(
    checkProof(readFileSync(join(home, "300.proof"), "utf8"), { verifier, witnesses: [] }).wrong,
  ).toEqual([]);

  // Nothing that is in the ledger is missing in a sink, or there twice. The file keeps what it was given before.
  const store = await openStore(join(home, "state/local"));
  const [rows] = await store.query(
    `SELECT min("event.sequence") AS least, max("event.sequence") AS most, count(*) AS n,
       count(DISTINCT "event.sequence") AS each FROM events`,
  );
  await store.close();
  const there = size - left.first;
  expect(rows).toEqual({ least: left.first, most: size - 1, n: there, each: there });
  const copied = readFileSync(join(home, "copy.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => Number(/"sequence":(\d+),"hash":"[^"]*"\}\}$/.exec(line)![1]));
  expect(copied.length).toBe(size);
  expect(copied.every((sequence, i) => sequence === i)).toBe(true);
});

test("most of these kills met the removal half done", () => {
  console.log(`cut short: ${cut.join("; ")}`);
  expect(cut.length).toBeGreaterThan(MOMENTS.length / 2);
});
