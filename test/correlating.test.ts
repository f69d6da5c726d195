// What the ordering thread adds to a frame: rules on the collector's own events, in the frame of the event, and what a
// frame has to keep of it.
import { expect, test } from "vitest";
import { forEachEntry } from "../src/core/entry.ts";
import { LIMITS } from "../src/core/limits.ts";
import { Correlating } from "../src/correlating.ts";
import { Correlations } from "../src/detect/correlate-thread.ts";
import { FirstSeen } from "../src/detect/first-seen.ts";
import { type InForce, Judge } from "../src/detect/judge.ts";
import { type CompiledRule, RuleSet } from "../src/detect/match.ts";
import { Candidates } from "../src/incident/candidates.ts";
import { Incidents } from "../src/incident/grouping.ts";
import { Oversight } from "../src/detect/oversight.ts";
import { compileParsed } from "../src/detect/load.ts";
import { parseRules } from "../src/detect/parse.ts";
import { SelfRecorder } from "../src/self.ts";

const ORIGIN = { namespace: "default", host: "h", version: "1" };
const T0 = Date.UTC(2026, 0, 1);
const GAPS = `title: Gap
name: gap
id: 3b7d2f3a-8a55-4f0e-8a57-2f3f2f4cdc01
logsource: {product: tapline, category: gap}
detection: {s: {event.action: gap}, condition: s}
level: low
---
title: Two gaps
id: 3b7d2f3a-8a55-4f0e-8a57-2f3f2f4cdc02
correlation: {type: event_count, rules: [gap], group-by: [host.name], timespan: 1m, condition: {gte: 2}, generate: true}
level: low
`;

interface Entry {
  readonly event: { action: string; id: string };
  readonly rule?: { name?: string };
  readonly tapline: { alert?: { indexes?: number[] } };
}

function rig({ set, correlations: joined }: InForce) {
  let now_ms = T0;
  const self = new SelfRecorder(ORIGIN, T0, () => now_ms, String);
  const open = (): Correlations =>
    new Correlations(joined, { origin: ORIGIN, ruleset_hash: set.hash, started_ms: T0 });
  const correlating = new Correlating({
    correlations: open(),
    first_seen: new FirstSeen(ORIGIN),
    oversight: new Oversight(ORIGIN, { clients: [], servers: [], spool: false }),
    incidents: new Incidents(ORIGIN, [], []),
    candidates: new Candidates([]),
    judge: new Judge({ set, correlations: joined }),
    self,
    onAlert: () => {},
  });
  let size = 0;
  /** A frame of the collector's own events. */
  const frame = (s: number) => {
    now_ms = T0 + s * 1_000;
    const told = correlating.own({ now_ms, rested_ms: now_ms, first_index: size });
    const { run, count } = self.take();
    const entries: Entry[] = [];
    forEachEntry(run, (from, to) =>
      entries.push(JSON.parse(Buffer.from(run).toString("utf8", from, to)) as Entry),
    );
    const first = size;
    size += count;
    return { told, entries, first };
  };
  return { self, correlating, frame, open };
}

const named = (entries: readonly Entry[]): string[] =>
  entries.map(({ event, rule }) => (event.action === "rule-alert" ? rule!.name! : event.action));

test("alerts stand in the frame of the event, and a frame made again fires nothing anew", () => {
  const { self, correlating, frame, open } = rig(compileParsed(parseRules(GAPS, "gaps.yml")));
  self.add("heartbeat", "alive");
  self.add("gap", "one");
  const one = frame(0);
  expect(named(one.entries)).toEqual(["heartbeat", "Gap", "gap"]);
  expect(one.told.alerts).toBe(1);
  self.add("stream-found", "found");
  self.add("gap", "two");
  const two = frame(1);
  expect(named(two.entries)).toEqual(["stream-found", "Gap", "gap", "Two gaps"]);
  expect(two.told.alerts).toBe(2);
  // The correlation names the places of its events in the ledger.
  expect(two.entries[3]!.tapline.alert!.indexes).toEqual([one.first + 2, two.first + 2]);

  const again = open();
  for (const { told, first } of [one, two])
    again.replay(JSON.parse(JSON.stringify(told.header)) as never, first);
  expect(again.state()).toEqual(correlating.state().correlations);
  self.add("heartbeat", "alive");
  expect(frame(2).told).toMatchObject({ alerts: 0, header: undefined });
});

test("a window that ends while own events are recorded is kept with their frame", () => {
  const quiet = GAPS.replace("condition: {gte: 2}", "condition: {lt: 2}");
  const { self, frame, open } = rig(compileParsed(parseRules(quiet, "gaps.yml")));
  self.add("gap", "one");
  const frames = [frame(0)];
  for (let s = 10; s < 200; s += 10) {
    self.add("heartbeat", "alive");
    frames.push(frame(s));
  }
  const fired = frames.filter(({ entries }) => named(entries).includes("Two gaps"));
  expect(fired.length).toBeGreaterThan(0);
  for (const { told } of fired) expect(told.header).toBeDefined();
  const again = open();
  for (const { told, first } of frames) if (told.header !== undefined) again.replay(told.header, first);
  expect(again.advance(T0 + 300_000, T0 + 300_000).events).toEqual([]);
});

test("a rule that fails on the event which says that rules fail is told no more for that", () => {
  const { set, correlations } = compileParsed(parseRules(GAPS, "gaps.yml"));
  const throwing: CompiledRule = {
    ...set.rules[0]!,
    test: {
      cost: 0,
      test: () => {
        throw new RangeError("too deep");
      },
      partly: () => undefined,
      explain: () => undefined,
    },
  };
  const { self, frame, correlating } = rig({ set: new RuleSet("bad", [throwing], [], "any"), correlations });
  self.add("gap", "one");
  const told = [named(frame(0).entries)];
  for (let s = 0; s < 5; s++) {
    const now_ms = T0 + s * LIMITS.eviction_report_ms;
    correlating.advance({ now_ms, rested_ms: now_ms, first_index: 0 });
    told.push(named(frame((s * LIMITS.eviction_report_ms) / 1_000).entries));
  }
  expect(told.flat()).toEqual(["gap", "gap"]);
});
