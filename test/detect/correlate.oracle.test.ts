// Random correlations over random streams, here and in pySigma's SQLite backend: the same windows must fire, whether the
// events come in order or shuffled.
//
// Known to differ, with the place in the correlation rules specification (2.1.0); the first four are left out here:
// - range conditions ("Condition": "to define a range, you can use the conjunction"): pySigma refuses two comparisons
// - several fields of value_count ("Value Count": "they are linked by an AND"): the backend refuses a list
// - tumbling and session windows: not in the specification
// - a rule named twice in temporal_ordered ("Ordered Temporal Proximity"): the backend takes both for the later one; and
//   conditions of `not` alone, which fire there for events that match nothing, are a compile error here
// - absence ("Condition": `lt`, `eq`): the backend has no window without an event; here the first empty window after an
//   event counts, so that "no event for an hour" fires. Those are told apart by resting on no event, and inner correlations here have no such condition
// - one alert for a window that slides ("Time Selection"): the backend gives a row for each position; here windows that
//   begin in the same stretch of the grid are one alert
// - chains of three ("Related rules") with different groups: the backend looks at all events behind the innermost firing,
//   here only at those that brought it into the group in the middle
// - chains over a temporal_ordered of only some of its rules: which events count is told by one of
//   the orders there, by all events of the window here
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCorrelator } from "../../src/detect/correlate-state.ts";
import type { Firing } from "../../src/detect/correlate-fire.ts";
import { type Loaded, type TestEvent, base, batchesOf, load, random } from "./correlations.ts";
import { python } from "../python.ts";

const SEED = Number(process.env["TAPLINE_SEED"] ?? 20_261_124);
const STREAMS = process.env["TAPLINE_FULL"] === "1" ? 40 : 4;
const CASES = 40;
const ORIGIN = Date.UTC(2026, 2, 3, 4, 5, 0);
const LATENESS = 8_000;
const HOUR = 3_600_000;

const below = random(SEED);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

/** Inner conditions do not hold for silence: an outer correlation would count it here. */
function numeric(inmost: boolean): string {
  return `${pick(inmost ? ["gt", "gte", "eq"] : ["gt", "gte", "lt", "lte", "eq", "neq"])}: ${1 + below(4)}`;
}

/** The section of one correlation over the named rules; `inner` is the correlation among them, `deep` one of three. */
function section(rules: readonly string[], inner: string | undefined, outer: boolean, deep: boolean): string {
  const list = `rules: [${rules.join(", ")}]`;
  const group = deep ? "[g]" : pick(["[g]", "[g]", "[g]", "[g, h]", "[]", "[who]"]);
  const aliased = `, aliases: {who: {${rules.map((r, i) => `${r}: ${i === 1 ? "h" : "g"}`).join(", ")}}}`;
  const rest = `timespan: ${pick([3, 10, 30])}s, group-by: ${group}${group === "[who]" ? aliased : ""}`;
  const field = inner === undefined || below(3) > 0 ? "v" : "sigma_metric";
  switch (below(10)) {
    case 0:
    case 1:
      return `{type: event_count, ${list}, condition: {${numeric(!outer)}}, ${rest}}`;
    case 2:
      return `{type: value_count, ${list}, condition: {field: ${pick(["v", "u"])}, ${numeric(!outer)}}, ${rest}}`;
    case 3: {
      const type = pick(["value_sum", "value_avg", "value_median"]);
      return `{type: ${type}, ${list}, condition: {field: ${field}, ${numeric(!outer)}}, ${rest}}`;
    }
    case 4: {
      const percentile = pick([0, 25, 90, 100]);
      const condition = `{field: ${field}, percentile: ${percentile}, ${numeric(!outer)}}`;
      return `{type: value_percentile, ${list}, condition: ${condition}, ${rest}}`;
    }
    case 5: {
      const [a, b = a, c = b] = rules;
      const condition = pick([
        `${a} and not ${b}`,
        `${a} or ${b}`,
        `${a} and (${b} or not ${c})`,
        `not ${a} and ${b}`,
      ]);
      if (a === b || (condition.includes(c!) && c === b)) return section(rules, inner, outer, deep);
      const used = rules.filter((r) => condition.includes(r));
      const named = used.length === rules.length ? list : `rules: [${used.join(", ")}]`;
      return `{type: ${pick(["temporal", "temporal_ordered"])}, ${named}, condition: "${condition}", ${rest}}`;
    }
    case 6:
      return `{type: temporal, ${list}, condition: {${pick(outer ? ["gte", "lte", "eq"] : ["gte", "eq"])}: ${1 + below(rules.length)}}, ${rest}}`;
    case 7:
      return `{type: temporal_ordered, ${list}, condition: {${pick(outer ? ["gte", "eq"] : ["eq"])}: ${1 + below(rules.length)}}, ${rest}}`;
    default:
      return `{type: ${pick(["temporal", "temporal_ordered"])}, ${list}, ${rest}}`;
  }
}

