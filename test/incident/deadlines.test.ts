// Deadlines by the clock: those of the AI Act as the configuration has them by default, from opened to overdue or reported.
import { describe, expect, test } from "vitest";
import type { DueDates } from "../../src/core/incident.ts";
import { deadlinesOf, deadlinesSchema } from "../../src/incident/config.ts";
import { Incidents } from "../../src/incident/grouping.ts";
import type { Step } from "../../src/incident/present.ts";
import { ORIGIN } from "../sinks/batches.ts";

const T0 = Date.UTC(2026, 10, 28, 10);
const DAY_MS = 86_400_000;
const RULE = {
  name: "session",
  level: "high",
  field: "gen_ai.conversation.id",
  window_ms: DAY_MS,
  backfill: false,
} as const;
const DEFAULTS = deadlinesOf(deadlinesSchema.parse(undefined));

/** An incident that was opened at T0, and acknowledged at once. */
function opened(): { all: Incidents; id: string } {
  const all = new Incidents(ORIGIN, [RULE], DEFAULTS);
  const candidate = {
    by: "session",
    field: RULE.field,
    group: "s1",
    alert: "a1",
    level: "high",
    title: "T",
    time_ms: T0,
    backfill: false,
  };
  const { events } = all.offer({ steps: [], candidates: [candidate] }, T0);
  const id = events[0]!["tapline.incident.id"]!;
  say(all, id, "acknowledged", T0);
  return { all, id };
}

function say(all: Incidents, id: string, transition: string, at_ms: number, more: Step = {}): void {
  const time = new Date(at_ms).toISOString();
  const step = {
    "@timestamp": time,
    "tapline.incident.id": id,
    "tapline.incident.transition": transition,
    "user.name": "ann",
    ...more,
  };
  all.offer({ steps: [step], candidates: [] }, at_ms);
}

/** A person judges that the deadline applies: it counts from when the incident was opened. */
function judge(all: Incidents, id: string, name: string): number {
  const rule = DEFAULTS.find((one) => one.name === name)!;
  const due_ms = T0 + rule.within_ms;
  const dates: DueDates = { [name]: { due: new Date(due_ms).toISOString(), until: rule.until } };
  say(all, id, "noted", T0 + DAY_MS, { "tapline.incident.deadlines": dates });
  return due_ms;
}

describe.each([
  ["serious", 15, "(2)"],
  ["death", 10, "(4)"],
  ["widespread", 2, "(3)"],
])("%s, Article 73", (name, days, paragraph) => {
  test("is named with its source, and applies only where a person says so", () => {
    const rule = DEFAULTS.find((one) => one.name === name)!;
    expect(rule.source).toContain(`Article 73${paragraph}`);
    expect([rule.until, rule.level, rule.within_ms]).toEqual(["reported", undefined, days * DAY_MS]);
    const { all } = opened();
    expect(all.due(T0 + 400 * DAY_MS).events).toEqual([]);
  });

  test("is overdue when it passes, once, and not a moment before", () => {
    const { all, id } = opened();
    const due_ms = judge(all, id, name);
    expect(due_ms).toBe(T0 + days * DAY_MS);
    expect(all.due(due_ms - 1).events).toEqual([]);
    const [e, ...more] = all.due(due_ms).events;
    expect(more).toEqual([]);
    expect(e).toMatchObject({
      "@timestamp": new Date(due_ms).toISOString(),
      "event.outcome": "failure",
      "tapline.incident.id": id,
      "tapline.incident.transition": "overdue",
      "tapline.incident.deadline.name": name,
      "tapline.incident.deadline.due": new Date(due_ms).toISOString(),
    });
    expect(all.due(due_ms + DAY_MS).events).toEqual([]);
  });

  test("is met by a notification that names it, and by no other", () => {
    const { all, id } = opened();
    const due_ms = judge(all, id, name);
    const notice = { "event.outcome": "success", "tapline.incident.notice.recipients": ["authority"] };
    say(all, id, "notified", due_ms - 2, { ...notice, "tapline.incident.notice.id": "n1" });
    const met = { ...notice, "tapline.incident.notice.id": "n2", "tapline.incident.deadline.name": name };
    if (days === 2) {
      say(all, id, "notified", due_ms - 1, { ...met, "event.outcome": "failure" });
      expect(all.due(due_ms).events).toHaveLength(1);
      return;
    }
    say(all, id, "notified", due_ms - 1, met);
    expect(all.due(due_ms).events).toEqual([]);
  });
});
