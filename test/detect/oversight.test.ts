// Bypass and hole: a call that nobody decided on and a decision that no transcript shows, after the grace, where a
// chokepoint is expected, once, over restarts, and within bounds.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Observation, Side } from "../../src/detect/observations.ts";
import { Oversight, type OversightHeader, type OversightState } from "../../src/detect/oversight.ts";

const ORIGIN = { namespace: "default", host: "test", version: "0" };
const NONE = { clients: [], servers: [], spool: true };
const GRACE = LIMITS.chokepoint_grace_ms;
const SETTLE = LIMITS.chokepoint_settle_ms;
const T0 = Date.parse("2026-11-20T10:00:00Z");
const FAR = Number.MAX_SAFE_INTEGER;

function seen(side: Side, n: number, more: Partial<Observation> = {}): Observation {
  const key = side === "session" ? "" : `s.call${n}`;
  const time_ms = T0 + n * 1_000;
  return {
    side,
    session: "s",
    client: "claude-code",
    time_ms,
    backfill: false,
    key,
    tool: "Bash",
    named: true,
    about: { "event.id": `${side}-${n}` },
    ...more,
  };
}
const call = (n: number, more: Partial<Observation> = {}): Observation => seen("transcript", n, more);
const hook = (n: number, more: Partial<Observation> = {}): Observation => seen("hook", n, more);
const proxy = (n: number, more: Partial<Observation> = {}): Observation =>
  seen("proxy", n, { server: "desk", tool: "read", ...more });
const mcp = (n: number, more: Partial<Observation> = {}): Observation =>
  call(n, { server: "desk", tool: "read", ...more });
const refusal = (n: number): Observation => seen("refusal", n, { server: "desk", tool: "read" });
const session = (): Observation => seen("session", 0);

/** All that comes of observations that arrive one after another, and of all the time in the world. */
function told(o: Oversight, ...all: readonly Observation[]): readonly Event[] {
  const early = o.offer(all, { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY }).events;
  return [...early, ...o.offer([], { now_ms: FAR, mark_ms: FAR }).events];
}
const short = (events: readonly Event[]): string[] =>
  events.map(
    (e) =>
      `${e["event.action"]} ${e["tapline.cause.event_id"]} ${e["tapline.chokepoint.missing"]!.join("+")}`,
  );
const fresh = (
  expected: { clients?: readonly string[]; servers?: readonly string[]; spool?: boolean } = NONE,
): Oversight => new Oversight(ORIGIN, { ...NONE, ...expected });

test("a call that the hook stops deciding on is a bypass; a decision whose call is gone is a hole", () => {
  const all = [session(), call(1), hook(1), call(2), hook(2), call(3), hook(4), call(5), hook(5)];
  expect(short(told(fresh(), ...all))).toEqual(["bypass transcript-3 hook", "hole hook-4 transcript"]);
});

test("the event says which call, when it was, and what shows it", () => {
  const about = { "event.id": "e3", "user.name": "ann", "gen_ai.tool.call.id": "toolu_3" };
  const [e] = told(fresh(), session(), call(1), hook(1), call(3, { about, backfill: true }));
  expect(e).toMatchObject({
    "event.action": "bypass",
    "event.id": "e3-bypass",
    "@timestamp": "2026-11-20T10:00:03.000Z",
    "tapline.vantage": "self",
    "tapline.cause.event_id": "e3",
    "tapline.chokepoint.missing": ["hook"],
    "tapline.chokepoint.seen": ["transcript"],
    "gen_ai.conversation.id": "s",
    "gen_ai.tool.name": "Bash",
    "gen_ai.tool.call.id": "toolu_3",
    "tapline.call_key": "s.call3",
    "service.name": "claude-code",
    "user.name": "ann",
    "tapline.backfill": true,
  });
});

