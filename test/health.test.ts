// What Prometheus reads of a collector: every figure of its status under a name of its own, whatever its sinks are called.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { metricsText } from "../src/metrics.ts";
import type { Status } from "../src/status.ts";
import { PROMETHEUS, python } from "./python.ts";

const sink = {
  name: 'a"b\\c\nd',
  created: 5,
  existing: 1,
  dead: 2,
  replayed: 0,
  filtered: 3,
  pending: 4,
  trouble: "it is down",
  counts: { retries: 7 },
};
const STATUS = {
  version: 2,
  pid: 1,
  running: true,
  at_ms: 0,
  state_dir: "/secret/place",
  origin: "tapline/x",
  entries: 15,
  checkpoint_size: 12,
  in_flight: 2,
  tally: {
    read: 20,
    recorded: 14,
    merged: 1,
    skipped: { progress: 3, other: 2 },
    unparsable: 1,
    events: 15,
    alerts: 2,
    gaps: 1,
  },
  broken: ["x: 1 acknowledged but 2 accounted for"],
  ruleset: "abc",
  sources: { claude: { files: 9, truncated: 1 } },
  sinks: [sink],
  anchors: [{ name: "git", type: "git", trouble: undefined }],
  checks: { ledger: { outcome: "pass" } },
  detection: { keys: 3, rows: 8 },
  evicted: 6,
} as unknown as Status;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
const interpreter = python(PROMETHEUS);
const READ = `import json, sys
from prometheus_client.parser import text_string_to_metric_families as read
print(json.dumps([{"name": s.name, "labels": s.labels, "value": s.value, "type": f.type} for f in read(sys.stdin.read()) for s in f.samples]))`;
const parsed = (text: string): Sample[] =>
  JSON.parse(execFileSync(interpreter!, ["-c", READ], { input: text, encoding: "utf8" })) as Sample[];

test.skipIf(interpreter === undefined)("another reader of the format gets the figures of the status", () => {
  const text = metricsText(STATUS, { rss_bytes: 1_000, cpu_s: 1.5, started_s: 100 });
  const samples = parsed(text);
  const valueOf = (name: string, labels: Record<string, string> = {}): number[] =>
    samples
      .filter((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))
      .map(({ value }) => value);
  expect(valueOf("tapline_records_read_total")).toEqual([20]);
  const fates = samples.filter(({ name }) => name === "tapline_records_total");
  expect(fates.map(({ labels, value }) => [labels["fate"], value])).toEqual([
    ["recorded", 14],
    ["merged", 1],
    ["skipped", 5],
  ]);
  expect(valueOf("tapline_records_skipped_total", { reason: "progress" })).toEqual([3]);
  expect(valueOf("tapline_accounts_broken")).toEqual([1]);
  expect(valueOf("tapline_sink_entries_total", { sink: sink.name, fate: "dead" })).toEqual([2]);
  expect(valueOf("tapline_sink_pending", { sink: sink.name })).toEqual([4]);
  expect(valueOf("tapline_sink_trouble", { sink: sink.name })).toEqual([1]);
  expect(valueOf("tapline_sink_count", { sink: sink.name, what: "retries" })).toEqual([7]);
  expect(valueOf("tapline_source_count", { source: "claude", what: "truncated" })).toEqual([1]);
  expect(valueOf("tapline_anchor_trouble", { anchor: "git", type: "git" })).toEqual([0]);
  expect(valueOf("tapline_check_outcome", { check: "ledger", outcome: "pass" })).toEqual([1]);
  expect(valueOf("tapline_ledger_entries")).toEqual([15]);
  expect(valueOf("tapline_ledger_checkpoint_entries")).toEqual([12]);
  expect(valueOf("process_cpu_seconds_total")).toEqual([1.5]);
  // A family is told once, and no text of the status but names is in it.
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(text).not.toMatch(/secret|it is down|accounted for/);
});
