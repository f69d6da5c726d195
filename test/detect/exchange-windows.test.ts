// Windows by what is told in one stream of matches: what holds time and for how long, what is not understood, and other
// rules in the middle. Whole groups are in test/exchange.test.ts.
import { expect, test } from "vitest";
import type { Told } from "../../src/core/exchange.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { type ToldClock, clockText, matchText } from "../../src/detect/exchange-message.ts";
import { routesOf } from "../../src/detect/exchange-routes.ts";
import { Windows } from "../../src/detect/exchange-windows.ts";
import { base, load } from "./correlations.ts";

const T0 = Date.UTC(2026, 0, 1);
const OPTIONS = { origin: { namespace: "default", host: "h", version: "1" }, ruleset_hash: "set" };
const two = (title: string, more = ""): string =>
  `title: ${title}\ncorrelation: {type: event_count, rules: [a], group-by: user.name, timespan: 1m, condition: {gte: 2}}\n${more}`;
const ABSENT = `title: absent\ncorrelation: {type: temporal, rules: [a, b], group-by: user.name, timespan: 1m, condition: "a and not b"}\n---\n`;
const loaded = load(`${base("a")}${base("b")}${ABSENT}${two("two")}`);
const routed = routesOf(loaded.set);
const rule = loaded.rules.rules.find((one) => one.rule.name === "a")!.rule.hash;

let n = 0;
/** What a member tells of a match, for every correlation. */
function match(s: number): string[] {
  const fields = loaded.set.plan[rule]!;
  const values = fields.map((name) => (name === "user.name" ? "ann" : null));
  const extract = { rule: 0, time_ms: T0 + s * 1_000, event: `e${n++}`, entry: 0, values, backfill: false };
  const about = { now: T0 + s * 1_000, from: T0 };
  return routed.routes.get(rule)!.map((route) => matchText(route, { rule, fields }, extract, about)!.text);
}

function clock(s: number, streams: Record<string, number | null>, of = Object.keys(streams).length): string {
  const told = Object.entries(streams).map(([name, rested]): ToldClock["streams"][number] => {
    const at = rested === null ? null : T0 + rested * 1_000;
    return { name, at, rested: at, backfill: null };
  });
  return clockText({ now: T0 + s * 1_000, from: T0, of, streams: told });
}

class Stream {
  readonly windows = new Windows(routed, OPTIONS);
  #fresh = true;

  /** Titles of the alerts that come of it. */
  tell(texts: readonly string[], again = false): string[] {
    const told = texts.map((text): Told => {
      const fresh = this.#fresh;
      this.#fresh = false;
      return { stream: "m", bytes: Buffer.from(text), fresh, again };
    });
    return this.windows.take(told).map((e) => e["rule.name"]!);
  }
}

test("a stream of events that is not told of holds time, as does one that nobody has read to its end; not for ever", () => {
  const hold_s = LIMITS.correlation_hold_ms / 1_000;
  const short = new Stream();
  expect(
    short.tell([...match(0), clock(100, { p: 100 }, 2), clock(hold_s - 1, { p: hold_s - 1 }, 2)]),
  ).toEqual([]);
  expect(short.tell([clock(hold_s, { p: hold_s }, 2)])).toEqual(["absent"]);
  const known = new Stream();
  expect(known.tell([...match(0), clock(1, { p: 0, q: 0 }), clock(100, { p: 100 }, 2)])).toEqual([]);
  // Another reads it now, and has not come to its end.
  expect(known.tell([clock(101, { q: null }, 2), clock(200, { p: 200 }, 2)])).toEqual([]);
  expect(known.tell([clock(201, { q: 50 }, 2)])).toEqual([]);
  expect(known.tell([clock(202, { q: 61 }, 2)])).toEqual(["absent"]);
  const busy = new Stream();
  expect(
    busy.tell([...match(0), clock(1, { p: 0, q: null }), clock(hold_s, { p: hold_s, q: null })]),
  ).toEqual([]);
  expect(busy.tell([clock(hold_s + 1, { p: hold_s + 1, q: null })])).toEqual(["absent"]);
});

test("what is read anew makes the windows and no alerts, and what cannot be understood is counted", () => {
  const stream = new Stream();
  const texts = [...match(0), "no JSON", '{"v":1,"kind":"match"}', ...match(1)];
  expect(stream.tell(texts, true)).toEqual([]);
  expect(stream.windows.unread).toBe(2);
  expect(stream.tell(match(2)), "that window was told").toEqual([]);
  const aloud = new Stream();
  expect(aloud.tell(match(0), true)).toEqual([]);
  expect(aloud.tell(match(1))).toEqual(["two"]);
});

test("with other rules, what is the same goes on; matches for correlations that are not there count nowhere", () => {
  const stream = new Stream();
  expect(stream.tell(match(0))).toEqual([]);
  const other = load(`${base("a")}${two("two")}---\n${two("other")}`);
  stream.windows.use(routesOf(other.set), OPTIONS);
  // Sent by one that has the old rules still.
  expect(stream.tell(match(1))).toEqual(["two"]);
  stream.windows.keep([]);
  expect(stream.windows.figures(new Windows(routed, OPTIONS).figures(NONE)).keys).toBe(0);
});

const NONE = {
  correlations: 0,
  keys: 0,
  rows: 0,
  bytes: 0,
  fired: 0,
  evicted_keys: 0,
  evicted_rows: 0,
  late: 0,
  suppressing: 0,
  suppressed: 0,
  suppressing_evicted: 0,
};
