// SIGKILL at random moments while files rotate and while cluster and broker misbehave, hang and are away for whole rounds:
// then every line is in the ledger, the store and the cluster exactly once and in the topic at least once, the counters add
// up, and the ledger verifies: by our verifier and by two that are not ours, every checkpoint that was published between
// the kills being a prefix of it. 8 rounds in CI, 200 with TAPLINE_FULL=1, any number with TAPLINE_ROUNDS.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import { startServer } from "../integration/servers.ts";
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "../ledger/oracle.ts";
import { randomOf } from "../random.ts";
import { type InTopic, exactlyOnce, inCluster, inLedger, inStore, inTopic } from "./kill-oracle.ts";
import { type Weather, World, weatherOf } from "./kill-world.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const ROUNDS = Number(process.env["TAPLINE_ROUNDS"] ?? (FULL ? 200 : 8));
const SEED = Number(process.env["TAPLINE_SEED"] ?? Date.now() % 1_000_000);
const SPOILED_POLLS = 200;
const POLL_MS = 500;
const DRAIN_POLLS = 3_600;
const main = resolve("bin/tapline.js");

const home = mkdtempSync(join(tmpdir(), "tapline-kill-"));
const state_dir = join(home, "state");
const ledger_dir = join(state_dir, "ledger");
const logs = join(home, "logs");
const config = join(home, "tapline.yml");
const namespace = `kill_${SEED}`;
const started: ChildProcess[] = [];
let world: World | undefined;
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await world?.end();
});