/** A correlation, or two or three on one another, as one YAML text; undefined when a random rule makes no sense. */
function text(): string | undefined {
  const bases = ["aa", "bb", "cc"];
  const shuffled = bases.toSorted(() => below(2) - 0.5).slice(0, 1 + below(3));
  let all = bases.map(base).join("");
  let rules = shuffled;
  let inner: string | undefined;
  const levels = below(3);
  const deep = levels === 2;
  for (let level = levels; level > 0; level--) {
    inner = `inner${level}`;
    all += `title: ${inner}\nname: ${inner}\ncorrelation: ${section(rules, undefined, false, deep)}\n---\n`;
    rules = [inner, ...bases.slice(0, below(3))];
  }
  all += `title: outer\ncorrelation: ${section(rules, inner, true, deep)}\n`;
  const loaded = load(all);
  // Trivial conditions, and aliases for rules that are not there, are compile errors here.
  const sensible = loaded.problems.filter((p) => p.severity === "error").map((p) => p.code);
  expect(sensible.filter((code) => !["condition_vacuous", "reference", "alias"].includes(code))).toEqual([]);
  return sensible.length === 0 ? all : undefined;
}

function stream(): TestEvent[] {
  let t = 0;
  const pace = pick([300, 1_500, 5_000]);
  return Array.from({ length: 10 + below(30) }, (_, i) => {
    t += below(pace * 2);
    const e: Record<string, unknown> = {
      t: t - (t % 250),
      "event.id": `e${i}`,
      k: pick(["aa", "AA", "bb", "cc", "dd"]),
    };
    if (below(12) > 0) e["g"] = pick(["x", "X", "y"]);
    if (below(12) > 0) e["h"] = pick(["x", "y"]);
    if (below(8) > 0) e["u"] = pick(["p", "P", "q", "r"]);
    if (below(8) > 0) e["v"] = below(9) / 2;
    return { "tapline.stream": `s${below(2)}`, ...e } as unknown as TestEvent;
  });
}

/** Group and place on the grid. */
function cell(loaded: Loaded, group: readonly string[], start_ms: number): string {
  const { span_ms } = loaded.set.nodes.at(-1)!.rule;
  return JSON.stringify([group.map((v) => v.toLowerCase()), Math.floor(start_ms / span_ms) * span_ms]);
}

/** Alerts by whether they rest on events. */
function split(loaded: Loaded, firings: readonly Firing[]): { real: string[]; silent: string[] } {
  const names = (list: readonly Firing[]): string[] => list.map((f) => cell(loaded, f.group, f.start_ms));
  return {
    real: names(firings.filter((f) => f.count > 0)),
    silent: names(firings.filter((f) => f.count === 0)),
  };
}

