// `npm run soak [-- --minutes N --rate R]`: the whole collector at half of what it can do (measured first, unless a rate is
// given) into `_bulk`, for an hour. Looks every ten seconds at resident memory, heaps, file handles, lag, and how long lines
// take to become alerts. Fails when one of them grows over the second half by more than its bound: by then everything
// bounded is full.
import { mkdirSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Feed, PROBE_RULE } from "./flow/feed.ts";
import { Arrivals, Collector, openEndpoint, quantile } from "./flow/observed.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string" },
    /** Records over which the capacity is measured. */
    capacity: { type: "string", default: "200000" },
    dir: { type: "string" },
    every: { type: "string", default: "10" },
  },
});
const minutes = Number(values.minutes);
const every_s = Number(values.every);
const PROBES_S = 10;
/** What an entry takes in the ledger, about, with what is written beside it for a time. */
const BYTES_A_RECORD = 2_600;
/** Most that a figure may grow over the second half: a part of its mean, or so much, whichever is more. */
const BOUNDS = {
  rss_mb: { part: 0.1, least: 50 },
  heap_mb: { part: 0.15, least: 50 },
  held_mb: { part: 0.15, least: 50 },
  handles: { part: 0, least: 4 },
  p99_ms: { part: 0.5, least: 500 },
  pending: { part: 0.5, least: 5_000 },
} as const;
type Figure = keyof typeof BOUNDS;
const FIGURES = Object.keys(BOUNDS) as Figure[];
type Sample = Record<Figure, number> & { readonly at_s: number };

const work = values.dir ?? join(tmpdir(), `tapline-soak-${process.pid}`);
const heaps = join(work, "heap");

const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);

function residentMb(pid: number): number {
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))!;
  return Number(rss[1]) / 1024;
}

/** Of all threads: what is in use on their heaps, and what V8 holds, garbage and buffers with it. */
function heapMb(): { heap_mb: number; held_mb: number } {
  let [heap_mb, held_mb] = [0, 0];
  for (const name of readdirSync(heaps)) {
    const [used = 0, held = 0] = readFileSync(join(heaps, name), "utf8").split(" ").map(Number);
    heap_mb += used / (1 << 20);
    held_mb += held / (1 << 20);
  }
  return { heap_mb, held_mb };
}

