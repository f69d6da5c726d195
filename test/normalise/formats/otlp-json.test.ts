// The otlp-json mapper: golden events of logs and spans, and what it does with attributes it does not know.
import { describe, expect, it } from "vitest";
import { attributesOf, valueOf } from "../../../src/normalise/formats/otlp-attributes.ts";
import { claudeCode } from "../../../src/normalise/formats/claude-code.ts";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { otlpJson } from "../../../src/normalise/formats/otlp-json.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const NAMES = ["claude-code", "codex", "official", "logs", "genai-spans"];

describe("otlp-json", () => {
  it.each(NAMES)("maps %s", (name) => {
    golden(otlpJson, name);
  });

  it("reads every kind of value", () => {
    expect(valueOf({ intValue: "42" })).toBe(42);
    expect(valueOf({ intValue: 42 })).toBe(42);
    expect(valueOf({ intValue: "9007199254740993" }), "beyond what a number holds").toBe("9007199254740993");
    expect(valueOf({ doubleValue: 0.5 })).toBe(0.5);
    expect(valueOf({ boolValue: false })).toBe(false);
    expect(valueOf({ stringValue: "" })).toBe("");
    expect(valueOf({ bytesValue: "AAEC" })).toBe("AAEC");
    expect(valueOf({ arrayValue: { values: [{ intValue: "1" }, {}] } })).toEqual([1, undefined]);
    expect(valueOf({ kvlistValue: { values: [{ key: "a", value: { boolValue: true } }] } })).toEqual({
      a: true,
    });
    const hostile = attributesOf([{ key: "__proto__", value: { stringValue: "x" } }]);
    expect(Object.keys(hostile)).toEqual(["__proto__"]);
  });

  it("sees three spans of one call as one call", () => {
    const { events } = mapRecords(otlpJson, fixture("otlp-json/genai-spans.jsonl"));
    const calls = events.filter(
      (e) => e["event.action"] === "tool-call" && e["gen_ai.tool.name"] === "read_file",
    );
    expect(calls).toHaveLength(3);
    expect(new Set(calls.map((e) => e["tapline.call_key"]))).toHaveProperty("size", 1);
    expect(calls.filter((e) => e["tapline.primary"] === true)).toHaveLength(1);
    for (const e of events) {
      if ((e["mcp.protocol.version"] ?? "") >= "2026-07-28") expect(e["mcp.session.id"]).toBeUndefined();
    }
  });

  it("joins with the transcript of the same session by call and request id", () => {
    const id = "11111111-2222-4333-8444-555555555555";
    const transcript = mapRecords(claudeCode, fixture("claude-code/cases.jsonl"));
    const attributes = (all: Record<string, string>) =>
      Object.entries({ "session.id": id, ...all }).map(([key, stringValue]) => ({
        key,
        value: { stringValue },
      }));
    const record = (name: string, all: Record<string, string>) => ({
      timeUnixNano: "1795168800000000000",
      eventName: `claude_code.${name}`,
      attributes: attributes(all),
    });
    const logRecords = [
      record("tool_result", {
        tool_name: "Bash",
        tool_use_id: "toolu_2",
        success: "false",
        duration_ms: "5",
      }),
      record("api_request", { request_id: "req_1", input_tokens: "10", output_tokens: "85" }),
    ];
    const { events } = mapRecords(otlpJson, [{ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }], {
      sessions: transcript.sessions,
    });
    const key = transcript.events.find((e) => e["gen_ai.tool.call.id"] === "toolu_2")!["tapline.call_key"];
    expect(events.map((e) => e["event.action"])).toEqual(["tool-call", "tool-result", "model-call"]);
    expect(events[0]).toMatchObject({ "tapline.call_key": key, "tapline.primary": false });
    expect(events[1]).toMatchObject({ "tapline.call_key": key, "tapline.primary": false });
    expect(events[2]).toMatchObject({ "tapline.primary": false, "gen_ai.usage.output_tokens": 5 });
    expect(events[2]!["gen_ai.usage.input_tokens"]).toBeUndefined();
  });

  it("takes no call from the transcript of the same session, which is still open there", () => {
    const session = "11111111-2222-4333-8444-555555555555";
    const call = { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } };
    const asked = {
      type: "assistant",
      uuid: "u1",
      sessionId: session,
      timestamp: "2026-11-20T10:00:00Z",
      message: { id: "m1", content: [call] },
    };
    const answered = {
      type: "user",
      uuid: "u2",
      sessionId: session,
      timestamp: "2026-11-20T10:00:02Z",
      message: { content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "ok" }] },
    };
    const attributes = Object.entries({
      "session.id": session,
      "gen_ai.tool.name": "Bash",
      "gen_ai.tool.call.id": "toolu_1",
      tool_name: "Bash",
      tool_use_id: "toolu_1",
      success: "true",
    }).map(([key, stringValue]) => ({ key, value: { stringValue } }));
    const times = { startTimeUnixNano: "1795168800000000000", endTimeUnixNano: "1795168801000000000" };
    const span = { spanId: "00f067aa0ba902b7", name: "execute_tool Bash", ...times, attributes };
    const logRecord = {
      timeUnixNano: "1795168800000000000",
      eventName: "claude_code.tool_result",
      attributes,
    };
    for (const record of [
      { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] },
      { resourceLogs: [{ scopeLogs: [{ logRecords: [logRecord] }] }] },
    ]) {
      const first = mapRecords(claudeCode, [asked], { session });
      const seen = mapRecords(otlpJson, [record], { session, sessions: first.sessions });
      expect(seen.events).toHaveLength(2);
      for (const e of seen.events)
        expect(e).toMatchObject({ "tapline.primary": false, "tapline.call.ref": "otel:toolu_1" });
      const last = mapRecords(claudeCode, [answered], { session, sessions: seen.sessions });
      expect(last.events).toMatchObject([
        { "tapline.call.joined": true, "tapline.primary": true, "gen_ai.tool.name": "Bash" },
      ]);
      expect(last.events[0]!["tapline.call_key"]).toBe(`${session}.toolu_1`);
    }
  });

  it("counts the tokens of Codex once, whose requests have no id, with its rollout in either order", () => {
    const session = "019fc8be-3658-7ca3-9e29-000000000001";
    const completed = ([input, output, cached]: readonly number[]) => ({
      timeUnixNano: "1795168800000000000",
      attributes: Object.entries({
        "event.name": "codex.sse_event",
        "event.kind": "response.completed",
        "conversation.id": session,
        input_token_count: input,
        output_token_count: output,
        cached_token_count: cached,
      }).map(([key, value]) => ({ key, value: { stringValue: String(value) } })),
    });
    // The last was in no rollout.
    const logRecords = [
      [100, 10, 50],
      [200, 20, 100],
      [200, 20, 100],
    ].map(completed);
    const telemetry = [{ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }];
    const sides = [
      [codex, fixture("codex/twice.jsonl")],
      [otlpJson, telemetry],
    ] as const;
    for (const order of [sides, sides.toReversed()]) {
      const [[first, told], [second, toldAgain]] = order as unknown as typeof sides;
      const before = mapRecords(first, told, { session });
      const after = mapRecords(second, toldAgain, { session, sessions: before.sessions });
      const calls = [...before.events, ...after.events].filter(
        (e) => e["event.action"] === "model-call" && e["tapline.call_key"] !== undefined,
      );
      let [input, output, cached] = [0, 0, 0];
      for (const e of calls) {
        input += e["gen_ai.usage.input_tokens"] ?? 0;
        output += e["gen_ai.usage.output_tokens"] ?? 0;
        cached += e["gen_ai.usage.cache_read.input_tokens"] ?? 0;
      }
      expect([input, output, cached]).toEqual([500, 50, 250]);
      expect(calls).toHaveLength(5);
      expect(calls.filter((e) => e["tapline.primary"] === true)).toHaveLength(3);
    }
  });

  it("tells an approval for good as a grant, one for a single call not", () => {
    const record = (source: string, decision: string) => ({
      timeUnixNano: "1795168800000000000",
      eventName: "claude_code.tool_decision",
      attributes: Object.entries({ "session.id": "s", tool_name: "mcp__github__push", source, decision }).map(
        ([key, stringValue]) => ({ key, value: { stringValue } }),
      ),
    });
    const logRecords = [
      record("user_temporary", "accept"),
      record("user_permanent", "accept"),
      record("user_reject", "reject"),
    ];
    const { events } = mapRecords(otlpJson, [{ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }]);
    expect(events.map((e) => [e["event.action"], e["tapline.decision.decider.type"]])).toEqual([
      ["tool-call-decision", "user"],
      ["tool-call-decision", "user"],
      ["permission-change", "user"],
      ["tool-call-decision", "user"],
    ]);
    expect(events[2]).toMatchObject({
      "tapline.permission.operation": "grant",
      "tapline.permission.scope": "permanent",
      "tapline.permission.rule": "github/push",
    });
  });

  it("has no execution of a call that was denied", () => {
    const { events } = mapRecords(otlpJson, fixture("otlp-json/logs.jsonl"));
    const denied = events.filter((e) => e["gen_ai.tool.call.id"] === "toolu_9").map((e) => e["event.action"]);
    expect(denied).toContain("tool-call-decision");
    expect(denied).not.toContain("tool-call");
  });

  it("is recognised", () => {
    for (const name of NAMES) {
      const lines = fixture(`otlp-json/${name}.jsonl`);
      expect(otlpJson.recognise(lines, "x"), name).toBeGreaterThan(0.5);
      expect(claudeCode.recognise(lines, "x"), name).toBe(0);
    }
    expect(otlpJson.sessionOf(fixture("otlp-json/logs.jsonl"), "x")).toBe("s-otel");
  });

  it("never throws and emits only legal fields", () => {
    fuzz(
      otlpJson,
      NAMES.flatMap((name) => fixture(`otlp-json/${name}.jsonl`)),
    );
  });
});