test("nothing is expected where there never was a chokepoint, nor from before there was one", () => {
  expect(told(fresh(), session(), call(1), call(2))).toEqual([]);
  // The session was under way when the hook came.
  expect(told(fresh(), session(), call(1), call(2), call(3), hook(3))).toEqual([]);
  // Another session of the same agent has none.
  const other = { session: "t", key: "t.1" };
  expect(told(fresh(), session(), call(1), hook(1), call(2, other))).toEqual([]);
});

test("nothing is expected of tools that the hook was never seen to decide on", () => {
  const plan = { tool: "update_plan" };
  expect(told(fresh(), session(), call(1), hook(1), call(2, plan))).toEqual([]);
  expect(short(told(fresh(), session(), call(1, plan), hook(1, plan), call(2, plan)))).toEqual([
    "bypass transcript-2 hook",
  ]);
  // A hook that sees one server sees all.
  const other = { server: "other", tool: "run" };
  const desk = { server: "desk", tool: "read" };
  expect(short(told(fresh(), session(), mcp(1), hook(1, desk), call(2, other)))).toEqual([
    "bypass transcript-2 hook",
  ]);
});

test("nothing is missed in a transcript that nobody reads, or whose calls were never matched", () => {
  expect(told(fresh(), hook(1), hook(2))).toEqual([]);
  expect(told(fresh(), session(), hook(1), hook(2))).toEqual([]);
  const elsewhere = { session: "t", key: "t.1" };
  expect(told(fresh(), session(), call(1), hook(1), hook(2, elsewhere))).toEqual([]);
  // Where the configuration says that the agent is hooked, its transcripts are collected too.
  const listed = fresh({ clients: ["claude-code"], servers: [] });
  expect(short(told(listed, session(), call(1), hook(1), hook(2, elsewhere)))).toEqual([
    "hole hook-2 transcript",
  ]);
});

test("an agent that is said to be hooked is expected to be, from the first call on, but for old records", () => {
  const listed = (): Oversight => fresh({ clients: ["claude-code", "cursor"], servers: [] });
  expect(short(told(listed(), call(1)))).toEqual(["bypass transcript-1 hook"]);
  expect(told(listed(), call(1, { backfill: true }))).toEqual([]);
  expect(told(listed(), call(1, { client: "codex" }))).toEqual([]);
  // Its hook and its transcript have no ids in common.
  expect(told(listed(), call(1, { client: "cursor" }))).toEqual([]);
  // Old records count from the first decision of the collection on.
  const other = { session: "t", backfill: true };
  const events = told(
    listed(),
    hook(2),
    call(2),
    call(1, { ...other, key: "t.1" }),
    call(3, { ...other, key: "t.3" }),
  );
  expect(short(events)).toEqual(["bypass transcript-3 hook"]);
});

test("a server that goes around its proxy is a bypass, also when the hook decided", () => {
  expect(short(told(fresh(), session(), mcp(1), proxy(1), mcp(2)))).toEqual(["bypass transcript-2 proxy"]);
  const other = mcp(2, { server: "other" });
  expect(told(fresh(), session(), mcp(1), proxy(1), other)).toEqual([]);
  const desk = { server: "desk", tool: "read" };
  const both = [session(), mcp(1), proxy(1), hook(1, desk), mcp(2), hook(2, desk), mcp(3)];
  const events = told(fresh(), ...both);
  expect(short(events)).toEqual(["bypass transcript-2 proxy", "bypass transcript-3 hook+proxy"]);
  expect(events.map((e) => e["tapline.chokepoint.seen"])).toEqual([["transcript", "hook"], ["transcript"]]);
  const listed = fresh({ clients: [], servers: ["desk"] });
  expect(short(told(listed, mcp(1), other))).toEqual(["bypass transcript-1 proxy"]);
});

