// The claude-code mapper: golden events, and an independent count of calls, results and tokens on real sessions.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claudeCode } from "../../../src/normalise/formats/claude-code.ts";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { otlpJson } from "../../../src/normalise/formats/otlp-json.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const SESSION = "258c7280-ae70-4798-800f-63464d01a85d";
const HERE = import.meta.dirname;

describe("claude-code", () => {
  it.each(["real", "shapes", "drift", "cases"])("maps %s", (name) => {
    golden(claudeCode, name);
  });

  it("maps a subagent's file into its parent's session", () => {
    const { events } = golden(claudeCode, "subagent", {
      path: `/p/${SESSION}/subagents/agent-a2898e3.jsonl`,
    });
    for (const e of events) {
      expect(e["gen_ai.conversation.id"]).toBe(SESSION);
      expect(e["gen_ai.agent.id"]).toBe("acompact-946d2b");
      expect(e["tapline.call.sidechain"]).toBe(true);
    }
  });

  it("merges what is logged twice and skips progress", () => {
    const { outcomes } = mapRecords(claudeCode, fixture("claude-code/cases.jsonl"));
    // The repeated record, the second progress of one message, and the subagent's own record of it.
    expect(outcomes.map((o, i) => (o === "merged" ? i : -1)).filter((i) => i >= 0)).toEqual([5, 13, 14]);
    expect(outcomes.filter((o) => o === "skipped:progress")).toHaveLength(1);
  });

  it("merges the records of a branch that its origin's session has", () => {
    const origin = { type: "user", uuid: "u-1", sessionId: "o", message: { content: "hello" } };
    const copy = {
      ...origin,
      uuid: "u-2",
      sessionId: "b",
      forkedFrom: { sessionId: "o", messageUuid: "u-1" },
    };
    const { outcomes, events } = mapRecords(claudeCode, [
      origin,
      copy,
      { ...copy, uuid: "u-3", forkedFrom: undefined },
    ]);
    expect(outcomes).toEqual(["recorded", "merged", "recorded"]);
    expect(events.map((e) => e["gen_ai.conversation.id"])).toEqual(["o", "b"]);
    expect(claudeCode.sessionOf([copy], "/p/x.jsonl"), "shares its origin's worker").toBe("o");
  });

  it("goes on from a snapshot as if it had not stopped", () => {
    const lines = fixture("claude-code/cases.jsonl");
    const whole = mapRecords(claudeCode, lines);
    for (const cut of [3, 5, 9, 14]) {
      const first = mapRecords(claudeCode, lines.slice(0, cut));
      const sessions = JSON.parse(JSON.stringify(first.sessions)) as typeof first.sessions;
      const second = mapRecords(claudeCode, lines.slice(cut), { sessions });
      expect([...first.outcomes, ...second.outcomes]).toEqual(whole.outcomes);
    }
  });

  it("is recognised, and takes no other's files", () => {
    for (const name of ["real", "shapes", "drift", "subagent"]) {
      const lines = fixture(`claude-code/${name}.jsonl`).slice(0, 16);
      expect(claudeCode.recognise(lines, "x.jsonl"), name).toBeGreaterThan(0.5);
      expect(codex.recognise(lines, "x.jsonl"), name).toBeLessThan(0.3);
      expect(otlpJson.recognise(lines, "x.jsonl"), name).toBe(0);
    }
    const head = fixture("claude-code/real.jsonl").slice(0, 16);
    expect(claudeCode.sessionOf(head, `/home/u/.claude/projects/-p/${SESSION}.jsonl`)).toBe(SESSION);
    expect(claudeCode.sessionOf(head, "/x.jsonl"), "from the records").toBe(SESSION);
  });

  it("never throws and emits only legal fields", () => {
    fuzz(
      claudeCode,
      ["real", "shapes", "cases", "drift"].flatMap((name) => fixture(`claude-code/${name}.jsonl`)),
    );
  });
});

const CORPUS = join(HERE, "../../../../shared/data/claude-code-sessions");
const COUNT = join(HERE, "claude-code.count.py");
const python = spawnSync("python3", ["--version"]).status === 0;

/** Real sessions, if there: TAPLINE_CLAUDE_CORPUS names another directory. */
describe("claude-code against an independent count", () => {
  const dir = process.env["TAPLINE_CLAUDE_CORPUS"] ?? CORPUS;
  it("finds every tool call, result and token", (context) => {
    if (!existsSync(dir)) context.skip(`no corpus at ${dir}`);
    if (!python) context.skip("no python3");
    const told = spawnSync("python3", [COUNT, dir], { encoding: "utf8", maxBuffer: 1e8 });
    const truth = JSON.parse(told.stdout) as Record<string, number> & { names: Record<string, number> };
    const files = globSync("**/*.jsonl", { cwd: dir }).toSorted();
    // Subagents' files before and after their parents': the counts must not depend on it.
    for (const order of [files, files.toReversed()]) {
      const got = {
        lines: 0,
        uses: 0,
        results: 0,
        names: {} as Record<string, number>,
        input: 0,
        output: 0,
        requests: 0,
      };
      let sessions: ReturnType<typeof mapRecords>["sessions"] = [];
      for (const file of order) {
        const text = readFileSync(join(dir, file), "utf8").split("\n");
        const lines = text.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
        const mapped = mapRecords(claudeCode, lines, { path: join(dir, file), sessions });
        sessions = mapped.sessions;
        got.lines += mapped.outcomes.length;
        for (const e of mapped.events) {
          got.input += e["gen_ai.usage.input_tokens"] ?? 0;
          got.output += e["gen_ai.usage.output_tokens"] ?? 0;
          if (e["event.action"] === "model-call" && e["tapline.primary"] === true) got.requests++;
          if (e["event.action"] === "tool-result") {
            got.results++;
            expect(e["tapline.call.joined"]).toBe(true);
          }
          if (e["event.action"] !== "tool-call") continue;
          got.uses++;
          expect(e["tapline.primary"]).toBe(true);
          expect(e["gen_ai.conversation.id"]).toMatch(/^[\da-f-]{36}$/);
          expect(e["tapline.control.iso42001"]).toContain("A.9.4");
          got.names[e["gen_ai.tool.name"]!] = (got.names[e["gen_ai.tool.name"]!] ?? 0) + 1;
        }
      }
      expect(got).toEqual({
        lines: truth["lines"],
        uses: truth["uses"],
        results: truth["results"],
        names: truth.names,
        input: truth["input_tokens"],
        output: truth["output_tokens"],
        requests: truth["requests"],
      });
      expect(got.uses).toBeGreaterThan(0);
    }
  });
});
