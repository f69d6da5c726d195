// What happens at the edges: floods of keys, restarts and new rule sets under them, records from before the start,
// late and future records, the same batch twice.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Correlator } from "../../src/detect/correlate.ts";
import { openCorrelator, stateOf } from "../../src/detect/correlate-state.ts";
import { metricOf } from "../../src/detect/window-parts.ts";
import { type Loaded, type TestEvent, base, batchesOf, load, nameOf, random } from "./correlations.ts";

const ORIGIN = Date.UTC(2026, 0, 1);
const THREE =
  "title: three\ncorrelation: {type: event_count, rules: [a], group-by: g, timespan: 1m, condition: {gte: 3}}\n";
const CHAIN = `---\ntitle: chain
correlation: {type: temporal_ordered, rules: [pair, b], group-by: g, timespan: 10m}
---
title: pair
name: pair
correlation: {type: event_count, rules: [a], group-by: [g, h], timespan: 1m, condition: {gte: 2}}
---
title: lonely
correlation: {type: temporal, condition: a and not b, group-by: g, timespan: 30s}
---
title: quiet
correlation: {type: event_count, rules: [b], group-by: g, timespan: 1m, condition: {eq: 0}}
`;
const BASES = base("a") + base("b");

let count = 0;
const event = (t: number, k: string, g: string, more: object = {}): TestEvent => ({
  t,
  k,
  g,
  "event.id": `e${count++}`,
  "tapline.stream": "s",
  ...more,
});

function push(loaded: Loaded, to: Correlator, events: readonly TestEvent[], now: number): string[] {
  const { batch } = batchesOf(loaded, events, events.length, ORIGIN)[0]!;
  return to
    .push(batch, { now_ms: ORIGIN + now, rested_ms: ORIGIN + now, first_index: 100 })
    .map((f) => nameOf(loaded, f));
}

test("a flood of keys evicts itself first, is counted and told once a minute", { timeout: 60_000 }, () => {
  const loaded = load(BASES + THREE);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  push(loaded, correlator, [event(0, "a", "victim"), event(1, "a", "victim")], 10);
  for (let i = 0; i < 11; i++) {
    const flood = Array.from({ length: 10_000 }, (_, k) => event(100 + i, "a", `key ${i} ${k}`));
    push(loaded, correlator, flood, 100 + i);
  }
  expect(correlator.nodes[0]!.lines[0].size).toBeLessThanOrEqual(LIMITS.correlation_keys);
  expect(correlator.bytes).toBeLessThanOrEqual(LIMITS.correlation_bytes);
  const { evicted_keys } = correlator.nodes[0]!.counts;
  expect(evicted_keys).toBeGreaterThanOrEqual(110_001 - LIMITS.correlation_keys);
  const told = correlator.evictions(ORIGIN + 200);
  expect(told).toEqual([{ node: 0, keys: evicted_keys, rows: evicted_keys }]);
  push(
    loaded,
    correlator,
    Array.from({ length: 100_000 }, (_, k) => event(300, "a", `more ${k}`)),
    300,
  );
  expect(correlator.evictions(ORIGIN + 400)).toEqual([]);
  expect(correlator.evictions(ORIGIN + 400 + LIMITS.eviction_report_ms)).toHaveLength(1);
  // The key that had begun to count is still there.
  expect(push(loaded, correlator, [event(500, "a", "Victim")], 500)).toHaveLength(1);
});

test("a flood of events of one key keeps the latest, and still fires once a window", () => {
  const loaded = load(BASES + THREE);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  const fired: string[] = [];
  for (let i = 0; i < 6; i++) {
    const flood = Array.from({ length: 5_000 }, (_, k) => event(i * 1_000 + Math.floor(k / 10), "a", "x"));
    fired.push(...push(loaded, correlator, flood, i * 1_000 + 600));
  }
  expect(correlator.nodes[0]!.counts.evicted_rows).toBe(30_000 - LIMITS.correlation_rows);
  expect(new Set(fired).size).toBe(fired.length);
  expect(fired.length).toBeLessThanOrEqual(2);
});

test("an event that several rules match goes as a whole, so that numbers stay true beyond the bound of rows", () => {
  const two = base("a") + base("a").replaceAll(": a\nname: a", ": b\nname: b");
  const over = (title: string, rest: string): string =>
    `title: ${title}\ncorrelation: {${rest}, rules: [a, b], group-by: g, timespan: 1h}\n`;
  const loaded = load(
    two +
      [
        over("count", "type: event_count, condition: {gte: 4000}"),
        over("sum", "type: value_sum, condition: {gte: 14000, field: v}"),
        over("middle", "type: value_percentile, condition: {gt: 3, field: v, percentile: 50}"),
      ].join("---\n"),
  );
  expect(loaded.problems).toEqual([]);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  const fired: string[] = [];
  for (let minute = 0; minute < 150; minute++) {
    const events = Array.from({ length: 160 }, (_, i) =>
      event(minute * 60_000 + i * 375, "a", "x", { v: i % 8 }),
    );
    fired.push(...push(loaded, correlator, events, (minute + 1) * 60_000));
  }
  for (const { counts, lines } of correlator.nodes) {
    expect(counts.evicted_rows).toBeGreaterThan(10_000);
    expect(lines[0].get("x")!.rows).toHaveLength(LIMITS.correlation_rows);
  }
  for (const title of ["count", "sum"]) {
    const hours = fired.filter((name) => name.includes(title));
    expect(hours, title).toHaveLength(3);
  }
  for (const { node, lines } of correlator.nodes) {
    const { rows, swept } = lines[0].get("x")!;
    const metric = metricOf(node.rule);
    metric.start(rows, swept!.low);
    for (let i = swept!.low; i < swept!.high; i++) metric.add();
    expect(swept!.metric.value(), node.rule.title).toBe(metric.value());
  }
});

