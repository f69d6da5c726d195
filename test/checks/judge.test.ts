// What each check finds, in words: pure judgements over made-up moments.
import { describe, expect, test } from "vitest";
import type { AnchorStatus } from "../../src/anchoring.ts";
import {
  judgeAlerts,
  judgeIncidents,
  judgeInventory,
  judgePolicy,
  judgeSources,
  judgeWitness,
} from "../../src/checks/judge.ts";
import type { Deadline, Incident } from "../../src/incident/present.ts";
import { type CompiledPolicy, EMPTY_POLICY } from "../../src/policy/compiled.ts";

const HOUR_MS = 3_600_000;
const NOW = "2026-11-28T12:00:00.000Z";
const NOW_MS = Date.parse(NOW);
const ago = (hours: number): number => NOW_MS - hours * HOUR_MS;

describe("sources", () => {
  test("one that is silent for longer than it may is named, with how long", () => {
    const heard = new Map([
      ["claude", ago(1)],
      ["codex", ago(25)],
      ["mcp", ago(24 * 5)],
    ]);
    expect(judgeSources(heard, 24, NOW_MS)).toEqual({
      outcome: "fail",
      detail: "2 sources of 3 gave no record for more than 24 hours: codex (25 hours), mcp (5 days)",
      about: "codex,mcp",
    });
    expect(judgeSources(heard, 24 * 5, NOW_MS).outcome).toBe("pass");
    expect(judgeSources(new Map(), 24, NOW_MS).outcome).toBe("unknown");
  });
});

describe("witness", () => {
  const anchor = (over: Partial<AnchorStatus>): AnchorStatus => ({
    name: "w1",
    type: "witness",
    size: 40,
    at_ms: ago(2),
    said: "",
    trouble: undefined,
    ...over,
  });
  test("fresh, old, never, refusing, none", () => {
    expect(judgeWitness([anchor({})], 24, NOW_MS)).toEqual({
      outcome: "pass",
      detail: "every witness signed within 24 hours: w1 the first 40 entries",
    });
    expect(judgeWitness([anchor({ at_ms: ago(30), trouble: "it answered 503" })], 24, NOW_MS)).toEqual({
      outcome: "fail",
      detail: "the last cosignature is older than 24 hours: w1 (30 hours ago: it answered 503)",
      about: "w1",
    });
    expect(judgeWitness([anchor({ at_ms: 0 })], 24, NOW_MS).detail).toContain("w1 (never)");
    expect(judgeWitness([anchor({ contradiction: "409" })], 24, NOW_MS)).toMatchObject({
      outcome: "fail",
      detail: "w1 holds another history: nothing is signed any more",
    });
    // A directory is no witness: nobody signs there.
    expect(judgeWitness([anchor({ type: "directory" })], 24, NOW_MS).outcome).toBe("unknown");
  });
});

const policy = (mode: "observe" | "enforce", servers: readonly object[] = []): CompiledPolicy => ({
  ...EMPTY_POLICY,
  mode,
  servers: servers as CompiledPolicy["servers"],
});

test("policy: enforced everywhere, except for a server, not at all, none", () => {
  const github = { name: "github", mode: "enforce" };
  expect(judgePolicy(policy("enforce", [github])).outcome).toBe("pass");
  expect(judgePolicy(policy("enforce", [github, { name: "jira", mode: "observe" }]))).toEqual({
    outcome: "fail",
    detail: "the policy is in mode enforce, except for 1 server in mode observe: jira",
    about: "jira",
  });
  expect(judgePolicy(policy("observe")).outcome).toBe("fail");
  expect(judgePolicy(undefined).outcome).toBe("unknown");
});

test("inventory: an approval holds on its last day", () => {
  const jira = policy("observe", [{ name: "jira", expires: "2026-11-28" }, { name: "github" }]);
  expect(judgeInventory(jira, "2026-11-28").outcome).toBe("pass");
  expect(judgeInventory(jira, "2026-11-29")).toEqual({
    outcome: "fail",
    detail: "the approval of 1 of 2 servers has expired: jira on 2026-11-28",
    about: "jira",
  });
  expect(judgeInventory(undefined, "2026-11-29").outcome).toBe("unknown");
});

describe("incidents", () => {
  const incident = (id: string, ...deadlines: Deadline[]): Incident =>
    ({ id, alerts: 2, deadlines }) as unknown as Incident;
  const passed = "2026-11-28T11:00:00.000Z";
  const coming = "2026-11-28T13:00:00.000Z";
  const acknowledge = (due: string, met_at?: string): Deadline => ({
    name: "acknowledge",
    until: "acknowledged",
    due,
    met_at,
  });
  const serious = (due: string, met_at?: string): Deadline => ({
    name: "serious",
    until: "reported",
    due,
    met_at,
  });

  test("alerts wait beyond their deadline until somebody acknowledges, also when that is late", () => {
    const waiting = incident("aaaaaaaabbbb", acknowledge(passed));
    expect(judgeAlerts([waiting, incident("b", acknowledge(coming))], NOW)).toEqual({
      outcome: "fail",
      detail: "2 alerts of 1 incident passed the deadline unacknowledged: aaaaaaaa",
      about: "aaaaaaaabbbb",
    });
    expect(judgeAlerts([incident("a", acknowledge(passed, NOW))], NOW).outcome).toBe("pass");
    // Another kind of deadline is the other check's.
    expect(judgeAlerts([incident("a", serious(passed))], NOW).outcome).toBe("pass");
  });

  test("an incident is past the deadline by which it was to be reported", () => {
    expect(judgeIncidents([incident("cccccccccccc", serious(passed), acknowledge(passed))], NOW)).toEqual({
      outcome: "fail",
      detail: "1 incident past a deadline to report or close: cccccccc (serious)",
      about: "cccccccccccc",
    });
    expect(judgeIncidents([incident("c", serious(coming))], NOW).outcome).toBe("pass");
    expect(judgeIncidents([incident("c", serious(passed, passed))], NOW).outcome).toBe("pass");
    expect(judgeIncidents([incident("c", acknowledge(passed))], NOW).outcome).toBe("pass");
  });
});
