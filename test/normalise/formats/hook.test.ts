// The hook mapper: golden events of every client, decisions, results joined without ids, and one call told by two hooks.
import { describe, expect, it } from "vitest";
import { claudeCode } from "../../../src/normalise/formats/claude-code.ts";
import { FORMATS } from "../../../src/normalise/formats/index.ts";
import { hook } from "../../../src/normalise/formats/hook.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const NAMES = ["claude-code", "codex", "copilot", "cursor", "gemini", "kiro", "windsurf"];
const lines = (name: string) => fixture(`hook/${name}.jsonl`);

function line(client: string, event: string, payload: object, decision?: object) {
  return { ts: "2026-11-20T10:00:00Z", hook: client, event, payload, ...(decision && { decision }) };
}

describe("hook", () => {
  it.each(NAMES)("maps %s", (name) => {
    golden(hook, name);
  });

  it("is recognised before all others", () => {
    for (const name of NAMES) {
      const head = lines(name).slice(0, 16);
      const scores = FORMATS.map((other) => ({ name: other.name, score: other.recognise(head, "x.spool") }));
      expect(scores.toSorted((a, b) => b.score - a.score)[0], name).toEqual({ name: "hook", score: 1 });
    }
  });

  it("never throws and emits only legal fields", () => {
    fuzz(hook, NAMES.flatMap(lines));
  });

  it("goes on from a snapshot as if it had not stopped", () => {
    for (const name of NAMES) {
      const all = lines(name);
      const whole = mapRecords(hook, all, { session: "s" });
      for (let cut = 1; cut < all.length; cut++) {
        const first = mapRecords(hook, all.slice(0, cut), { session: "s" });
        const sessions = JSON.parse(JSON.stringify(first.sessions)) as typeof first.sessions;
        const second = mapRecords(hook, all.slice(cut), { session: "s", sessions });
        const keys = [...first.events, ...second.events].map((e) => e["tapline.call_key"]);
        expect(keys).toEqual(whole.events.map((e) => e["tapline.call_key"]));
      }
    }
  });
});

describe("a decision at a hook", () => {
  const { events } = mapRecords(hook, lines("claude-code"));
  const about = (id: string) =>
    events
      .filter((e) => e["gen_ai.tool.call.id"] === id)
      .map((e) => [
        e["event.action"],
        e["tapline.decision.verdict"],
        e["tapline.decision.action"],
        e["tapline.decision.executed"],
      ]);

  it("is on the call and a record of its own", () => {
    expect(about("toolu_01A")).toEqual([
      ["tool-call", "allow", "pass", undefined],
      ["tool-call-decision", "allow", "pass", undefined],
      ["tool-result", "allow", undefined, undefined],
    ]);
  });

  it("that was a deny has no result, and says that nothing ran", () => {
    expect(about("toolu_01E")).toEqual([
      ["tool-call", "deny", "block", false],
      ["tool-call-decision", "deny", "block", false],
    ]);
  });

  it("that only observes is a deny that passed", () => {
    const [call, decision] = about("toolu_01D");
    expect(call).toEqual(["tool-call", "deny", "pass", undefined]);
    expect(decision).toEqual(["tool-call-decision", "deny", "pass", undefined]);
    const seen = events.find(
      (e) => e["event.action"] === "tool-call-decision" && e["gen_ai.tool.call.id"] === "toolu_01D",
    )!;
    expect(seen).toMatchObject({
      "event.type": ["allowed"],
      "tapline.decision.mode": "observe",
      "rule.id": "tools.Bash.hosts",
      "rule.ruleset": "sha256:0f",
      "event.reason": "The host is not in the list.",
    });
  });

  it("reads the words of the chokepoint's own records too", () => {
    const decision = {
      verdict: "allow",
      action: "pass",
      decider: "user",
      latency_us: 1_500,
      mode: "enforce",
      rule: "r",
      reason: "x",
      policy: "h",
    };
    const { events: seen } = mapRecords(hook, [
      line("codex", "PreToolUse", { tool_name: "Bash", tool_use_id: "c" }, decision),
    ]);
    expect(seen[1]).toMatchObject({
      "event.action": "tool-call-decision",
      "tapline.decision.decider.type": "user",
      "event.duration": 1_500_000,
    });
  });
});