/** Streams of agents that mostly do not fire, between floods of keys. */
function batches(seed: number): TestEvent[][] {
  const below = random(seed);
  count = 0;
  return Array.from({ length: 60 }, (_, i) => {
    const t = i * 4_000;
    return Array.from({ length: below(12) }, () => {
      const more = { h: "pq"[below(2)]!, "tapline.stream": `s${below(3)}` };
      return event(t - below(20_000), "ab"[below(2)]!, `g${below(6)}`, more);
    });
  }).filter((b) => b.length > 0);
}

test("restarts at random points, with a new rule set in each run: the alerts of an uninterrupted run", () => {
  const before = load(BASES + THREE + CHAIN);
  // One rule changes at the reload; the others keep their windows.
  const after = load(BASES + THREE.replace("three", "four").replace("gte: 3", "gte: 4") + CHAIN);
  const kept = (names: readonly string[]): string[] =>
    names.filter((n) => !/^\["(three|four)/.test(n)).toSorted();
  let alerts = 0;
  for (let seed = 0; seed < 100; seed++) {
    const below = random(seed + 1_000);
    const all = batches(seed);
    const reload = below(all.length);
    const run = (cuts: boolean): string[] => {
      let loaded = before;
      let correlator = openCorrelator(loaded.set, { started_ms: ORIGIN - 60_000 });
      const out: string[] = [];
      for (const [i, events] of all.entries()) {
        const now = i * 4_000 + 20_000;
        out.push(...push(loaded, correlator, events, now));
        if (!cuts || (i !== reload && below(10) > 0)) continue;
        const state = JSON.parse(JSON.stringify(stateOf(correlator))) as ReturnType<typeof stateOf>;
        if (i === reload) loaded = after;
        correlator = openCorrelator(loaded.set, { state });
      }
      const last = correlator.advance(ORIGIN + 3_600_000, ORIGIN + 3_600_000);
      expect(correlator.counts.late).toBe(0);
      return kept([...out, ...last.map((f) => nameOf(loaded, f))]);
    };
    const whole = run(false);
    expect(run(true)).toEqual(whole);
    alerts += whole.length;
  }
  expect(alerts).toBeGreaterThan(1_000);
});

test("batches taken in again after a snapshot fire the same again, and those before it never", () => {
  const loaded = load(BASES + THREE + CHAIN);
  const all = batches(5);
  const arrive = (correlator: Correlator, from: number): string[][] =>
    all.slice(from).map((events, i) => push(loaded, correlator, events, (from + i) * 4_000 + 20_000));
  const first = openCorrelator(loaded.set, { started_ms: ORIGIN - 60_000 });
  const half = Math.floor(all.length / 2);
  const early = all.slice(0, half).flatMap((events, i) => push(loaded, first, events, i * 4_000 + 20_000));
  const state = JSON.stringify(stateOf(first));
  const later = arrive(first, half);
  const again = openCorrelator(loaded.set, { state: JSON.parse(state) as ReturnType<typeof stateOf> });
  expect(arrive(again, half)).toEqual(later);
  expect(JSON.stringify(stateOf(again))).toBe(JSON.stringify(stateOf(first)));
  expect(early.filter((name) => later.flat().includes(name))).toEqual([]);
});

test("a window after an event and one before a later event that have one place on the grid are one alert", () => {
  const mixed =
    "title: mixed\ncorrelation: {type: temporal, condition: (a and not b) or c, group-by: g, timespan: 10m}\n";
  const loaded = load(BASES + base("c") + mixed);
  const minute = 60_000;
  const alert = JSON.stringify(["mixed", "x", ORIGIN]);
  for (const [at, told] of [
    [19 * minute, []],
    [20 * minute, [JSON.stringify(["mixed", "x", ORIGIN + 10 * minute])]],
  ] as const) {
    const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
    expect(push(loaded, correlator, [event(1, "a", "x")], 10)).toEqual([]);
    const rested = ORIGIN + 12 * minute;
    expect(correlator.advance(rested, rested).map((f) => nameOf(loaded, f))).toEqual([alert]);
    expect(push(loaded, correlator, [event(at, "c", "x")], at)).toEqual(told);
    correlator.advance(ORIGIN + 60 * minute, ORIGIN + 60 * minute);
    expect(correlator.nodes[0]!.lines[0].size).toBe(0);
  }
});

test("an event that was read twice counts once", () => {
  const loaded = load(BASES + THREE);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  const two = [event(0, "a", "x"), event(10, "a", "x")];
  expect(push(loaded, correlator, two, 20)).toEqual([]);
  expect(push(loaded, correlator, two, 30)).toEqual([]);
  expect(push(loaded, correlator, [event(20, "a", "x")], 40)).toHaveLength(1);
});

test("records from before the start have a time line of their own, without lateness, judged when they rest", () => {
  const loaded = load(BASES + THREE + CHAIN);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  const old = { "tapline.backfill": true };
  const hour = 3_600_000;
  // Newest file first.
  expect(push(loaded, correlator, [event(-hour, "a", "x", old)], 100)).toEqual([]);
  push(loaded, correlator, [event(-9 * hour + 5, "b", "y", old), event(-9 * hour, "a", "y", old)], 200);
  expect(
    push(loaded, correlator, [event(-hour + 1, "a", "x", old), event(-hour - 1, "a", "x", old)], 300),
  ).toEqual([JSON.stringify(["three", "x", ORIGIN - hour - 60_000])]);
  // Live events of the same key are not joined to them.
  expect(push(loaded, correlator, [event(400, "a", "z"), event(410, "a", "z")], 500)).toEqual([]);
  expect(push(loaded, correlator, [event(-1, "a", "z", old)], 600)).toEqual([]);
  expect(correlator.counts.late).toBe(0);
  expect(correlator.advance(ORIGIN + 5_000, ORIGIN + 5_000)).toEqual([]);
  const rested = correlator.advance(ORIGIN + 11_000, ORIGIN + 11_000);
  expect(rested.every((f) => f.backfill)).toBe(true);
  expect(rested.map((f) => [f.key, loaded.set.nodes[f.node]!.rule.title])).toContainEqual(["y", "quiet"]);
  expect(correlator.nodes.every((n) => n.lines[1].size === 0)).toBe(true);
  // The same window does not fire again when one more old file turns up.
  const more = [0, 1, 2].map((i) => event(-hour + 10 + i, "a", "x", old));
  expect(push(loaded, correlator, more, 20_000)).toEqual([]);
});

test("what was written while the collector was down goes on where it stopped", () => {
  const loaded = load(BASES + THREE);
  const before = openCorrelator(loaded.set, { started_ms: ORIGIN });
  push(loaded, before, [event(1_000, "a", "x"), event(2_000, "a", "x")], 2_000);
  const after = openCorrelator(loaded.set, { started_ms: ORIGIN + 600_000, state: stateOf(before) });
  // Read ten minutes later, when it is older than the new start.
  const late = [event(3_000, "a", "x", { "tapline.backfill": true })];
  const { batch } = batchesOf(loaded, late, 1, ORIGIN)[0]!;
  const fired = after.push(batch, { now_ms: ORIGIN + 600_000, rested_ms: null, first_index: -1 });
  expect(fired).toMatchObject([{ key: "x", backfill: false, count: 3 }]);
});

test("late and future records are counted; a future one pushes no other aside", () => {
  const loaded = load(BASES + THREE);
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  push(loaded, correlator, [event(7_200_000, "a", "x")], 1_000);
  expect(correlator.counts.ahead).toBe(1);
  expect(push(loaded, correlator, [event(900, "a", "x"), event(1_100, "a", "x")], 1_200)).toHaveLength(1);
  push(loaded, correlator, [event(200_000, "a", "y")], 200_000);
  correlator.advance(ORIGIN + 201_000, ORIGIN + 201_000);
  push(loaded, correlator, [event(100_000, "a", "x")], 201_000);
  expect(correlator.counts.late).toBe(1);
});

test("firings tell the events, their places in the ledger and whom they concern", () => {
  const loaded = load(BASES + CHAIN.slice(4));
  const correlator = openCorrelator(loaded.set, { started_ms: ORIGIN });
  const who = { "gen_ai.conversation.id": "s1", "user.name": "ann" };
  const events = [
    event(0, "a", "X", { ...who, h: "p", "gen_ai.tool.name": "read", "event.id": "one" }),
    event(1, "a", "x", { ...who, h: "p", "gen_ai.tool.name": "read", "event.id": "two" }),
    event(2, "b", "x", { ...who, "gen_ai.tool.name": "send", "event.id": "three" }),
  ];
  const { batch } = batchesOf(loaded, events, 3, ORIGIN)[0]!;
  const fired = [
    ...correlator.push(batch, { now_ms: ORIGIN + 2, rested_ms: ORIGIN + 2, first_index: 40 }),
    ...correlator.advance(ORIGIN + 10_000_000, ORIGIN + 10_000_000),
  ].filter((f) => loaded.set.nodes[f.node]!.rule.title === "chain");
  expect(fired).toMatchObject([
    {
      key: "x",
      time_ms: ORIGIN + 2,
      number: 2,
      count: 2,
      evidence: [
        { event: "one", index: 40 },
        { event: "two", index: 41 },
        { event: "three", index: 42 },
      ],
      context: { "gen_ai.conversation.id": "s1", "user.name": "ann" },
    },
  ]);
  expect(fired[0]!.context).not.toHaveProperty("gen_ai.tool.name");
});
