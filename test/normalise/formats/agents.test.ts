// The mappers gemini, copilot and cursor: golden events, and what each makes of records it does not know.
import { describe, expect, it } from "vitest";
import { claudeCode } from "../../../src/normalise/formats/claude-code.ts";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { copilot } from "../../../src/normalise/formats/copilot.ts";
import { cursor } from "../../../src/normalise/formats/cursor.ts";
import { gemini } from "../../../src/normalise/formats/gemini.ts";
import { otlpJson } from "../../../src/normalise/formats/otlp-json.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const ALL = [claudeCode, codex, copilot, cursor, gemini, otlpJson];
const CASES = [
  { format: copilot, names: ["shapes", "drift", "listing", "decisions"] },
  { format: gemini, names: ["v040", "documents", "rewritten"] },
  { format: cursor, names: ["small", "drift"] },
];

describe.each(CASES)("$format.name", ({ format, names }) => {
  it.each(names)("maps %s", (name) => {
    golden(format, name);
  });

  it("is recognised before all others", () => {
    for (const name of names) {
      const head = fixture(`${format.name}/${name}.jsonl`).slice(0, 16);
      const scores = ALL.map((other) => ({ name: other.name, score: other.recognise(head, "x.jsonl") }));
      const best = scores.toSorted((a, b) => b.score - a.score)[0]!;
      expect(best.name, name).toBe(format.name);
      expect(best.score, name).toBeGreaterThanOrEqual(0.5);
    }
  });

  it("goes on from a snapshot as if it had not stopped", () => {
    for (const name of names) {
      const lines = fixture(`${format.name}/${name}.jsonl`);
      const whole = mapRecords(format, lines, { session: "s" });
      for (let cut = 1; cut < lines.length; cut++) {
        const first = mapRecords(format, lines.slice(0, cut), { session: "s" });
        const sessions = JSON.parse(JSON.stringify(first.sessions)) as typeof first.sessions;
        const second = mapRecords(format, lines.slice(cut), { session: "s", sessions });
        expect([...first.outcomes, ...second.outcomes]).toEqual(whole.outcomes);
      }
    }
  });

  it("never throws and emits only legal fields", () => {
    fuzz(
      format,
      names.flatMap((name) => fixture(`${format.name}/${name}.jsonl`)),
    );
  });
});

describe("what the agents' formats say twice", () => {
  it("copilot: a call is told by request and start, its tokens by message and usage", () => {
    const { events } = mapRecords(copilot, fixture("copilot/decisions.jsonl"));
    const of = (action: string) => events.filter((e) => e["event.action"] === action);
    expect(of("tool-call").map((e) => e["gen_ai.tool.call.id"])).toEqual(["c1", "c2"]);
    expect(of("tool-result").map((e) => e["tapline.call.joined"])).toEqual([true, true]);
    expect(of("tool-call-decision").map((e) => e["tapline.decision.verdict"])).toEqual([
      "ask",
      "deny",
      "ask",
      "allow",
    ]);
    expect(of("tool-call-decision").map((e) => e["event.type"])).toEqual([
      ["info"],
      ["denied"],
      ["info"],
      ["allowed"],
    ]);
    const sum = (field: "gen_ai.usage.input_tokens" | "gen_ai.usage.output_tokens") =>
      events.reduce((total, e) => total + (e[field] ?? 0), 0);
    expect([sum("gen_ai.usage.input_tokens"), sum("gen_ai.usage.output_tokens")]).toEqual([100, 12]);
  });

  it("copilot: an answer says how long it took, and an approval that stands is a grant", () => {
    const { events } = mapRecords(copilot, fixture("copilot/decisions.jsonl"));
    const answers = events.filter(
      (e) => e["event.action"] === "tool-call-decision" && e["tapline.decision.verdict"] !== "ask",
    );
    expect(answers.map((e) => [e["tapline.decision.decider.type"], e["event.duration"]])).toEqual([
      ["user", 1_000_000_000],
      ["policy", 1_000_000_000],
    ]);
    expect(events.filter((e) => e["tapline.permission.operation"] === "grant")).toMatchObject([
      {
        "event.action": "permission-change",
        "tapline.permission.scope": "session",
        "tapline.permission.rule": "create_issue",
        "tapline.decision.decider.type": "policy",
      },
    ]);
  });

  it("gemini: a message that is written again adds only what is new", () => {
    const { events, outcomes } = mapRecords(gemini, fixture("gemini/rewritten.jsonl"));
    expect(outcomes[5]).toBe("merged");
    const calls = events.filter((e) => e["event.action"] === "tool-call");
    expect(calls.map((e) => [e["tapline.server.name"], e["gen_ai.tool.name"]])).toEqual([
      ["github", "create_issue"],
      [undefined, "run_shell_command"],
      ["web", "fetch"],
    ]);
    expect(events.filter((e) => e["event.action"] === "tool-result")).toHaveLength(3);
    expect(events.reduce((total, e) => total + (e["gen_ai.usage.output_tokens"] ?? 0), 0)).toBe(7);
  });

  it("cursor: a subagent's file belongs to its parent's session", () => {
    const path = "/h/.cursor/projects/p/agent-transcripts/par-1/subagents/child-1.jsonl";
    const { events } = golden(cursor, "subagent", { path });
    expect(events[0]).toMatchObject({ "gen_ai.conversation.id": "par-1", "gen_ai.agent.id": "child-1" });
  });
});
