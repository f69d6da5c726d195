// What a hook tells beside the transcript of the same session, and beside other hooks of the same call.
import { describe, expect, it } from "vitest";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { hook } from "../../../src/normalise/formats/hook.ts";
import { mapRecords } from "../harness.ts";

function line(client: string, event: string, payload: object) {
  return { ts: "2026-11-20T10:00:00Z", hook: client, event, payload };
}

describe("Codex's permission mode", () => {
  const S = "aaaaaaaa-1111-7111-8111-111111111111";
  const turn = (approval_policy: string, type: string) => ({
    timestamp: "2026-11-20T10:00:00Z",
    type: "turn_context",
    payload: { approval_policy, sandbox_policy: { type } },
  });
  const hooked = (permission_mode: string) =>
    line("codex", "UserPromptSubmit", { session_id: S, permission_mode, prompt: "go" });

  /** Changes told by records of a rollout (with `type`) and of hooks, in this order. */
  function changes(records: readonly object[]) {
    let sessions: ReturnType<typeof mapRecords>["sessions"] = [];
    return records.flatMap((record) => {
      const read = mapRecords("hook" in record ? hook : codex, [record], { session: S, sessions });
      sessions = read.sessions;
      return read.events
        .filter((e) => e["event.action"] === "permission-change")
        .map((e) => [e["tapline.permission.before"], e["tapline.permission.after"]]);
    });
  }

  it("is told by rollout and hook in their own words, which is no change", () => {
    const asked = [turn("on-request", "workspace-write"), hooked("default")];
    expect(changes([...asked, ...asked])).toEqual([]);
    expect(changes([hooked("default"), ...asked])).toEqual([]);
    const free = [hooked("bypassPermissions"), turn("never", "danger-full-access")];
    expect(changes([...free, ...free])).toEqual([]);
  });

  it("that changes is told once, by the rollout where there is one", () => {
    const free = [turn("never", "danger-full-access"), hooked("bypassPermissions")];
    const told = [["on-request/workspace-write", "never/danger-full-access"]];
    expect(changes([turn("on-request", "workspace-write"), hooked("default"), ...free])).toEqual(told);
    expect(changes([hooked("default"), turn("on-request", "workspace-write"), ...free])).toEqual(told);
    expect(changes([hooked("default"), hooked("bypassPermissions")])).toEqual([
      ["default", "bypassPermissions"],
    ]);
  });
});
