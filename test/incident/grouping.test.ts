// Alerts to incidents: what opens, joins, escalates and reopens; deadlines that pass; restarts; bounds.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newEvent } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { type Candidate, Candidates, type IncidentNews, NO_NEWS } from "../../src/incident/candidates.ts";
import {
  type DeadlineRule,
  type IncidentRule,
  deadlinesOf,
  deadlinesSchema,
  incidentsSchema,
  rulesOf,
} from "../../src/incident/config.ts";
import { Incidents } from "../../src/incident/grouping.ts";
import type { Step } from "../../src/incident/present.ts";
import { replayed } from "../../src/incident/replay.ts";
import { checkEvent } from "../normalise/harness.ts";

const ORIGIN = { namespace: "default", host: "h", version: "0" };
const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 10, 28, 10);
const RULE: IncidentRule = {
  name: "session",
  level: "medium",
  field: "gen_ai.conversation.id",
  window_ms: 24 * HOUR,
  backfill: false,
};
const DEADLINES: readonly DeadlineRule[] = [
  { name: "acknowledge", within: "1h", within_ms: HOUR, until: "acknowledged", level: "high" },
  { name: "serious", within: "15d", within_ms: 360 * HOUR, until: "reported" },
];
const incidents = (rules = [RULE], deadlines = DEADLINES): Incidents =>
  new Incidents(ORIGIN, rules, deadlines);

let count = 0;
function alert(time_ms: number, more: Partial<Candidate> = {}): Candidate {
  const of = { by: "session", field: RULE.field, group: "s1", level: "high", title: "Leak", backfill: false };
  return { ...of, alert: `alert-${count++}`, time_ms, ...more };
}
const news = (...candidates: Candidate[]): IncidentNews => ({ candidates, steps: [] });
const said = (id: string, transition: string, more: Step = {}): IncidentNews => ({
  candidates: [],
  steps: [
    {
      "@timestamp": new Date(T0).toISOString(),
      "tapline.incident.id": id,
      "tapline.incident.transition": transition,
      "user.name": "ann",
      ...more,
    },
  ],
});
function offer(of: Incidents, told: IncidentNews, now_ms = T0): string[][] {
  const { events } = of.offer(told, now_ms);
  for (const e of events) checkEvent(e);
  return events.map((e) => [
    e["tapline.incident.transition"]!,
    e["tapline.incident.level"]!,
    String(e["tapline.incident.alert_count"]),
  ]);
}
const only = (of: Incidents): string => of.state()[0]!.incident.id;