function tapline(): ChildProcess {
  const child = spawn(process.execPath, [main, "run", "-c", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  started.push(child);
  return child;
}

/** What the collector last told; undefined before the first time. */
function readStatus(): Status | undefined {
  const path = join(state_dir, "status.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Status) : undefined;
}

/** Waits until a collector has told that it recorded more than was recorded before it. */
async function progress(collector: ChildProcess, before: number): Promise<void> {
  for (let waited = 0; ; waited++) {
    const status = readStatus();
    if (status?.pid === collector.pid && status!.tally.read > before) return;
    expect(collector.exitCode, "the collector's end before it was killed").toBeNull();
    expect(waited, "polls for progress").toBeLessThan(1200);
    await sleep(50);
  }
}

/** Waits until a bulk was answered badly, where that is to be, but not for long: what was sent before is looked up first. */
async function spoiled(around: World, { cluster }: Weather): Promise<void> {
  for (let waited = 0; cluster === "faulty" && around.spoiled === 0 && waited < SPOILED_POLLS; waited++)
    await sleep(50);
}

/** Writes the configuration of a collector whose sink for the cluster has these options. */
function configure({ broker, topic }: World, cluster: object): void {
  const kafka = broker === undefined ? {} : { topic: { type: "kafka", brokers: broker, topic } };
  const options = {
    state_dir,
    namespace,
    viewer: { enabled: false },
    sources: { agents: { type: "file", include: [join(logs, "*.jsonl*")], poll_ms: 50 } },
    sinks: { local: { type: "store" }, cluster: { type: "opensearch", ...cluster }, ...kafka },
  };
  writeFileSync(config, JSON.stringify(options));
}

async function setUp(): Promise<World> {
  const url = await startServer("opensearch");
  expect(url, "an OpenSearch server").toBeDefined();
  world = await World.open(SEED, url!);
  mkdirSync(logs);
  configure(world, { url });
  const setup = spawn(process.execPath, [main, "setup", "opensearch", "-c", config, "--allow-missing"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  expect((await once(setup, "exit"))[0]).toBe(0);
  configure(world, { url: world.url, timeout_s: 5 });
  return world;
}

/** Kills one collector after the other while lines are written. Returns how many lines there are, and the checkpoints. */
async function rounds(around: World): Promise<{ written: number; saved: string[] }> {
  const random = randomOf(SEED);
  const writer = spawn(process.execPath, ["test/fault/writer.child.ts", logs, String(SEED)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(writer);
  let said = "";
  writer.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const saved: string[] = [];
  for (const [round, weather] of weatherOf(SEED, ROUNDS).entries()) {
    await around.turn(weather, round);
    const before = readStatus()?.tally.read ?? 0;
    const collector = tapline();
    // Half of them die whatever they are at, starting or recovering; the others once they have made some way.
    if (round % 2 === 1) {
      await progress(collector, before);
      await spoiled(around, weather);
    }
    await sleep(random() * 1500);
    collector.kill("SIGKILL");
    await once(collector, "exit");
    const checkpoint = join(ledger_dir, "checkpoint");
    if (!existsSync(checkpoint)) continue;
    saved.push(join(home, `checkpoint-${round}`));
    copyFileSync(checkpoint, saved.at(-1)!);
  }
  await around.clear();
  writer.kill("SIGTERM");
  await once(writer, "exit");
  return { written: Number(said), saved };
}

/** Runs a collector until everything is everywhere. */
async function drain(written: number): Promise<Status> {
  const last = tapline();
  for (let polls = 0; polls < DRAIN_POLLS; polls++) {
    await sleep(POLL_MS);
    const now = readStatus();
    if (now?.pid !== last.pid || now!.tally.read < written) continue;
    if (now!.sinks.every((sink) => sink.pending === 0)) break;
  }
  last.kill("SIGTERM");
  expect((await once(last, "exit"))[0]).toBe(0);
  return readStatus()!;
}

/** By our verifier, and by two that are not ours where there is a Go to build them. */
async function verify(saved: readonly string[]): Promise<void> {
  const { findings, size } = await verifyLedger(ledger_dir, { checkpoints: saved });
  expect(findings).toEqual([]);
  expect(saved.length).toBeGreaterThan(ROUNDS / 2);
  if (!haveGo) return;
  buildVerifiers();
  expect(fsckAccepts(ledger_dir), "fsck").toBe(true);
  expect(goverify(ledger_dir, saved)).toBe(
    `0 verified ${size} entries and ${saved.length} older checkpoints`,
  );
}

/** At least once, and for who drops repeats by id what is in the ledger, in its order. */
async function checkTopic(around: World, ids: readonly string[]): Promise<InTopic | undefined> {
  if (around.broker === undefined) return undefined;
  const found = await inTopic(around.broker, around.topic, ids);
  const { missing, wrong, disordered } = found;
  expect({ missing, wrong, disordered }, `topic, seed ${SEED}`).toEqual({
    missing: [],
    wrong: [],
    disordered: [],
  });
  return found;
}

/** How many rounds had what. */
function weatherText(): string {
  const all = weatherOf(SEED, ROUNDS);
  const count = (holds: (weather: Weather) => boolean): number => all.filter(holds).length;
  return (
    `cluster faulty in ${count(({ cluster }) => cluster === "faulty")} rounds and away in ${count(({ cluster }) => cluster === "away")}, ` +
    `Kafka hung in ${count(({ kafka }) => kafka === "hung")} and killed in ${count(({ kafka }) => kafka === "gone")}`
  );
}

function checkStatus(status: Status, written: number): void {
  expect(status.broken).toEqual([]);
  expect(status.tally.read).toBe(written);
  for (const sink of status.sinks) expect([sink.name, sink.pending, sink.dead]).toEqual([sink.name, 0, 0]);
}

test(
  `after ${ROUNDS} kills every line is everywhere exactly once`,
  async () => {
    const around = await setUp();
    const { written, saved } = await rounds(around);
    expect(written).toBeGreaterThan(ROUNDS * 50);
    const read_before = readStatus()!.tally.read;
    const status = await drain(written);

    const none = { missing: [], doubled: [] };
    const { calls, ids } = await inLedger(ledger_dir);
    expect(exactlyOnce(calls, written), `ledger, seed ${SEED}`).toEqual(none);
    expect(new Set(ids).size, `ids in the ledger, seed ${SEED}`).toBe(ids.length);
    await verify(saved);
    const cluster = await inCluster(around.url, namespace);
    expect(exactlyOnce(cluster.calls, written), `index, seed ${SEED}`).toEqual(none);
    expect(cluster.documents, `documents in the cluster, seed ${SEED}`).toBe(ids.length);
    const rows = await inStore(join(state_dir, "local"));
    expect(rows, `store, seed ${SEED}`).toEqual([written, written, written - 1]);
    const topic = await checkTopic(around, ids);
    checkStatus(status, written);

    const twice =
      topic === undefined
        ? "no Kafka"
        : `${topic.messages} messages in the topic, ${topic.repeated} entries there more than once, ${topic.most} times at most`;
    const bad = [...around.met].filter(([name]) => name !== "pass");
    expect(bad.length, "bulks that were answered badly").toBeGreaterThan(0);
    const met = [...around.met].map(([name, times]) => `${name} ${times}`).join(", ");
    console.log(
      `${ROUNDS} kills among ${written} lines, seed ${SEED}: ${weatherText()}; ledger ${status.entries} entries, ${saved.length} checkpoints kept, ` +
        `at least ${read_before} lines read by collectors that were killed; ${twice}; bulks: ${met}`,
    );
    rmSync(home, { recursive: true });
  },
  900_000 + ROUNDS * 30_000,
);