test("a call that never ran is no bypass: the hook stopped it, or its user said no", () => {
  const desk = { server: "desk", tool: "read" };
  const stop = { ...desk, about: { "event.id": "hook-2", "tapline.decision.action": "block" } };
  const before = [session(), mcp(1), proxy(1), hook(1, desk)];
  expect(told(fresh(), ...before, mcp(2), hook(2, stop))).toEqual([]);
  expect(told(fresh(), ...before, mcp(2), hook(2, desk), refusal(2))).toEqual([]);
  expect(told(fresh(), ...before, mcp(2), refusal(2))).toEqual([]);
  // Of one that waits no longer nothing is held, and others are judged as before.
  const o = fresh();
  o.offer([refusal(9)], { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY });
  expect(o.size).toBe(0);
  expect(short(told(o, ...before, mcp(2), refusal(2), mcp(3)))).toEqual(["bypass transcript-3 hook+proxy"]);
});

test("two decisions on a call that no transcript shows are one hole", () => {
  const desk = { server: "desk", tool: "read" };
  const events = told(fresh(), session(), mcp(1), proxy(1), hook(1, desk), proxy(2), hook(2, desk));
  expect(short(events)).toEqual(["hole hook-2 transcript"]);
  expect(events[0]!["tapline.chokepoint.seen"]).toEqual(["hook", "proxy"]);
});

test("without a spool and before the first decision, frames keep nothing", () => {
  const o = fresh({ spool: false });
  const at = { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY };
  expect(o.offer([session(), call(1)], at).header).toBeUndefined();
  expect(o.offer([hook(2)], at).header).toMatchObject({ seen: [{ key: "s.call2" }] });
  expect(o.offer([call(3)], at).header).toBeDefined();
});

test("nothing is said before both event time and the clock have passed by far enough", () => {
  const o = fresh();
  const at = (now_ms: number, mark_ms: number): string[] => short(o.offer([], { now_ms, mark_ms }).events);
  o.offer([session(), call(1), hook(1), call(3)], { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY });
  const due = T0 + 3_000 + GRACE;
  expect(at(FAR, Number.NEGATIVE_INFINITY)).toEqual([]);
  expect(at(FAR, due - 1)).toEqual([]);
  expect(at(T0 + SETTLE - 1, FAR)).toEqual([]);
  expect(o.isDue({ now_ms: T0 + SETTLE - 1, mark_ms: FAR })).toBe(false);
  expect(o.isDue({ now_ms: T0 + SETTLE, mark_ms: due })).toBe(true);
  expect(at(T0 + SETTLE, due)).toEqual(["bypass transcript-3 hook"]);
  expect(at(FAR, FAR)).toEqual([]);
});

test("what does not fit is said nothing of, nor is what is as old", () => {
  const o = fresh();
  const many = Array.from({ length: LIMITS.chokepoint_calls }, (_, i) => call(i + 10));
  o.offer([session(), call(1), hook(1), call(2), hook(3), ...many], {
    now_ms: T0,
    mark_ms: Number.NEGATIVE_INFINITY,
  });
  expect([o.size, o.evicted]).toEqual([LIMITS.chokepoint_calls, 3]);
  const told_ = short(o.offer([], { now_ms: FAR, mark_ms: FAR }).events);
  expect(told_).toHaveLength(LIMITS.chokepoint_calls);
  expect(told_[0]).toBe("bypass transcript-10 hook");
});

test("sessions and kinds are bounded", () => {
  const o = fresh();
  const count = LIMITS.chokepoint_sessions + 5;
  for (let i = 0; i < count; i++) {
    const more = { session: `s${i}`, key: `s${i}.1`, tool: `t${i}` };
    o.offer([call(1, more), hook(1, more)], { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY });
  }
  const { sessions, learned, held } = o.state();
  expect(sessions.length).toBe(LIMITS.chokepoint_sessions);
  expect(learned.length).toBe(LIMITS.chokepoint_kinds);
  expect(held.length).toBeLessThanOrEqual(LIMITS.chokepoint_calls);
  expect(o.evicted).toBeGreaterThan(5);
});

