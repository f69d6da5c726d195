// Repeats of alerts are counted in windows on a grid; the same alerts are told whatever their order.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { Report } from "../../src/detect/rule.ts";
import {
  type Suppression,
  Suppressor,
  type SuppressorState,
  offerOf,
  readSuppression,
} from "../../src/detect/suppress.ts";

const HOUR = 3_600_000;
const BY = { window_ms: HOUR, by: ["user.name"] };
const alert = (user: string | undefined, more: object = {}): Event =>
  ({ "rule.id": "r", "rule.version": "v", "user.name": user, ...more }) as unknown as Event;

/** As its users do: what is told gets the id of its window. */
function offer(suppressor: Suppressor, e: Event, by: Suppression, at: number, mark_ms = -Infinity): boolean {
  const place = offerOf(e, by, at);
  const told = suppressor.take(place, mark_ms);
  if (told) e["event.id"] = place.alert;
  return told;
}

test("the first is told under the id of its window, repeats are counted until its end", () => {
  const suppressor = new Suppressor();
  const first = alert("ann");
  expect(offer(suppressor, first, BY, 10)).toBe(true);
  expect(offer(suppressor, alert("Ann"), BY, HOUR - 1)).toBe(false);
  expect(offer(suppressor, alert("bob"), BY, 20)).toBe(true);
  expect(offer(suppressor, alert("ann"), BY, HOUR)).toBe(true);
  expect(offer(suppressor, alert("ann", { "rule.version": "w" }), BY, 30)).toBe(true);
  expect(suppressor.end(HOUR - 1, false)).toEqual([]);
  const summary = {
    rule: "r",
    title: "",
    alert: first["event.id"],
    count: 1,
    start_ms: 0,
    end_ms: HOUR,
    backfill: false,
  };
  expect(suppressor.end(HOUR, false)).toEqual([summary]);
  expect(suppressor.end(2 * HOUR, false)).toEqual([]);
});

test("windows of backfilled alerts end when those rest", () => {
  const suppressor = new Suppressor();
  const old = { "tapline.backfill": true };
  expect(offer(suppressor, alert("ann", old), BY, 10, HOUR)).toBe(true);
  expect(suppressor.end(9 * HOUR, false)).toEqual([]);
  expect(offer(suppressor, alert("ann", old), BY, 20, HOUR)).toBe(false);
  expect(suppressor.end(9 * HOUR, true)).toMatchObject([{ count: 1, backfill: true }]);
});

test("what was written while the collector was down counts in the window that is open", () => {
  const suppressor = new Suppressor();
  expect(offer(suppressor, alert("ann"), BY, 10, 5)).toBe(true);
  expect(offer(suppressor, alert("ann", { "tapline.backfill": true }), BY, 20, 5)).toBe(false);
  expect(suppressor.end(HOUR, false)).toMatchObject([{ count: 1, backfill: false }]);
});

test("in any order and over restarts the same ids are told, and each alert is told or counted", () => {
  const one = fc.record({
    user: fc.constantFrom("a", "b", undefined),
    at: fc.integer({ min: 0, max: 4 * HOUR }),
  });
  const run = (
    alerts: readonly { user: string | undefined; at: number }[],
    cut: number,
  ): [string[], number] => {
    let suppressor = new Suppressor();
    const told: string[] = [];
    for (const [i, { user, at }] of alerts.entries()) {
      const event = alert(user);
      if (offer(suppressor, event, BY, at)) told.push(event["event.id"]!);
      if (i % cut === 0)
        suppressor = new Suppressor(JSON.parse(JSON.stringify(suppressor.state())) as SuppressorState);
    }
    return [told.toSorted(), suppressor.end(9 * HOUR, false).reduce((sum, s) => sum + s.count, 0)];
  };
  fc.assert(
    fc.property(fc.array(one), fc.integer({ min: 1, max: 5 }), (alerts, cut) => {
      const [told, counted] = run(alerts, cut);
      expect(told.length + counted).toBe(alerts.length);
      expect(run(alerts.toReversed(), 1_000)).toEqual([told, counted]);
    }),
  );
});

test("too many windows end the oldest early, with its count, and that is counted", () => {
  const suppressor = new Suppressor();
  offer(suppressor, alert("first"), BY, 0);
  offer(suppressor, alert("first"), BY, 0);
  for (let i = 0; i < LIMITS.suppress_windows; i++) offer(suppressor, alert(`user ${i}`), BY, 0);
  expect(suppressor.state().open).toHaveLength(LIMITS.suppress_windows);
  expect(suppressor.end(0, false)).toMatchObject([{ count: 1 }]);
  expect(suppressor.figures().evicted).toBe(1);
  const state = JSON.parse(JSON.stringify(suppressor.state())) as SuppressorState;
  const after = new Suppressor(state);
  expect(offer(after, alert("first"), BY, 0)).toBe(true);
  expect(after.figures()).toMatchObject({ windows: LIMITS.suppress_windows, evicted: 2 });
  // Windows that end with their time are no evictions.
  after.end(HOUR, false);
  expect(after.figures()).toEqual({ windows: 0, repeats: 0, evicted: 2 });
  const { evicted: _, ...older } = state;
  expect(new Suppressor(older).figures().evicted).toBe(0);
});

test("a rule says how long and by what", () => {
  const read = (map: Record<string, unknown>): [unknown, string[]] => {
    const report = new Report("r.yml", 1);
    return [readSuppression(map, report), report.problems.map((p) => p.place)];
  };
  expect(read({})).toEqual([undefined, []]);
  expect(read({ "tapline.suppress": "30m", "tapline.suppress_by": "user.name" })).toEqual([
    { window_ms: 1_800_000, by: ["user.name"] },
    [],
  ]);
  expect(read({ "tapline.suppress": "1h" })).toEqual([
    { window_ms: HOUR, by: ["gen_ai.conversation.id", "user.name"] },
    [],
  ]);
  expect(read({ "tapline.suppress": "long" })).toEqual([undefined, ["tapline.suppress"]]);
  expect(read({ "tapline.suppress_by": ["x"] })).toEqual([undefined, ["tapline.suppress_by"]]);
  expect(read({ "tapline.suppress": "1h", "tapline.suppress_by": [1] })).toEqual([
    undefined,
    ["tapline.suppress_by"],
  ]);
});
