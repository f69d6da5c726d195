// `npm run bench -- kafka`: what the sink and the source for Kafka take of this process, with a real broker, by encoding.
// Entries are those of a collector that has read generated lines; they are in memory beforehand, so that only encoding and
// sending are counted, then fetching and decoding. The threads of the client count too, the broker does not.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LIMITS } from "../../src/core/limits.ts";
import type { EntryBatch, SinkContext } from "../../src/core/stage.ts";
import { openReader } from "../../src/ledger/reader.ts";
import kafkaSink from "../../src/sinks/kafka.ts";
import kafkaSource from "../../src/sources/kafka.ts";
import { OwnBroker } from "../../test/fault/own-broker.ts";
import { deleteTopic, eachMessage, haveClient, newTopic } from "../../test/kafka/topics.ts";
import { LANES, maker, testContext, testRouter } from "../../test/sources/harness.ts";
import { generate } from "../generate.ts";
import { quantile } from "./observed.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    runs: { type: "string", default: "3" },
    /** A broker that runs; else one is started for the bench. */
    broker: { type: "string" },
  },
});
const ENCODINGS = ["avro", "json"] as const;
const PARTITIONS = 3;
/** Beside the broker that tests share, and those that they start. */
const BESIDE = 20;
const MAIN = resolve(import.meta.dirname, "../../bin/tapline.js");
const never = new AbortController().signal;

interface Cost {
  readonly cpu_us: number;
  readonly wall_ms: number;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [before, began] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu_us: user + system, wall_ms: performance.now() - began };
}

/** All entries of a ledger that a collector makes of `events` lines. */
async function entriesOf(dir: string, events: number): Promise<EntryBatch[]> {
  await generate(join(dir, "in"), events, 8);
  const config = {
    state_dir: join(dir, "state"),
    host: "bench",
    viewer: { enabled: false },
    sources: { bench: { type: "file", include: [join(dir, "in", "*.jsonl")] } },
    sinks: { none: { type: "null" } },
  };
  const path = join(dir, "tapline.json");
  writeFileSync(path, JSON.stringify(config));
  execFileSync(process.execPath, [MAIN, "run", "-c", path, "--once"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const reader = openReader(join(dir, "state", "ledger"));
  const size = await reader.size();
  const batches: EntryBatch[] = [];
  for (let at = 0; at < size;) {
    const batch = (await reader.read(at, LIMITS.sink_batch_entries, LIMITS.sink_batch_bytes))!;
    batches.push(batch);
    at += batch.count;
  }
  await reader.close();
  return batches;
}

/** Writes all batches as the pipeline does, so many at once. */
function write(
  broker: string,
  topic: string,
  encoding: string,
  batches: readonly EntryBatch[],
): Promise<Cost> {
  const options = kafkaSink.config.parse({ type: "kafka", brokers: broker, topic, encoding });
  return costOf(async () => {
    const sink = kafkaSink.create(options, testContext(tmpdir()) as unknown as SinkContext);
    await sink.open(never);
    const in_flight: Promise<unknown>[] = [];
    for (const batch of batches) {
      if (in_flight.length >= LIMITS.sink_batches_in_flight) await in_flight.shift();
      in_flight.push(sink.write(batch, false, never));
    }
    await Promise.all(in_flight);
    await sink.close();
  });
}

function read(broker: string, topic: string, count: number): Promise<Cost> {
  const config = { type: "kafka", brokers: broker, topics: [topic], group: `bench-${topic}` };
  return costOf(async () => {
    const source = maker(kafkaSource as never, config)(testContext(tmpdir()));
    await source.open(new Map(), testRouter());
    let records = 0;
    while (records < count) {
      let any = false;
      for (let lane = 0; lane < LANES; lane++) {
        const batch = await source.read(lane);
        if (batch === undefined) continue;
        any = true;
        records += batch.segments.length; // one a message
        source.settle(batch);
      }
      if (!any) await source.wait(AbortSignal.timeout(1_000));
    }
    await source.close();
  });
}

async function measure(broker: string, encoding: string, batches: readonly EntryBatch[]): Promise<void> {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const found: { sink: Cost[]; source: Cost[] } = { sink: [], source: [] };
  const load = loadavg()[0]!;
  let bytes = 0;
  for (let run = 0; run < Number(values.runs); run++) {
    const topic = await newTopic(broker, PARTITIONS);
    found.sink.push(await write(broker, topic, encoding, batches));
    if (run === 0) await eachMessage(broker, topic, ({ value }) => void (bytes += value!.length));
    found.source.push(await read(broker, topic, count));
    await deleteTopic(broker, topic);
  }
  for (const [name, costs] of Object.entries(found)) {
    const cpu = costs.map(({ cpu_us }) => cpu_us / count);
    const rate = costs.map(({ wall_ms }) => (count * 1_000) / wall_ms);
    const range = `${Math.min(...cpu).toFixed(1)} to ${Math.max(...cpu).toFixed(1)}`;
    console.log(
      `| ${name} | ${encoding} | ${count.toLocaleString("en")} | ${(bytes / count).toFixed(0)} | ${quantile(cpu, 0.5).toFixed(1)} | ${range} | ` +
        `${Math.round(quantile(rate, 0.5)).toLocaleString("en")} | ${load.toFixed(1)} |`,
    );
  }
}

if (haveClient()) {
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-kafka-"));
  mkdirSync(join(dir, "in"), { recursive: true });
  const own = values.broker === undefined ? await OwnBroker.start(BESIDE) : undefined;
  try {
    const batches = await entriesOf(dir, Number(values.events));
    console.log("| stage | encoding | events | bytes | CPU µs an event | of all runs | events/s | load |");
    console.log("| ----- | -------- | ------ | ----- | --------------- | ----------- | -------- | ---- |");
    for (const encoding of ENCODINGS) await measure(values.broker ?? own!.address, encoding, batches);
  } finally {
    await own?.end();
    rmSync(dir, { recursive: true, force: true });
  }
}
