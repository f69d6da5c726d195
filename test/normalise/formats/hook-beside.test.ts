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

describe("a failure that Cursor tells with an id of its own", () => {
  const call = (id: string, command: string) =>
    line("cursor", "postToolUseFailure", {
      conversation_id: "c",
      tool_name: "Shell",
      tool_input: { command, working_directory: "/w" },
      tool_use_id: id,
      error_message: "timed out",
      failure_type: "timeout",
    });
  const shell = (command: string) =>
    line("cursor", "beforeShellExecution", { conversation_id: "c", command, cwd: "/w" });

  it("is of the call with its arguments, whose hook told none", () => {
    const { events } = mapRecords(hook, [shell("a"), shell("b"), call("t1", "a"), call("t2", "b")]);
    expect(events[2]).toMatchObject({
      "tapline.call.joined": true,
      "tapline.call.ref": events[0]!["tapline.call.ref"],
      "tapline.call_key": events[0]!["tapline.call_key"],
      "event.outcome": "failure",
    });
    expect(events[3]!["tapline.call.ref"]).toBe(events[1]!["tapline.call.ref"]);
  });

  it("names the tool of a server as the hook of its call did", () => {
    const args = { path: "/a" };
    const asked = { conversation_id: "c", tool_name: "read", command: "node fs.js" };
    const failed = { conversation_id: "c", tool_name: "MCP:read", tool_input: args, tool_use_id: "t1" };
    const { events } = mapRecords(hook, [
      line("cursor", "beforeMCPExecution", { ...asked, tool_input: JSON.stringify(args) }),
      line("cursor", "postToolUseFailure", { ...failed, error_message: "no answer" }),
    ]);
    expect(events[1]).toMatchObject({
      "gen_ai.tool.name": "read",
      "gen_ai.tool.type": "extension",
      "tapline.server.name": "node fs.js",
      "tapline.call.joined": true,
    });
  });

  it("is of no other call: neither of other arguments, nor of one that has its id", () => {
    const own = { conversation_id: "c", tool_name: "Shell", tool_input: { command: "a" }, tool_use_id: "t1" };
    const { events } = mapRecords(hook, [
      line("cursor", "preToolUse", own),
      shell("b"),
      call("t2", "a"),
      call("t1", "a"),
    ]);
    expect(events.map((e) => e["tapline.call.joined"])).toEqual([undefined, undefined, false, true]);
  });
});

it("the tool of a server with a name that has to be spelled is the one that was decided on", () => {
  const one = (tool_name: string, name?: string) => {
    const mcp_server = name === undefined ? undefined : { name, source: "user" };
    const [call] = mapRecords(hook, [
      line("claude-code", "PreToolUse", { session_id: "s", tool_name, mcp_server, tool_use_id: "t" }),
    ]).events;
    return [call!["tapline.server.name"], call!["gen_ai.tool.name"]];
  };
  expect(one("mcp__GitHub__work___search", "GitHub (work)")).toEqual(["GitHub (work)", "search"]);
  expect(one("mcp__a__b__read__all", "a__b")).toEqual(["a__b", "read__all"]);
  expect(one("mcp__plugin_x_y__read", "y")).toEqual(["y", "read"]);
  expect(one("mcp__git__log")).toEqual(["git", "log"]);
  expect(one("mcp__git__")).toEqual([undefined, "mcp__git__"]);
});
