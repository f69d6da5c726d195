// `npm run bench -- hosts`: what an event takes on its way from a host over Kafka to a cluster, for sizing: a host's collector
// into its ledger alone and into Kafka, then a central one out of Kafka, each a process of its own with everything on. CPU
// time is less what a start takes. With `--url` documents go to a real cluster, whose process, `--pid`, is read too.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { OwnBroker } from "../../test/fault/own-broker.ts";
import { haveClient, newTopic } from "../../test/kafka/topics.ts";
import { generate } from "../generate.ts";
import { usageOf } from "./processes.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "200000" },
    url: { type: "string" },
    engine: { type: "string", default: "opensearch" },
    pid: { type: "string" },
  },
});
const MAIN = resolve(import.meta.dirname, "../../bin/tapline.js");
/** Beside the broker that tests share, and those that they and the bench of Kafka start. */
const BESIDE = 30;
const PARTITIONS = 6;
const LOOK_MS = 20;
const events = Number(values.events);
const dir = mkdtempSync(join(tmpdir(), "tapline-bench-hosts-"));

interface Taken {
  readonly cpu_ms: number;
  readonly wall_ms: number;
  readonly peak_mb: number;
}

/** Runs a collector until it has read everything and its sink has taken it. */
async function collect(name: string, source: object, sink: object): Promise<Taken> {
  const state_dir = join(dir, name);
  const path = join(dir, `${name}.json`);
  const common = { state_dir, host: name, namespace: "bench", viewer: { enabled: false } };
  writeFileSync(path, JSON.stringify({ ...common, sources: { in: source }, sinks: { out: sink } }));
  const began = performance.now();
  const args = [MAIN, "run", "-c", path, "--once"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  let last = { cpu_ms: 0, peak_mb: 0 };
  const look = setInterval(() => (last = usageOf(child.pid!) ?? last), LOOK_MS);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return { ...last, wall_ms: performance.now() - began };
}

function bytesIn(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** One line of the table; `start` is what the same takes with nothing to read. */
function tell(name: string, taken: Taken, start: Taken, more = ""): void {
  const cpu_us = ((taken.cpu_ms - start.cpu_ms) * 1_000) / events;
  const rate = Math.round((events * 1_000) / (taken.wall_ms - start.wall_ms)).toLocaleString("en");
  console.log(
    `| ${name} | ${cpu_us.toFixed(1)} | ${rate} | ${taken.peak_mb.toFixed(0)} | ${(start.cpu_ms / 1_000).toFixed(1)} | ${loadavg()[0]!.toFixed(1)} | ${more} |`,
  );
}

async function measure(broker: string, endpoint: string): Promise<void> {
  for (const name of ["in", "none"]) mkdirSync(join(dir, name));
  await generate(join(dir, "in"), events, 8);
  const files = (name: string): object => ({
    type: "file",
    include: [join(dir, name, "*.jsonl")],
    follow: false,
  });
  const none = { type: "null" };
  const bulk = { type: values.url === undefined ? "elasticsearch" : values.engine, url: endpoint };
  console.log("| what | CPU µs an event | events/s | peak MB | start, CPU s | load | besides |");
  console.log("| ---- | --------------- | -------- | ------- | ------------ | ---- | ------- |");
  const start = await collect("start", files("none"), none);
  const alone = await collect("alone", files("in"), none);
  const ledger = (bytesIn(join(dir, "alone", "ledger")) / events).toFixed(0);
  tell("a host: files → ledger", alone, start, `${ledger} bytes an event in the ledger`);
  const topic = await newTopic(broker, PARTITIONS);
  const kafka = { type: "kafka", brokers: [broker] };
  tell("a host: files → ledger → Kafka", await collect("host", files("in"), { ...kafka, topic }), start);
  const group = (name: string): object => ({ ...kafka, topics: [topic], group: name });
  tell("central: Kafka → ledger", await collect("central-1", group("one"), none), start);
  const server = values.pid === undefined ? undefined : Number(values.pid);
  const before = server === undefined ? undefined : usageOf(server);
  const central = await collect("central-2", group("two"), bulk);
  const after = server === undefined ? undefined : usageOf(server);
  const theirs =
    after && `cluster: ${(((after.cpu_ms - before!.cpu_ms) * 1_000) / events).toFixed(1)} µs an event`;
  tell("central: Kafka → ledger → `_bulk`", central, start, theirs ?? "");
}

if (haveClient()) {
  const broker = await OwnBroker.start(BESIDE);
  let server: ChildProcess | undefined;
  try {
    let endpoint = values.url;
    if (endpoint === undefined) {
      server = spawn(process.execPath, [join(import.meta.dirname, "bulk-server.ts")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = (await once(server.stdout!, "data")) as [Buffer];
      endpoint = line.toString().trim();
    }
    await measure(broker.address, endpoint);
  } finally {
    server?.kill();
    await broker.end();
    rmSync(dir, { recursive: true, force: true });
  }
}