/** Everything read at once, in any order, as from files that were there before the start. */
function whole(loaded: Loaded, events: readonly TestEvent[]): Firing[] {
  const correlator = openCorrelator(loaded.set, { lateness_ms: LATENESS });
  const backfill = events.map((e) => ({ ...e, "tapline.backfill": true }));
  const out: Firing[] = [];
  for (const { batch } of batchesOf(loaded, backfill, 1 + below(7), ORIGIN)) {
    out.push(...correlator.push(batch, { now_ms: ORIGIN + HOUR, rested_ms: null, first_index: -1 }));
  }
  return [...out, ...correlator.close()];
}

/** As they happen, each late by as much as is allowed. */
function live(loaded: Loaded, events: readonly TestEvent[]): Firing[] {
  const correlator = openCorrelator(loaded.set, { lateness_ms: LATENESS, started_ms: ORIGIN - 1 });
  const arrivals = events.map((e) => ({ e, at: e.t + below(LATENESS) })).toSorted((a, b) => a.at - b.at);
  const out: Firing[] = [];
  for (const { e, at } of arrivals) {
    const { batch } = batchesOf(loaded, [e], 1, ORIGIN)[0]!;
    out.push(...correlator.push(batch, { now_ms: ORIGIN + at, rested_ms: ORIGIN + at, first_index: -1 }));
  }
  out.push(...correlator.advance(ORIGIN + 2 * HOUR, ORIGIN + 2 * HOUR));
  expect(correlator.counts.late).toBe(0);
  return out;
}

const interpreter = python();
test.skipIf(interpreter === undefined)(
  `${STREAMS} × ${CASES} random correlations fire as in pySigma (seed ${SEED})`,
  { timeout: 600_000 },
  () => {
    const script = join(import.meta.dirname, "../oracle/sigma_correlation.py");
    let fired = 0;
    let idle = 0;
    for (let s = 0; s < STREAMS; s++) {
      const events = stream();
      const texts: string[] = [];
      while (texts.length < CASES) texts.push(...[text()].filter((t) => t !== undefined));
      const end = (ORIGIN + 2 * HOUR) / 1000;
      const cases = texts.flatMap((rules) =>
        [null, end].map((observation_end) => ({ rules, observation_end })),
      );
      const stamped = events.map((e) => ({ ...e, timestamp: new Date(ORIGIN + e.t).toISOString() }));
      const input = JSON.stringify({ cases, events: stamped });
      const answer = execFileSync(interpreter!, [script], { input, maxBuffer: 1 << 28, encoding: "utf8" });
      const theirs = JSON.parse(answer) as ([string[], number, number][] | { error: string })[];
      for (const [i, source] of texts.entries()) {
        const loaded = load(source);
        const runs = [
          { name: "in order", mine: whole(loaded, events), other: theirs[i * 2]! },
          {
            name: "any order",
            mine: whole(
              loaded,
              events.toSorted(() => below(2) - 0.5),
            ),
            other: theirs[i * 2]!,
          },
          { name: "live, late", mine: live(loaded, events), other: theirs[i * 2 + 1]! },
        ];
        for (const { name, mine, other } of runs) {
          if (!Array.isArray(other)) throw new Error(`${other.error}\n${source}`);
          const wanted = new Set(other.map(([group, start]) => cell(loaded, group, start)));
          const { real, silent } = split(loaded, mine);
          // A silence may be told first where a window with events would have been.
          const found = new Set([...real, ...silent.filter((c) => wanted.has(c))]);
          const about = `${name}\n${source}\n${JSON.stringify(events)}`;
          expect([...found].toSorted(), about).toEqual([...wanted].toSorted());
          if (wanted.size > 0) fired++;
          else idle++;
        }
      }
    }
    // Neither "everything fires" nor "nothing does" would show a difference.
    expect(fired).toBeGreaterThan((fired + idle) / 5);
    expect(idle).toBeGreaterThan((fired + idle) / 20);
  },
);