describe("grouping", () => {
  test("the first alert opens, more join, a higher level escalates", () => {
    const all = incidents();
    const first = alert(T0);
    const { events } = all.offer(news(first), T0);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      "event.action": "incident",
      "data_stream.dataset": "tapline.incident",
      "gen_ai.conversation.id": "s1",
      "tapline.incident.alert_ids": [first.alert],
      "tapline.incident.transition": "opened",
      "tapline.incident.status": "open",
      "tapline.incident.deadlines": {
        acknowledge: { due: new Date(T0 + HOUR).toISOString(), until: "acknowledged" },
      },
    });
    expect(offer(all, news(alert(T0 + 1), alert(T0 + 2, { level: "medium" })))).toEqual([
      ["joined", "high", "3"],
    ]);
    expect(offer(all, news(alert(T0 + 3, { level: "critical" }), alert(T0 + 4)))).toEqual([
      ["escalated", "critical", "5"],
    ]);
    expect(offer(all, news(alert(T0 + 5, { group: "s2" })))).toEqual([["opened", "high", "1"]]);
  });

  test("a window later it is another incident; a little earlier it is the same", () => {
    const all = incidents();
    offer(all, news(alert(T0)));
    expect(offer(all, news(alert(T0 - 23 * HOUR)))).toEqual([["joined", "high", "2"]]);
    expect(offer(all, news(alert(T0 + 24 * HOUR - 1)))).toEqual([["joined", "high", "3"]]);
    expect(offer(all, news(alert(T0 + 24 * HOUR)))).toEqual([["opened", "high", "1"]]);
    expect(offer(all, news(alert(T0 - 24 * HOUR)))).toEqual([["opened", "high", "1"]]);
    expect(new Set(all.state().map(({ incident }) => incident.id)).size).toBe(3);
  });

  test("the id is of rule, group and window, not of the run", () => {
    const [one, other] = [incidents(), incidents()];
    offer(one, news(alert(T0)));
    offer(other, news(alert(T0), alert(T0 + 5)), T0 + 99);
    expect(only(other)).toBe(only(one));
    const another = incidents([{ ...RULE, name: "other" }]);
    offer(another, news(alert(T0, { by: "other" })));
    expect(only(another)).not.toBe(only(one));
  });

  test("no two incidents have one id, whatever the order", () => {
    const times = fc.array(fc.tuple(fc.integer({ min: -400, max: 400 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(times, (list) => {
        const all = incidents([{ ...RULE, window_ms: 24 * HOUR }]);
        const steps: Step[] = [];
        for (const [hours, together] of list) {
          const batch = together
            ? [alert(T0 + hours * HOUR), alert(T0 - hours * HOUR)]
            : [alert(T0 + hours * HOUR)];
          steps.push(...all.offer(news(...batch), T0).events);
        }
        const ids = steps.map((e) => e["event.id"]);
        expect(new Set(ids).size).toBe(ids.length);
        const opened = steps.filter((e) => e["tapline.incident.transition"] === "opened");
        expect(new Set(opened.map((e) => e["tapline.incident.id"])).size).toBe(opened.length);
        const named = steps.flatMap((e) => e["tapline.incident.alert_ids"] ?? []);
        const alerts = list.reduce((sum, [, together]) => sum + (together ? 2 : 1), 0);
        expect(new Set(named).size).toBe(alerts);
        const { size } = replayed(steps.map((step, index) => ({ step, index })));
        expect(size).toBe(opened.length);
      }),
    );
  });

  test("what is closed is opened again by more, but not by what was judged false", () => {
    const all = incidents();
    offer(all, news(alert(T0)));
    const id = only(all);
    offer(all, said(id, "closed", { "tapline.incident.verdict": "false_positive" }));
    expect(offer(all, news(alert(T0 + 1)))).toEqual([["joined", "high", "2"]]);
    expect(offer(all, news(alert(T0 + 2, { title: "Other" })))).toEqual([["reopened", "high", "3"]]);
    offer(all, said(id, "closed", { "tapline.incident.verdict": "true_positive" }));
    expect(offer(all, news(alert(T0 + 3)))).toEqual([["reopened", "high", "4"]]);
  });
});

describe("deadlines", () => {
  test("what was not acknowledged in time is overdue, once", () => {
    const all = incidents();
    offer(all, news(alert(T0)));
    expect(all.isDue(T0 + HOUR - 1)).toBe(false);
    expect(all.due(T0 + HOUR - 1).events).toEqual([]);
    const { events, changes } = all.due(T0 + HOUR);
    for (const e of events) checkEvent(e);
    expect(
      events.map((e) => [e["tapline.incident.transition"], e["tapline.incident.deadline.name"]]),
    ).toEqual([["overdue", "acknowledge"]]);
    expect(changes).toHaveLength(1);
    expect(all.due(T0 + 2 * HOUR).events).toEqual([]);
  });

  test("what was acknowledged is not; one that a person set is", () => {
    const all = incidents();
    offer(all, news(alert(T0)));
    offer(all, said(only(all), "acknowledged"));
    const due = new Date(T0 + 360 * HOUR).toISOString();
    offer(
      all,
      said(only(all), "noted", { "tapline.incident.deadlines": { serious: { due, until: "reported" } } }),
    );
    expect(all.due(T0 + 2 * HOUR).events).toEqual([]);
    expect(all.due(T0 + 360 * HOUR).events.map((e) => e["tapline.incident.deadline.name"])).toEqual([
      "serious",
    ]);
  });

  test("an escalation brings those of its level, from when it was opened", () => {
    const all = incidents();
    offer(all, news(alert(T0, { level: "medium" })));
    const { events } = all.offer(news(alert(T0 + 1, { level: "high" })), T0 + HOUR / 2);
    expect(events[0]!["tapline.incident.deadlines"]).toEqual({
      acknowledge: { due: new Date(T0 + HOUR).toISOString(), until: "acknowledged" },
    });
  });
});

describe("restarts and bounds", () => {
  test("what frames keep is the state, and going on from it says the same", () => {
    const [whole, kept] = [incidents(), incidents()];
    const told: IncidentNews[] = [
      news(alert(T0)),
      news(alert(T0 + 1, { level: "critical" }), alert(T0, { group: "s2" })),
      NO_NEWS,
    ];
    for (const one of told) {
      const { changes } = whole.offer(one, T0);
      kept.apply(JSON.parse(JSON.stringify(changes)) as never);
    }
    expect(kept.state()).toEqual(JSON.parse(JSON.stringify(whole.state())));
    const last = news(alert(T0 + 7));
    expect(kept.offer(last, T0 + 8)).toEqual(whole.offer(last, T0 + 8));
    expect(kept.due(T0 + HOUR).events).toEqual(whole.due(T0 + HOUR).events);
  });

  test("a flood of alerts is named up to a bound, then told by doublings", () => {
    const all = incidents();
    let events = 0;
    for (let i = 0; i < 10_000; i++) events += all.offer(news(alert(T0 + i)), T0).events.length;
    expect(all.state()[0]!.incident.alerts).toBe(10_000);
    expect(events).toBeGreaterThanOrEqual(LIMITS.incident_named);
    expect(events).toBeLessThan(LIMITS.incident_named + 10);
  });

  test("a flood of groups is held up to a bound, which is told", () => {
    const all = incidents();
    for (let i = 0; i < LIMITS.incidents + 10; i++) all.offer(news(alert(T0, { group: `g${i}` })), T0);
    expect(all.figures()).toMatchObject({ incidents: LIMITS.incidents, incidents_evicted: 10 });
    expect([all.takeEvicted(), all.takeEvicted()]).toEqual([10, 0]);
  });

  test("what is over is forgotten", () => {
    const all = incidents();
    offer(all, news(alert(T0)));
    offer(all, said(only(all), "closed"));
    all.due(T0 + 23 * HOUR);
    expect(all.figures().incidents).toBe(1);
    all.due(T0 + 25 * HOUR);
    expect(all.figures().incidents).toBe(0);
  });
});

describe("candidates", () => {
  const event = (level: string, more: Record<string, unknown> = {}) =>
    Object.assign(newEvent(), {
      "@timestamp": new Date(T0).toISOString(),
      "event.id": "e1",
      "event.action": "rule-alert",
      "rule.id": "r1",
      "rule.name": "Leak",
      "tapline.alert.level": level,
      ...more,
    }) as never;

  test("are alerts of the level, of this run, with what they have in common", () => {
    const of = new Candidates([RULE]);
    of.alert(event("low", { "gen_ai.conversation.id": "s1" }));
    of.alert(event("high", { "gen_ai.conversation.id": "s1", "tapline.backfill": true }));
    expect(of.take()).toBe(NO_NEWS);
    of.alert(event("high", { "gen_ai.conversation.id": "s1" }));
    of.alert(event("medium"));
    expect(of.take().candidates.map(({ field, group, level }) => [field, group, level])).toEqual([
      ["gen_ai.conversation.id", "s1", "high"],
      ["rule.id", "r1", "medium"],
    ]);
    const past = new Candidates([{ ...RULE, backfill: true }]);
    past.alert(event("high", { "tapline.backfill": true }));
    expect(past.take().candidates.map(({ backfill }) => backfill)).toEqual([true]);
  });

  test("long groups stay apart", () => {
    const of = new Candidates([RULE]);
    for (const end of ["a", "b"])
      of.alert(event("high", { "gen_ai.conversation.id": "x".repeat(5000) + end }));
    const groups = of.take().candidates.map(({ group }) => group);
    expect(new Set(groups).size).toBe(2);
    expect(groups[0]!.length).toBeLessThanOrEqual(LIMITS.state_key_chars);
  });
});

test("the configuration's defaults, and what it refuses", () => {
  expect(rulesOf(incidentsSchema.parse(undefined))).toEqual([
    {
      name: "session",
      level: "high",
      field: "gen_ai.conversation.id",
      window_ms: 24 * HOUR,
      backfill: false,
    },
  ]);
  const dates = deadlinesOf(deadlinesSchema.parse(undefined));
  expect(dates.map(({ name, within_ms, level }) => [name, within_ms / HOUR / 24, level])).toEqual([
    ["acknowledge", 1, "high"],
    ["serious", 15, undefined],
    ["death", 10, undefined],
    ["widespread", 2, undefined],
  ]);
  for (const wrong of [
    [{ name: "a", by: "no.such.field" }],
    [{ name: "a", by: "tapline.data.bytes_out" }],
    [{ name: "a", window: "0h" }],
    [{ name: "a", window: "99d" }],
    [{ name: "A B" }],
    [{ name: "a" }, { name: "a" }],
  ])
    expect(incidentsSchema.safeParse(wrong).success).toBe(false);
});
