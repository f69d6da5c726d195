// The present of incidents from their events: each transition, and for any events in any order that nothing is lost,
// nothing counts twice, and what does not follow is told as odd.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TRANSITIONS, UNTIL } from "../../src/core/incident.ts";
import { type Step, isLate, nextDeadline } from "../../src/incident/present.ts";
import { type Placed, replayed } from "../../src/incident/replay.ts";

const ID = "0123456789abcdef0123456789abcdef";
const at = (minute: number): string => new Date(Date.UTC(2026, 10, 28, 10, minute)).toISOString();

let minute = 0;
function step(transition: string, fields: Step = {}): Step {
  return {
    "@timestamp": at(minute++),
    "tapline.incident.id": ID,
    "tapline.incident.transition": transition,
    ...fields,
  };
}
const opened = (fields: Step = {}): Step =>
  step("opened", {
    "tapline.incident.rule": "session",
    "tapline.incident.level": "high",
    "tapline.incident.group.by": "gen_ai.conversation.id",
    "tapline.incident.group.value": "s1",
    "tapline.incident.alert_ids": ["a1"],
    "tapline.incident.alert_count": 1,
    "tapline.incident.rules": ["Secret Leaves"],
    "tapline.incident.deadlines": { acknowledge: { due: at(600), until: "acknowledged" } },
    ...fields,
  });
const place = (steps: readonly Step[]): Placed[] =>
  steps.map((one, index) => ({ index: index * 3, step: one }));
const after = (...steps: readonly Step[]) => replayed(place(steps)).get(ID)!;
const ann = { "user.name": "ann" };

