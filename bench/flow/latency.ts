// `npm run bench -- latency`: from a line written to its alert in the sink, at several rates, with the whole collector as
// users run it and all bundled rules. A share of the lines fires an alert at once. Prints p50 and p99 by rate, apart from them
// those of the first seconds, in which code that has just started is compiled while it runs, and whether the rate was held:
// whether everything had arrived soon after the last line.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Feed, PROBE_RULE } from "./feed.ts";
import { Arrivals, Collector, openEndpoint, quantile, watchFile } from "./observed.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    rates: { type: "string", default: "1000,10000,50000" },
    /** Of files, ms: the option of the source. */
    poll: { type: "string", default: "500,20" },
    /** A cluster that requests go on to. */
    url: { type: "string" },
    engine: { type: "string", default: "opensearch" },
    sinks: { type: "string", default: "file,bulk" },
  },
});
const PROBES_S = 50;
/** Everything has to be there so soon after the last line, or the rate was not held. */
const HELD_MS = 2_000;
const DRAIN_MS = 60_000;
/** So long after the first line figures are those of a start. */
const START_MS = 5_000;
const work = join(tmpdir(), `tapline-latency-${process.pid}`);
const seconds = Number(values.seconds);

/** p50 and p99 in ms; nothing of a run that ended before. */
const shown = (taken: readonly number[]): string =>
  taken.length === 0 ? "" : `${quantile(taken, 0.5).toFixed(0)}, ${quantile(taken, 0.99).toFixed(0)}`;

async function measure(to: string, rate: number, poll_ms: number): Promise<string> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "in"), { recursive: true });
  writeFileSync(join(work, "probe.yml"), PROBE_RULE);
  const arrivals = new Arrivals();
  const path = join(work, "alerts.ndjson");
  const endpoint = to === "file" ? undefined : await openEndpoint(arrivals, values.url);
  const collector = new Collector(work, {
    sources: { bench: { type: "file", include: [join(work, "in", "*.jsonl")], poll_ms } },
    rules: [join(work, "probe.yml")],
    sinks: {
      bench:
        endpoint === undefined
          ? { type: "file", path }
          : { type: values.url === undefined ? "elasticsearch" : values.engine, url: endpoint.url },
    },
  });
  const load = loadavg()[0]!;
  let close = endpoint?.close;
  try {
    close ??= watchFile(path, arrivals);
    const feed = new Feed(join(work, "in"));
    feed.probe();
    if (!(await collector.until("the first alert", () => arrivals.at.size > 0))) return "no alert";
    const began = performance.now();
    await feed.run(rate, PROBES_S, seconds);
    const ended = performance.now();
    const written_s = Math.round((feed.lines * 1_000) / (ended - began)).toLocaleString("en");
    await collector.until("every alert", () => arrivals.at.size === feed.sent.size, DRAIN_MS);
    const after_ms = Math.max(...arrivals.at.values()) - ended;
    const [cold, warm]: [number[], number[]] = [[], []];
    for (const [n, at] of arrivals.at) {
      if (n === 0) continue; // the first one waits for the start
      const sent = feed.sent.get(n)!;
      (sent < began + START_MS ? cold : warm).push(at - sent);
    }
    const held = arrivals.at.size === feed.sent.size && after_ms < HELD_MS ? "yes" : "no";
    const behind = held === "yes" ? "" : `, ${(after_ms / 1_000).toFixed(1)} s behind`;
    const alerts = `${arrivals.at.size - 1} of ${feed.sent.size - 1}`;
    return `${written_s} | ${alerts} | ${shown(warm)} | ${shown(cold)} | ${held}${behind} | ${load.toFixed(1)}`;
  } finally {
    await collector.stop();
    close?.();
    rmSync(work, { recursive: true, force: true });
  }
}

console.log(
  "| sink | poll_ms | events/s | written/s | alerts | p50, p99 ms | of the first 5 s | held | load |",
);
console.log(
  "| ---- | ------- | -------- | --------- | ------ | ----------- | ---------------- | ---- | ---- |",
);
for (const to of values.sinks.split(",")) {
  for (const poll_ms of values.poll.split(",").map(Number)) {
    for (const rate of values.rates.split(",").map(Number)) {
      const found = await measure(to, rate, poll_ms);
      const name = to === "bulk" && values.url !== undefined ? values.engine : to;
      console.log(`| ${name} | ${poll_ms} | ${rate.toLocaleString("en")} | ${found} |`);
    }
  }
}
