// Which observation of a call counts, when several vantages see it.
import { expect, it } from "vitest";
import { newEvent } from "../../src/core/generated/event.ts";
import { Session } from "../../src/normalise/session.ts";
import { digest } from "./harness.ts";

function call(session: Session, vantage: string, id: string | undefined, n = 1) {
  const e = newEvent();
  e["@timestamp"] = "2026-11-23T10:00:00.000Z";
  e["tapline.vantage"] = vantage;
  e["tapline.server.name"] = "github";
  e["gen_ai.tool.name"] = "create_issue";
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.arguments"] = { n };
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

it("keeps its place over a snapshot", () => {
  const before = new Session("s", digest);
  call(before, "transcript", "toolu_1");
  const state = JSON.parse(JSON.stringify(before.state())) as ReturnType<Session["state"]>;
  const after = new Session("s", digest, state);
  expect(call(after, "proxy", undefined)).toEqual([call(before, "proxy", undefined)[0], false]);
  expect(JSON.stringify(after.state())).toBe(JSON.stringify(before.state()));
});
