// Correlations on the ordering thread: CPU per extract by type of rule, in order and shuffled; memory per key; the work
// of the worker per match.  node bench/hot/correlate.ts [events]
import { eventOf } from "../../src/core/event.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { fromMs } from "../../src/core/time.ts";
import { compileCorrelations } from "../../src/detect/correlate-compile.ts";
import { type ExtractBatch, Extractor } from "../../src/detect/correlate-extract.ts";
import { openCorrelator, stateOf } from "../../src/detect/correlate-state.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compileRules } from "../../src/detect/rules.ts";

const EVENTS = Number(process.argv[2] ?? process.env["BENCH_EVENTS"] ?? 50_000);
const BATCH = 1_000;
const KEYS = 500;
const ORIGIN = Date.UTC(2026, 0, 1);
const STEP_MS = 10;

const step = (name: string, tool: string): string =>
  `title: ${name}\nname: ${name}\nlogsource: {product: tapline, category: tool-call}\ndetection:\n  s: {gen_ai.tool.name: ${tool}}\n  condition: s\n---\n`;
const BASES = step("read", "read_file") + step("fetch", "fetch_url") + step("send", "send_mail");
const CASES: Readonly<Record<string, string>> = {
  "event_count gte 1000": "type: event_count, rules: [read], condition: {gte: 1000}",
  "event_count gte 5": "type: event_count, rules: [read], condition: {gte: 5}",
  "value_count gte 100": "type: value_count, rules: [read], condition: {field: file.path, gte: 100}",
  "value_sum gte 10^9":
    "type: value_sum, rules: [read], condition: {field: tapline.data.bytes_out, gte: 1000000000}",
  value_percentile:
    "type: value_percentile, rules: [read], condition: {field: tapline.data.bytes_out, percentile: 95, gt: 100000}",
  "temporal_ordered of 3": "type: temporal_ordered, rules: [fetch, read, send]",
  "read and not send": "type: temporal, condition: read and not send",
};

function events(): Event[] {
  const origin = { namespace: "default", host: "bench", version: "0" };
  return Array.from({ length: EVENTS }, (_, i) => {
    const e = eventOf("tool-call", origin);
    e["@timestamp"] = fromMs(ORIGIN + i * STEP_MS);
    e["event.id"] = (i * 2_654_435_761).toString(16).padStart(32, "0");
    e["tapline.stream"] = `stream-${i % 8}`;
    e["gen_ai.conversation.id"] = `conversation-${(i * 7_919) % KEYS}`;
    e["user.name"] = "ann";
    e["service.name"] = "claude-code";
    e["gen_ai.tool.name"] = i % 10 === 0 ? "fetch_url" : "read_file";
    e["file.path"] = `/home/ann/project/src/file-${i % 4_000}.ts`;
    e["tapline.data.bytes_out"] = (i * 37) % 5_000;
    return e;
  });
}

/** CPU in ns. */
function cpu(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

const all = events();
console.log(`correlate: ${EVENTS} events of ${KEYS} sessions, ${BATCH} a batch, windows of 10 minutes`);
for (const [name, section] of Object.entries(CASES)) {
  const text = `${BASES}title: C\ncorrelation: {${section}, group-by: gen_ai.conversation.id, timespan: 10m}\n`;
  const { rules, correlations } = parseRules(text, "bench.yml");
  const set = compileRules(rules);
  const bases = set.rules.map(({ rule }) => rule);
  const joined = compileCorrelations(bases, correlations, "table");
  const extractor = new Extractor(
    joined.set.plan,
    bases.map((rule) => rule.hash),
  );
  const batches: ExtractBatch[] = [];
  let extracts = 0;
  const worker = cpu(() => {
    const matched: number[] = [];
    for (let from = 0; from < all.length; from += BATCH) {
      for (let i = from; i < Math.min(from + BATCH, all.length); i++) {
        extractor.seen(all[i]!);
        matched.length = 0;
        set.match(all[i]!, matched);
        for (let k = 0; k < matched.length; k++) extractor.add(matched[k]!, all[i]!, i - from);
      }
      batches.push(extractor.take());
      extracts += batches.at(-1)!.extracts.length;
    }
  });
  // Neighbours swapped: within the lateness, as streams that are read side by side.
  const mixed = batches.map((b) => ({
    ...b,
    extracts: b.extracts.toSorted((x, y) => (x.time_ms % 70) - (y.time_ms % 70)),
  }));
  const times: number[] = [];
  let firings = 0;
  let bytes = 0;
  let keys = 0;
  let json = 0;
  for (const order of [batches.slice(0, 20), batches, mixed]) {
    const correlator = openCorrelator(joined.set, { started_ms: ORIGIN });
    firings = 0;
    const ns = cpu(() => {
      for (const [i, batch] of order.entries()) {
        const now_ms = ORIGIN + (i + 1) * BATCH * STEP_MS;
        firings += correlator.push(batch, { now_ms, rested_ms: now_ms, first_index: i * BATCH }).length;
      }
    });
    times.push(ns / extracts);
    bytes = correlator.bytes;
    keys = correlator.nodes[0]!.lines[0].size;
    json = JSON.stringify(stateOf(correlator)).length;
  }
  // The first run warms up.
  const each = times
    .slice(1)
    .map((ns) => `${ns.toFixed(0)} ns`)
    .join(" in order, ");
  const share = `${(bytes / keys).toFixed(0)} bytes per key (estimated; ${(json / keys).toFixed(0)} as JSON)`;
  const told = `worker ${(worker / EVENTS).toFixed(0)} ns per event with its match`;
  console.log(`correlate: ${name}: ${each} mixed per extract, ${share}, ${firings} firings, ${told}`);
}