describe("a call seen by hooks", () => {
  it("has the key that the transcript gives it", () => {
    const id = "11111111-2222-4333-8444-555555555555";
    const payload = {
      session_id: id,
      tool_name: "Bash",
      tool_input: { command: "ls" },
      tool_use_id: "toolu_2",
    };
    const first = mapRecords(hook, [line("claude-code", "PreToolUse", payload)]);
    const after = mapRecords(claudeCode, fixture("claude-code/cases.jsonl"), { sessions: first.sessions });
    const same = after.events.find(
      (e) => e["event.action"] === "tool-call" && e["gen_ai.tool.call.id"] === "toolu_2",
    );
    expect(first.events[0]!["tapline.primary"]).toBe(true);
    expect(same).toMatchObject({
      "tapline.call_key": first.events[0]!["tapline.call_key"],
      "tapline.primary": false,
    });
  });

  it("and by the transcript too is joined in both", () => {
    const sessions = mapRecords(claudeCode, fixture("claude-code/cases.jsonl").slice(0, 1)).sessions;
    const payload = { session_id: "s", tool_name: "Bash", tool_input: { command: "ls" }, tool_use_id: "t1" };
    const before = mapRecords(hook, [line("claude-code", "PreToolUse", payload)], { sessions });
    const own = { sessionId: "s", uuid: "u1", type: "assistant", timestamp: "2026-11-20T10:00:00Z" };
    const content = [{ type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } }];
    const call = mapRecords(claudeCode, [{ ...own, message: { id: "m", content } }], {
      sessions: before.sessions,
    });
    const after = mapRecords(hook, [line("claude-code", "PostToolUse", { ...payload, tool_response: "a" })], {
      sessions: call.sessions,
    });
    const results = [{ type: "tool_result", tool_use_id: "t1", content: "a" }];
    const last = mapRecords(
      claudeCode,
      [{ ...own, uuid: "u2", type: "user", message: { content: results } }],
      { sessions: after.sessions },
    );
    const [hooked, read] = [after.events[0]!, last.events[0]!];
    expect([hooked["tapline.call.joined"], read["tapline.call.joined"]]).toEqual([true, true]);
    expect([hooked["tapline.primary"], read["tapline.primary"]]).toEqual([true, false]);
    expect(read["tapline.call_key"]).toBe(hooked["tapline.call_key"]);
  });

  it("and told by two hooks counts once", () => {
    const { events } = mapRecords(hook, lines("cursor"));
    const calls = events.filter(
      (e) => e["event.action"] === "tool-call" && e["process.command_line"] === "npm test",
    );
    expect(calls.map((e) => e["tapline.primary"])).toEqual([true, false]);
    expect(new Set(calls.map((e) => e["tapline.call_key"])).size).toBe(1);
    const results = events.filter(
      (e) => e["event.action"] === "tool-result" && e["tapline.call_key"] === calls[0]!["tapline.call_key"],
    );
    expect(results.map((e) => [e["tapline.call.joined"], e["tapline.primary"]])).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it("and run again later counts again", () => {
    const payload = { conversation_id: "c", command: "ls" };
    const tool = { conversation_id: "c", tool_name: "Shell", tool_input: { command: "ls" } };
    const one = (id: string) => [
      line("cursor", "preToolUse", { ...tool, tool_use_id: id }),
      line("cursor", "beforeShellExecution", payload),
    ];
    const { events } = mapRecords(hook, [...one("a"), ...one("b")]);
    expect(events.map((e) => e["tapline.primary"])).toEqual([true, false, true, false]);
    expect(new Set(events.map((e) => e["tapline.call_key"])).size).toBe(2);
  });

  it("without ids finds its result by its arguments, whatever the order", () => {
    const of = (event: string, path: string, more: object = {}) =>
      line("gemini", event, { session_id: "g", tool_name: "read_file", tool_input: { path }, ...more });
    const { events } = mapRecords(hook, [
      of("BeforeTool", "/a"),
      of("BeforeTool", "/b"),
      of("AfterTool", "/a", { tool_response: { llmContent: "A" } }),
      of("AfterTool", "/b", { tool_response: { llmContent: "B" } }),
    ]);
    expect(events[2]!["tapline.call.ref"]).toBe(events[0]!["tapline.call.ref"]);
    expect(events[3]!["tapline.call.ref"]).toBe(events[1]!["tapline.call.ref"]);
  });
});
