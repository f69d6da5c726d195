// Random streams against windows judged literally; in order, shuffled within the lateness, cut by restarts, replayed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCorrelator, stateOf } from "../../src/detect/correlate-state.ts";
import { type Loaded, type TestEvent, base, batchesOf, load, nameOf, random } from "./correlations.ts";
import { expected } from "./correlations-reference.ts";

const ORIGIN = Date.UTC(2026, 0, 1, 0, 0, 7);
const LATENESS = 5_000;
const RUNS = process.env["TAPLINE_FULL"] === "1" ? 400 : 60;
const TYPES: readonly string[] = [
  "type: event_count, rules: [a], condition: {gte: 3}",
  "type: event_count, rules: [a, b], condition: {gt: 3}",
  "type: event_count, rules: [a], condition: {lt: 3}",
  "type: event_count, rules: [a], condition: {eq: 0}",
  "type: event_count, rules: [a], condition: {eq: 2}",
  "type: event_count, rules: [a], condition: {neq: 1}",
  "type: event_count, rules: [a, b], condition: {gt: 1, lte: 4}",
  "type: value_count, rules: [a], condition: {gte: 2, field: v}",
  "type: value_count, rules: [a, b], condition: {lte: 2, field: v}",
  "type: value_sum, rules: [a], condition: {gte: 10, field: v}",
  "type: value_avg, rules: [a], condition: {gt: 3, field: v}",
  "type: value_median, rules: [a], condition: {lt: 2, field: v}",
  "type: value_percentile, rules: [a, b], condition: {gte: 4, field: v, percentile: 75}",
  "type: temporal, rules: [a, b]",
  "type: temporal, rules: [a, b, c], condition: {gte: 2}",
  "type: temporal, rules: [a, b, c], condition: {eq: 1}",
  "type: temporal_ordered, rules: [a, b, c]",
  "type: temporal_ordered, rules: [a, b, c], condition: {gte: 2}",
  "type: temporal_ordered, rules: [a, b, c], condition: {lt: 3}",
  "type: temporal, condition: a and not b",
  "type: temporal, condition: (a or b) and c",
  "type: temporal, condition: a and (b or not c)",
  "type: temporal_ordered, condition: a and b and not c",
  "type: temporal, condition: (a and not b) or c",
  "type: temporal_ordered, condition: (a and not b) or (b and c)",
];
const WINDOWS: readonly string[] = ["timespan: 10s", "timespan: 10s, tapline.window: tumbling"];
const SESSION = "timespan: 20s, tapline.window: session, tapline.gap: 3s";

function rulesOf(windows: readonly string[]): string {
  const names = ["a", "b", "c"].map(base).join("");
  const all = TYPES.flatMap((type, i) =>
    windows.map((w, k) => `title: T${i}.${k}\ncorrelation: {${type}, group-by: [g], ${w}}\n`),
  );
  return names + all.join("---\n");
}

const stream = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  count: fc.integer({ min: 1, max: 40 }),
  pace: fc.constantFrom(200, 1_000, 4_000),
  size: fc.constantFrom(1, 3, 10),
});
type Stream = typeof stream extends fc.Arbitrary<infer T> ? T : never;

function eventsOf({ seed, count, pace }: Stream): TestEvent[] {
  const below = random(seed);
  let t = 0;
  return Array.from({ length: count }, (_, i) => {
    t += below(pace * 2);
    const e: Record<string, unknown> = {
      k: "abcd"[below(4)]!,
      "event.id": `e${i}`,
      "tapline.stream": `s${below(2)}`,
    };
    if (below(10) > 0) e["g"] = ["X", "x", "Y"][below(3)]!;
    if (below(10) > 0) e["v"] = below(7) / 2;
    return { ...e, t: below(6) === 0 ? t : t - (t % 500) };
  });
}

interface Arrived {
  readonly event: TestEvent;
  readonly at: number;
}

/** Each event arrives some time later, at most the lateness; in batches as they come. */
function shuffled(events: readonly TestEvent[], seed: number, size: number): Arrived[][] {
  const below = random(seed + 1);
  const arrived = events
    .map((event) => ({ event, at: event.t + below(LATENESS + 1) }))
    .sort((a, b) => a.at - b.at);
  const batches: Arrived[][] = [];
  for (const one of arrived) {
    const open = batches.at(-1);
    if (open !== undefined && open.length < size && one.at - open[0]!.at < 1_000) open.push(one);
    else batches.push([one]);
  }
  return batches;
}

/** The alerts of a run; with `cut`, it stops after each batch for which that is true and goes on from its JSON. */
function run(
  loaded: Loaded,
  batches: readonly Arrived[][],
  cut: (batch: number) => boolean = () => false,
): string[] {
  let correlator = openCorrelator(loaded.set, { lateness_ms: LATENESS, started_ms: ORIGIN - 1 });
  const out: string[] = [];
  for (const [i, arrivals] of batches.entries()) {
    const events = arrivals.map((a) => a.event);
    const { batch } = batchesOf(loaded, events, events.length, ORIGIN)[0]!;
    const now_ms = ORIGIN + arrivals.at(-1)!.at;
    out.push(
      ...correlator
        .push(batch, { now_ms, rested_ms: now_ms, first_index: i * 100 })
        .map((f) => nameOf(loaded, f)),
    );
    if (!cut(i)) continue;
    const state = JSON.parse(JSON.stringify(stateOf(correlator))) as ReturnType<typeof stateOf>;
    correlator = openCorrelator(loaded.set, { lateness_ms: LATENESS, state });
  }
  const end = ORIGIN + (batches.at(-1)?.at(-1)?.at ?? 0) + 3_600_000;
  out.push(...correlator.advance(end, end).map((f) => nameOf(loaded, f)));
  expect(correlator.counts.late).toBe(0);
  for (const node of correlator.nodes) expect(node.lines[0].size).toBe(0);
  return out;
}

describe.each([
  ["sliding and tumbling", WINDOWS],
  ["session", [SESSION]],
])("%s windows", (_, windows) => {
  const loaded = load(rulesOf(windows));

  test("the rules compile", () => {
    expect(loaded.problems.map(String)).toEqual([]);
    expect(loaded.set.nodes).toHaveLength(TYPES.length * windows.length);
  });

  test("shuffled within the lateness, as the definition says", { timeout: 120_000 }, () => {
    let alerts = 0;
    fc.assert(
      fc.property(stream, (s) => {
        const events = eventsOf(s);
        const found = run(loaded, shuffled(events, s.seed, s.size));
        expect(new Set(found).size, "no alert twice").toBe(found.length);
        expect(found.toSorted()).toEqual(expected(loaded.correlations, events, ORIGIN).toSorted());
        alerts += found.length;
      }),
      { numRuns: RUNS, seed: 7 },
    );
    expect(alerts).toBeGreaterThan(RUNS * 5);
  });

  test("cut at random places by restarts, the same alerts", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(stream, (s) => {
        const batches = shuffled(eventsOf(s), s.seed, s.size);
        const below = random(s.seed + 2);
        expect(run(loaded, batches, () => below(3) === 0)).toEqual(run(loaded, batches));
      }),
      { numRuns: RUNS, seed: 8 },
    );
  });
});
