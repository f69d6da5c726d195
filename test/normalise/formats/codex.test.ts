// The codex mapper: golden events of old and new rollouts, and calls that are logged twice.
import { describe, expect, it } from "vitest";
import { claudeCode } from "../../../src/normalise/formats/claude-code.ts";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const NAMES =
  "shapes drift tool-call-items v050_legacy v051_usage v052_raw v053_rate_limit twice bare exec images".split(
    " ",
  );
const SESSION = "019fc8be-3658-7ca3-9e29-000000000001";

describe("codex", () => {
  it.each(NAMES)("maps %s", (name) => {
    golden(codex, name);
  });

  it("makes one event of a call that is logged as item and as event, in either order", () => {
    const lines = fixture("codex/twice.jsonl");
    for (const order of [lines, lines.toReversed()]) {
      const { events, outcomes } = mapRecords(codex, order, { session: SESSION });
      const ids = (action: string) =>
        events.filter((e) => e["event.action"] === action).map((e) => e["gen_ai.tool.call.id"]!);
      expect(ids("tool-call").toSorted()).toEqual(["c1", "c2", "c3", "c4", "c5", "c6"]);
      expect(ids("tool-result").toSorted()).toEqual(["c1", "c2", "c3", "c4", "c5"]);
      expect(events.filter((e) => e["event.action"] === "prompt")).toHaveLength(2);
      expect(outcomes.filter((o) => o === "merged")).not.toHaveLength(0);
    }
    const { events } = mapRecords(codex, lines, { session: SESSION });
    const results = new Map(
      events.filter((e) => e["event.action"] === "tool-result").map((e) => [e["gen_ai.tool.call.id"], e]),
    );
    expect(results.get("c1")).toMatchObject({ "process.exit_code": 0, "event.duration": 1.5e9 });
    expect(results.get("c2")).toMatchObject({ "event.outcome": "failure", "tapline.server.name": "github" });
    expect(results.get("c4")).toMatchObject({ "tapline.decision.verdict": "deny" });
    let [input, output] = [0, 0];
    for (const e of events) {
      input += e["gen_ai.usage.input_tokens"] ?? 0;
      output += e["gen_ai.usage.output_tokens"] ?? 0;
    }
    expect([input, output]).toEqual([300, 30]);
  });

  it("counts a prompt with images once, which item and event tell with tags and without", () => {
    const lines = fixture("codex/images.jsonl");
    for (const order of [lines, lines.toReversed()]) {
      const { events } = mapRecords(codex, order, { session: SESSION });
      const texts = events
        .filter((e) => e["event.action"] === "prompt")
        .map((e) => (e["gen_ai.input.messages"] as { text: string }).text);
      expect(texts.filter((text) => text.endsWith("this") || text.endsWith("this?"))).toHaveLength(2);
      // What somebody typed stays.
      expect(texts).toContain("</image>\n<image name=x>");
      expect(texts).toContain("what does </image> close?");
    }
  });

  it("keeps the runs of one thread apart, whose items have the same ids", () => {
    const { events } = mapRecords(codex, fixture("codex/exec.jsonl"));
    expect(events.filter((e) => e["event.action"] === "tool-call")).toHaveLength(6);
    expect(events.filter((e) => e["event.action"] === "tool-result")).toHaveLength(6);
    let input = 0;
    for (const e of events) input += e["gen_ai.usage.input_tokens"] ?? 0;
    expect(input, "totals grow over the runs").toBe(200);
  });

  it("goes on from a snapshot as if it had not stopped", () => {
    const lines = fixture("codex/twice.jsonl");
    const whole = mapRecords(codex, lines, { session: SESSION });
    for (let cut = 1; cut < lines.length; cut++) {
      const first = mapRecords(codex, lines.slice(0, cut), { session: SESSION });
      const sessions = JSON.parse(JSON.stringify(first.sessions)) as typeof first.sessions;
      const second = mapRecords(codex, lines.slice(cut), { session: SESSION, sessions });
      expect([...first.outcomes, ...second.outcomes]).toEqual(whole.outcomes);
    }
  });

  it("is recognised, and takes no other's files", () => {
    for (const name of NAMES) {
      const lines = fixture(`codex/${name}.jsonl`).slice(0, 16);
      if (name !== "drift") expect(codex.recognise(lines, "x.jsonl"), name).toBeGreaterThan(0.5);
      expect(claudeCode.recognise(lines, "x.jsonl"), name).toBeLessThan(0.3);
    }
    const path = `/home/u/.codex/sessions/2026/08/03/rollout-2026-08-03T10-48-56-${SESSION}.jsonl`;
    expect(codex.sessionOf([], path)).toBe(SESSION);
    expect(codex.sessionOf(fixture("codex/twice.jsonl"), "x.jsonl")).toBe(SESSION);
    expect(codex.sessionOf(fixture("codex/bare.jsonl"), "x.jsonl")).toBe(
      "5973b6c0-94b8-487b-a530-2aeb6098ae0e",
    );
    expect(codex.sessionOf(fixture("codex/exec.jsonl"), "x.jsonl")).toBe(
      "019fc8be-0000-7000-8000-00000000000a",
    );
  });

  it("never throws and emits only legal fields", () => {
    fuzz(
      codex,
      NAMES.flatMap((name) => fixture(`codex/${name}.jsonl`)),
    );
  });
});