/** By how much a figure grows over these samples: the slope of the straight line through them times their time. */
function growth(samples: readonly Sample[], of: Figure): number {
  const mean = (pick: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [x, y] = [mean(({ at_s }) => at_s), mean((sample) => sample[of])];
  const along = samples.reduce((sum, sample) => sum + (sample.at_s - x) * (sample[of] - y), 0);
  const across = samples.reduce((sum, { at_s }) => sum + (at_s - x) ** 2, 0);
  return (along / across) * (samples.at(-1)!.at_s - samples[0]!.at_s);
}

/** Says how each figure moved over the second half; false when one grew beyond its bound. */
function judge(samples: readonly Sample[]): boolean {
  const half = samples.slice(samples.length >> 1);
  let fine = half.length > 2;
  if (!fine) console.log("too few samples to tell");
  for (const figure of fine ? FIGURES : []) {
    const mean = half.reduce((sum, sample) => sum + sample[figure], 0) / half.length;
    const grown = growth(half, figure);
    const bound = Math.max(BOUNDS[figure].part * mean, BOUNDS[figure].least);
    const held = grown <= bound;
    fine &&= held;
    console.log(
      `${figure}: mean ${mean.toFixed(1)}, grew by ${grown.toFixed(1)} over the second half, at most ${bound.toFixed(1)}: ${held ? "holds" : "DOES NOT HOLD"}`,
    );
  }
  return fine;
}

async function capacityOf(feed: Feed, collector: Collector): Promise<number> {
  const count = Number(values.capacity);
  const first = feed.lines;
  const started = performance.now();
  for (let written = 0; written < count; written += 10_000) feed.write(Math.min(10_000, count - written));
  const there = (): boolean =>
    (collector.status?.read ?? 0) >= first + count && collector.status!.pending < 100;
  if (!(await collector.until("everything to measure the capacity by", there, 600_000)))
    throw new Error("the capacity could not be measured");
  return (count * 1_000) / (performance.now() - started);
}

rmSync(work, { recursive: true, force: true });
mkdirSync(join(work, "in"), { recursive: true });
mkdirSync(heaps);
writeFileSync(join(work, "probe.yml"), PROBE_RULE);
process.env["TAPLINE_SOAK_HEAP"] = heaps;
const arrivals = new Arrivals();
const endpoint = await openEndpoint(arrivals);
const collector = new Collector(
  work,
  {
    sources: { bench: { type: "file", include: [join(work, "in", "*.jsonl")] } },
    rules: [join(work, "probe.yml")],
    sinks: { bench: { type: "elasticsearch", url: endpoint.url } },
  },
  ["--import", join(import.meta.dirname, "heap.ts")],
);
const samples: Sample[] = [];
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
try {
  const feed = new Feed(join(work, "in"));
  feed.probe();
  await collector.until("the first alert", () => arrivals.at.size > 0);
  const rate =
    values.rate === undefined ? Math.round((await capacityOf(feed, collector)) / 2) : Number(values.rate);
  const disk = statfsSync(work);
  const needed = rate * minutes * 60 * BYTES_A_RECORD;
  console.log(`${rate} events/s for ${minutes} minutes, about ${gb(needed)} GB of ledger in ${work}`);
  if (needed > disk.bavail * disk.bsize) {
    throw new Error(
      `only ${gb(disk.bavail * disk.bsize)} GB are free: name a directory with --dir, or a lower --rate`,
    );
  }
  const started = performance.now();
  const writing = feed.run(rate, PROBES_S, minutes * 60, stop.signal).finally(() => stop.abort());
  console.log("| s | RSS MB | heap MB | held MB | handles | pending | p50 ms | p99 ms | load |");
  console.log("| - | ------ | ------- | ------- | ------- | ------- | ------ | ------ | ---- |");
  while (!stop.signal.aborted) {
    await sleep(every_s * 1_000, undefined, { signal: stop.signal }).catch(() => {});
    if (stop.signal.aborted) break;
    // Those that are not there yet have waited at least so long.
    const now = performance.now();
    const waits = [...feed.sent].filter(([, at]) => at > now - every_s * 1_000);
    const taken = waits.map(([n, at]) => (arrivals.at.get(n) ?? now) - at);
    for (const [n, at] of feed.sent) {
      if (!arrivals.at.has(n) || at > now - 60_000) continue;
      feed.sent.delete(n);
      arrivals.at.delete(n);
    }
    const sample = {
      at_s: Math.round((now - started) / 1_000),
      rss_mb: residentMb(collector.pid),
      ...heapMb(),
      handles: readdirSync(`/proc/${collector.pid}/fd`).length,
      pending: collector.status!.pending,
      p99_ms: quantile(taken, 0.99),
    };
    samples.push(sample);
    console.log(
      `| ${sample.at_s} | ${sample.rss_mb.toFixed(0)} | ${sample.heap_mb.toFixed(0)} | ${sample.held_mb.toFixed(0)} | ${sample.handles} | ${sample.pending} | ${quantile(taken, 0.5).toFixed(0)} | ${sample.p99_ms.toFixed(0)} | ${loadavg()[0]!.toFixed(1)} |`,
    );
  }
  await writing;
  const lost = !(await collector.until("every alert", () =>
    [...feed.sent.keys()].every((n) => arrivals.at.has(n)),
  ));
  console.log(`the writer was at most ${feed.late_ms.toFixed(0)} ms behind its clock`);
  if (!judge(samples) || lost) process.exitCode = 1;
} finally {
  await collector.stop();
  endpoint.close();
  rmSync(work, { recursive: true, force: true });
}