/** A day at a few agents: each call is seen by some of the sides, in any order, in batches. */
const arbitraryCalls = fc.array(
  fc.record({
    n: fc.integer({ min: 0, max: 20 }),
    side: fc.constantFrom<Side>("transcript", "refusal", "hook", "proxy", "session"),
    session: fc.constantFrom("s", "t"),
    remote: fc.boolean(),
    backfill: fc.boolean(),
  }),
  { maxLength: 60 },
);
const observed = ({
  n,
  side,
  session: of,
  remote,
  backfill,
}: {
  n: number;
  side: Side;
  session: string;
  remote: boolean;
  backfill: boolean;
}): Observation => {
  const server = remote || side === "proxy" ? { server: "desk", tool: "read" } : {};
  return seen(side, n, { session: of, key: side === "session" ? "" : `${of}.${n}`, backfill, ...server });
};

test("property: however observations are cut into batches, what is said in the end is the same", () => {
  fc.assert(
    fc.property(arbitraryCalls, fc.array(fc.nat(60), { maxLength: 5 }), (calls, cuts) => {
      const all = calls.map(observed);
      const whole = told(fresh(), ...all);
      const o = fresh();
      const bounds = [
        0,
        ...cuts.map((cut) => Math.min(cut, all.length)).toSorted((a, b) => a - b),
        all.length,
      ];
      for (let i = 1; i < bounds.length; i++)
        o.offer(all.slice(bounds[i - 1], bounds[i]), { now_ms: T0, mark_ms: Number.NEGATIVE_INFINITY });
      expect(short(told(o))).toEqual(short(whole));
      // A call that both sides show is never named.
      const sides = (key: string, ...of: Side[]): boolean =>
        all.some((x) => x.key === key && of.includes(x.side));
      for (const e of whole) {
        const key = e["tapline.call_key"]!;
        const missing = e["tapline.chokepoint.missing"]!;
        if (e["event.action"] === "hole") expect(sides(key, "transcript")).toBe(false);
        else for (const side of missing) expect(sides(key, side as Side)).toBe(false);
      }
    }),
  );
});

test("property: a restart from frames, or from a snapshot and the frames after it, goes on as it would have", () => {
  fc.assert(
    fc.property(
      arbitraryCalls,
      fc.nat(8),
      fc.nat(8),
      fc.array(fc.integer({ min: -5, max: 200 }), { minLength: 8, maxLength: 8 }),
      (calls, snapshot, stop, marks) => {
        const all = calls.map(observed);
        const size = Math.max(1, Math.ceil(all.length / 8));
        const run = fresh();
        let state: OversightState | undefined;
        let frames: OversightHeader[] = [];
        const first: string[] = [];
        const rest: string[] = [];
        for (let i = 0; i < 8; i++) {
          const moment = {
            now_ms: T0 + i * SETTLE,
            mark_ms: marks[i]! < 0 ? Number.NEGATIVE_INFINITY : T0 + marks[i]! * 1_000,
          };
          const { events, header } = run.offer(all.slice(i * size, (i + 1) * size), moment);
          (i < stop ? first : rest).push(...short(events));
          if (i >= stop) continue;
          if (header !== undefined) frames.push(JSON.parse(JSON.stringify(header)) as OversightHeader);
          if (i === snapshot) {
            state = JSON.parse(JSON.stringify(run.state())) as OversightState;
            frames = [];
          }
        }
        const again = fresh();
        if (state !== undefined) again.apply(state);
        for (const frame of frames) again.replay(frame);
        const later: string[] = [];
        for (let i = stop; i < 8; i++) {
          const moment = {
            now_ms: T0 + i * SETTLE,
            mark_ms: marks[i]! < 0 ? Number.NEGATIVE_INFINITY : T0 + marks[i]! * 1_000,
          };
          later.push(...short(again.offer(all.slice(i * size, (i + 1) * size), moment).events));
        }
        expect(later).toEqual(rest);
        expect(first.filter((one) => later.includes(one))).toEqual([]);
      },
    ),
    { numRuns: 1_000 },
  );
});
