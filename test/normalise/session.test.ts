// Which observation of a call counts, when several vantages see it.
import { expect, it } from "vitest";
import { newEvent } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { Session } from "../../src/normalise/session.ts";
import { digest } from "./harness.ts";

function call(session: Session, vantage: string, id: string | undefined, n = 1, isBlocked = false) {
  const e = newEvent();
  e["@timestamp"] = "2026-11-23T10:00:00.000Z";
  e["tapline.vantage"] = vantage;
  e["tapline.server.name"] = "github";
  e["gen_ai.tool.name"] = "create_issue";
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.arguments"] = { n };
  if (isBlocked) e["tapline.decision.executed"] = false;
  session.call(e, `${vantage}-${id}`);
  return [e["tapline.call_key"], e["tapline.primary"]] as const;
}

it("counts a call once that two vantages see, with the harness's id or without", () => {
  for (const id of ["toolu_1", undefined]) {
    const session = new Session("s", digest);
    const [key, primary] = call(session, "transcript", "toolu_1");
    expect(primary).toBe(true);
    expect(call(session, "proxy", id)).toEqual([key, false]);
  }
});

it("takes the second call with the same arguments as a second call, from either vantage", () => {
  const session = new Session("s", digest);
  const seen = [
    call(session, "transcript", "toolu_1"),
    call(session, "transcript", "toolu_2"),
    call(session, "proxy", "toolu_1"),
    call(session, "proxy", undefined),
    call(session, "proxy", undefined),
  ];
  expect(seen.map(([, primary]) => primary)).toEqual([true, true, false, false, true]);
  expect(seen[3]![0]).toBe(seen[1]![0]);
  expect(new Set(seen.map(([key]) => key)).size).toBe(3);
});

/** The transcript tells that its user refused the call. */
function refuse(session: Session, id: string): void {
  const e = newEvent();
  e["tapline.vantage"] = "transcript";
  e["tapline.decision.executed"] = false;
  session.result(e, `transcript-${id}`);
}

it("a refused call does not come to the proxy: what comes there is the next", () => {
  for (const by of ["hook", "transcript"]) {
    const session = new Session("s", digest);
    const keys = ["c1", "c2", "c3", "c4"].map((id) => call(session, "transcript", id)[0]);
    if (by === "transcript") for (const id of ["c1", "c3"]) refuse(session, id);
    else for (const id of ["c1", "c2", "c3", "c4"]) call(session, "hook", id, 1, id === "c1" || id === "c3");
    const seen = [call(session, "proxy", undefined), call(session, "proxy", undefined)];
    expect(seen).toEqual([
      [keys[1], false],
      [keys[3], false],
    ]);
    expect(call(session, "hook", "c5")[0]).toBe(call(session, "transcript", "c5")[0]);
  }
});

it("a call that came to the proxy before it was told to be refused has run", () => {
  const session = new Session("s", digest);
  const [first] = call(session, "transcript", "c1");
  expect(call(session, "proxy", undefined)[0]).toBe(first);
  refuse(session, "c1");
  const [second] = call(session, "transcript", "c2");
  expect(call(session, "proxy", undefined)).toEqual([second, false]);
});

it("remembers refused calls within its bound, and counts those it forgets", () => {
  const session = new Session("s", digest);
  const ids = Array.from({ length: LIMITS.refused_calls + 1 }, (_, i) => `c${i}`);
  const keys = ids.map((id) => call(session, "hook", id, 1, true)[0]);
  expect(session.evicted).toBe(1);
  expect(call(session, "proxy", undefined)[0]).toBe(keys[0]);
  const [next] = call(session, "hook", "next");
  expect(call(session, "proxy", undefined)[0]).toBe(next);
});

it("keeps its place over a snapshot", () => {
  const before = new Session("s", digest);
  call(before, "transcript", "toolu_0");
  refuse(before, "toolu_0");
  call(before, "transcript", "toolu_1");
  const state = JSON.parse(JSON.stringify(before.state())) as ReturnType<Session["state"]>;
  const after = new Session("s", digest, state);
  expect(call(after, "proxy", undefined)).toEqual([call(before, "proxy", undefined)[0], false]);
  expect(JSON.stringify(after.state())).toBe(JSON.stringify(before.state()));
});