describe("transitions", () => {
  test("from opened to closed, with who and when", () => {
    minute = 0;
    const { incident, told } = after(
      opened(),
      step("joined", { "tapline.incident.alert_ids": ["a2", "a1"], "tapline.incident.alert_count": 2 }),
      step("escalated", { "tapline.incident.level": "critical", "tapline.incident.alert_count": 3 }),
      step("acknowledged", ann),
      step("notified", { "tapline.incident.notice.recipients": ["soc@example.com"] }),
      step("closed", { "user.name": "bob", "tapline.incident.verdict": "true_positive" }),
    );
    expect(told.map(({ odd }) => odd)).toEqual(Array(6).fill(undefined));
    expect(incident).toMatchObject({
      status: "closed",
      level: "critical",
      alerts: 3,
      alert_ids: ["a1", "a2"],
      opened_at: at(0),
      acknowledged_at: at(3),
      acknowledged_by: "ann",
      notified_at: at(4),
      recipients: ["soc@example.com"],
      closed_at: at(5),
      closed_by: "bob",
      verdict: "true_positive",
      transitions: 6,
      odd: 0,
    });
    expect(incident.deadlines).toEqual([
      { name: "acknowledge", due: at(600), until: "acknowledged", met_at: at(3) },
    ]);
  });

  test("alerts that come after it was forgotten keep it in sight: opened twice, it is open", () => {
    minute = 0;
    const late = opened({ "tapline.incident.alert_ids": ["a9"], "tapline.incident.level": "critical" });
    const { incident } = after(opened(), step("closed", ann), late);
    expect(incident).toMatchObject({ status: "open", level: "critical", alert_ids: ["a1", "a9"], odd: 1 });
  });

  test("opened again, it is open and keeps when it was first acknowledged", () => {
    minute = 0;
    const { incident } = after(opened(), step("acknowledged", ann), step("closed", ann), step("reopened"));
    expect(incident).toMatchObject({ status: "open", acknowledged_at: at(1), odd: 0 });
    expect([incident.closed_at, incident.closed_by, incident.verdict]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    [
      "acknowledged twice",
      [opened(), step("acknowledged", ann), step("acknowledged", { "user.name": "eve" })],
    ],
    ["acknowledged after the end", [opened(), step("closed"), step("acknowledged")]],
    ["closed twice", [opened(), step("closed"), step("closed")]],
    ["reopened though open", [opened(), step("reopened")]],
    ["opened twice", [opened(), opened()]],
    ["never opened", [step("noted")]],
    ["a name that is none", [opened(), step("approved")]],
    ["overdue by a deadline that does not apply", [opened(), step("overdue")]],
    [
      "a notification recorded twice",
      [opened(), ...[1, 2].map(() => step("notified", { "tapline.incident.notice.id": "n" }))],
    ],
  ])("%s is kept and flagged", (_, steps) => {
    const { incident, told } = after(...steps);
    expect(told).toHaveLength(steps.length);
    expect(told.at(-1)!.odd).toBeTypeOf("string");
    expect(incident.odd).toBe(1);
    if (incident.acknowledged_by !== undefined) expect(incident.acknowledged_by).toBe("ann");
  });

  test("a notification that failed tells nobody", () => {
    const { incident } = after(opened(), step("notified", { "event.outcome": "failure" }));
    expect([incident.notified_at, incident.odd]).toEqual([undefined, 0]);
  });
});

describe("deadlines", () => {
  const serious = { serious: { due: at(120), until: "reported" } };
  test("a report that names it meets it, another does not", () => {
    minute = 0;
    const marked = [opened(), step("noted", { "tapline.incident.deadlines": serious })];
    const told = after(...marked, step("notified"));
    expect(nextDeadline(told.incident)?.name).toBe("serious");
    const reported = after(...marked, step("notified", { "tapline.incident.deadline.name": "serious" }));
    expect(reported.incident.deadlines.find(({ name }) => name === "serious")?.met_at).toBe(at(3));
    expect(nextDeadline(reported.incident)?.name).toBe("acknowledge");
  });

  test("late is what was not met in time", () => {
    const deadline = { name: "x", due: at(10), until: "closed" } as const;
    expect(isLate(deadline, at(9))).toBe(false);
    expect(isLate(deadline, at(11))).toBe(true);
    expect(isLate({ ...deadline, met_at: at(9) }, at(11))).toBe(false);
    expect(isLate({ ...deadline, met_at: at(11) }, at(12))).toBe(true);
  });

  test("one that a person adds is not moved by adding it again", () => {
    const { incident } = after(
      opened(),
      step("noted", { "tapline.incident.deadlines": serious }),
      step("noted", { "tapline.incident.deadlines": { serious: { due: at(999), until: "reported" } } }),
    );
    expect(incident.deadlines.find(({ name }) => name === "serious")?.due).toBe(at(120));
  });
});

const anyStep = fc.record(
  {
    "@timestamp": fc.nat(500).map(at),
    "tapline.incident.id": fc.constantFrom("a".repeat(32), "b".repeat(32)),
    "tapline.incident.transition": fc.constantFrom(...TRANSITIONS, "unheard-of"),
    "tapline.incident.level": fc.constantFrom("low", "high", "critical"),
    "tapline.incident.alert_count": fc.nat(100),
    "tapline.incident.alert_ids": fc.array(fc.nat(99).map(String), { maxLength: 40 }),
    "tapline.incident.deadline.name": fc.constantFrom("x", "y"),
    "tapline.incident.deadlines": fc.dictionary(
      fc.constantFrom("x", "y", "z"),
      fc.record({ due: fc.nat(500).map(at), until: fc.constantFrom(...UNTIL) }),
    ),
    "user.name": fc.constantFrom("ann", "bob"),
    "event.outcome": fc.constantFrom("success", "failure"),
  },
  { requiredKeys: ["@timestamp", "tapline.incident.id", "tapline.incident.transition"] },
) as fc.Arbitrary<Step>;

test("order of arrival and repetition change nothing, and every event is kept once", () => {
  const arrivals = fc
    .array(anyStep, { maxLength: 40 })
    .chain((steps) =>
      fc.tuple(
        fc.constant(place(steps)),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.array(fc.nat(), { minLength: 80, maxLength: 80 }),
      ),
    );
  fc.assert(
    fc.property(arrivals, ([events, again, keys]) => {
      const repeated = events.length === 0 ? [] : again.map((n) => events[n % events.length]!);
      const shuffled = [...events, ...repeated]
        .map((e, i) => [keys[i % keys.length]!, e] as const)
        .toSorted((a, b) => a[0] - b[0])
        .map(([, e]) => e);
      const [one, other] = [replayed(events), replayed(shuffled)];
      expect(new Map([...other].toSorted())).toEqual(new Map([...one].toSorted()));
      let kept = 0;
      for (const { incident, told } of one.values()) {
        kept += told.length;
        expect(incident.transitions).toBe(told.length);
        expect(incident.odd).toBe(told.filter(({ odd }) => odd !== undefined).length);
      }
      expect(kept).toBe(events.length);
    }),
  );
});

test("the state is what the last transition that follows says", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const placed = place(steps.map((one) => ({ ...one, "tapline.incident.id": ID })));
      const found = replayed(placed).get(ID);
      if (found === undefined) return;
      let [expected, began] = ["open", false];
      for (const { step: one } of placed) {
        const what = one["tapline.incident.transition"];
        if (what === "acknowledged" && expected === "open") expected = "acknowledged";
        else if (what === "closed") expected = "closed";
        else if (what === "reopened" && expected === "closed") expected = "open";
        else if (what === "opened" && began && expected === "closed") expected = "open";
        // Before it was opened only its status moves, and opening leaves that.
        began ||= what === "opened";
      }
      expect(found.incident.status).toBe(expected);
    }),
  );
});
