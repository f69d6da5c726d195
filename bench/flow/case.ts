// One macro bench in a process of its own: a whole collector from files to one sink, everything on (tail, joins,
// redaction, tags, the bundled rules, ledger). Prints one JSON line. Timed from the first read until every entry is
// durable in the ledger and taken by the sink.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openCollector } from "../../src/collector.ts";
import { parseConfig } from "../../src/config.ts";
import { forEachEntry } from "../../src/core/entry.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { BUNDLED_RULES } from "../../src/paths.ts";
import { childrenOf, usageOf } from "./processes.ts";

const { values } = parseArgs({
  options: {
    sink: { type: "string", default: "null" },
    dir: { type: "string" },
    state: { type: "string" },
    workers: { type: "string", default: "2" },
    url: { type: "string", default: "" },
    /** Rules in place of all bundled ones: files below detections/, with commas. */
    rules: { type: "string", default: "" },
  },
});
const state_dir = values.state!;
rmSync(state_dir, { recursive: true, force: true });
mkdirSync(join(state_dir, "keys"), { recursive: true, mode: 0o700 });
// Fingerprints of content are keyed: the same key finds the same in every run.
writeFileSync(join(state_dir, "keys", "digest.key"), "be".repeat(32), { mode: 0o600 });

/** Hash of the entries without what differs from run to run: ids of file generations, paths, arrival times, and alerts of
 * correlations, since the order in which files are read decides which windows have to go when their memory is full. */
async function outputHash(): Promise<{ hash: string; entries: number }> {
  const reader = openReader(join(state_dir, "ledger"));
  const lines: string[] = [];
  const size = await reader.size();
  for (let at = 0; at < size;) {
    const batch = await reader.read(at, 4096, 8 << 20);
    if (batch === undefined) break;
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    forEachEntry(batch.run, (start, end) => {
      const text = run.toString("utf8", start, end);
      if (!text.includes('"vantage":"self"') && !text.includes('"category":"sigma-correlation"')) {
        const stable = text.replaceAll(
          /"(?:id|created|stream|path|call_key|args_hash|event_ids|ruleset_hash)":(?:"[^"]*"|\[[^\]]*\])/g,
          "",
        );
        lines.push(createHash("sha256").update(stable).digest("hex").slice(0, 16));
      }
    });
    at += batch.count;
  }
  return {
    hash: createHash("sha256").update(lines.toSorted().join()).digest("hex").slice(0, 16),
    entries: size,
  };
}

const rules = values.rules.split(",").filter((name) => name !== "");
const sink = values.sink === "bulk" ? { type: "elasticsearch", url: values.url } : { type: values.sink };
const config = parseConfig(
  JSON.stringify({
    state_dir,
    host: "bench",
    workers: Number(values.workers),
    sources: { bench: { type: "file", include: [join(values.dir!, "*.jsonl")], follow: false } },
    sinks: { bench: sink },
    ...(rules.length > 0 && {
      bundled_rules: false,
      rules: rules.map((name) => join(BUNDLED_RULES, `${name}.yml`)),
    }),
  }),
  "bench",
);
const bytes = readdirSync(values.dir!).reduce((sum, name) => sum + statSync(join(values.dir!, name)).size, 0);
const collector = await openCollector(config, () => {}, {
  onAlert() {},
  onDurable() {},
  onProblem: console.error,
});

/** CPU of every thread alive, µs by role: V8's own threads collect garbage and compile, libuv's do file I/O. */
function threads(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const id of readdirSync("/proc/self/task")) {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, end).replace(/-?\d*$/, "");
    const fields = stat.slice(end + 2).split(" ");
    const role = Number(id) === process.pid ? "ordering" : name;
    sums[role] = (sums[role] ?? 0) + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }
  return sums;
}
let roles: Record<string, number> = {};
const cpu = process.cpuUsage();
const start = performance.now();
let child = { cpu_ms: 0, peak_mb: 0 };
const watch = setInterval(() => {
  for (const pid of childrenOf(process.pid)) child = usageOf(pid) ?? child;
  roles = threads();
}, 200);
await collector.run(new AbortController().signal, true);
const wall_s = (performance.now() - start) / 1000;
clearInterval(watch);
const used = process.cpuUsage(cpu);
const cpu_us = used.user + used.system;
const peak_mb = process.resourceUsage().maxRSS / 1024;
const { hash, entries } = await outputHash();
const records = collector.tally.read;
console.log(
  JSON.stringify({
    case: `file_to_${values.sink}`,
    workers: Number(values.workers),
    rules: rules.length > 0 ? rules.length : "all",
    records,
    entries,
    events_s: Math.round(records / wall_s),
    mb_s: Math.round(bytes / wall_s / 1e5) / 10,
    cpu_us_event: Math.round((cpu_us / records) * 100) / 100,
    peak_mb: Math.round(peak_mb),
    child_cpu_us_event: Math.round((child.cpu_ms * 1000 * 100) / records) / 100,
    child_peak_mb: Math.round(child.peak_mb),
    threads_us_event: Object.fromEntries(
      Object.entries(roles)
        .map(([role, us]) => [role, Math.round((us / records) * 10) / 10] as const)
        .filter(([, us]) => us > 0),
    ),
    output: hash,
  }),
);
process.exit(0);
