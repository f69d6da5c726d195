// The chat mapper: golden files, joins by id and by order, history that is logged again, and hostile lines.
import fc from "fast-check";
import { expect, it } from "vitest";
import { chat } from "../../../src/normalise/formats/chat.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

it.each(["agentdojo", "completions"])("golden: %s", (name) => {
  golden(chat, name);
});

it("joins results to calls by id, and by order where there are no ids", () => {
  const { events } = mapRecords(chat, fixture("chat/completions.jsonl"));
  const results = events.filter((e) => e["event.action"] === "tool-result");
  expect(results.map((e) => [e["gen_ai.tool.name"], e["tapline.call.joined"], e["event.outcome"]])).toEqual([
    ["create_issue", true, "unknown"],
    ["read_file", true, "unknown"],
    ["shell", true, "unknown"],
    ["a", true, "unknown"],
    ["b", true, "failure"],
  ]);
});

it("records a history that is logged again with every request once", () => {
  const [first, second, third] = fixture("chat/completions.jsonl");
  const { events, outcomes } = mapRecords(chat, [first, second, third]);
  expect(outcomes).toEqual(["recorded", "recorded", "merged"]);
  expect(events.map((e) => e["event.action"]).join(" ")).toBe(
    "session-event prompt tool-call tool-call tool-result tool-result model-call",
  );
  // Nothing is merged that differs in something before it, or that names no session.
  const other = {
    session: "s-1",
    messages: [{ role: "user", content: "Hello" }, ...(second as { messages: object[] }).messages],
  };
  expect(mapRecords(chat, [second, other]).outcomes).toEqual(["recorded", "recorded"]);
  const unnamed = { messages: (first as { messages: object[] }).messages };
  expect(mapRecords(chat, [unnamed, unnamed]).outcomes).toEqual(["recorded", "recorded"]);
});

it("takes every line without a session for a conversation of its own", () => {
  const { events } = mapRecords(chat, fixture("chat/agentdojo.jsonl"));
  expect(new Set(events.map((e) => e["gen_ai.conversation.id"])).size).toBe(3);
  const calls = fixture("chat/agentdojo.jsonl").flatMap((line) =>
    (line as { messages: { tool_calls?: object[] | null }[] }).messages.flatMap((m) => m.tool_calls ?? []),
  );
  expect(events.filter((e) => e["event.action"] === "tool-call")).toHaveLength(calls.length);
  expect(events.filter((e) => e["tapline.call.joined"] === false)).toHaveLength(0);
});

it("says no duration where messages have no times", () => {
  const { events } = mapRecords(chat, fixture("chat/completions.jsonl"));
  const durations = events.map((e) => e["event.duration"]).filter((duration) => duration !== undefined);
  expect(durations).toEqual([2e9]);
});

it("recognises conversations and the session that all lines name", () => {
  expect(chat.recognise(fixture("chat/agentdojo.jsonl"), "x")).toBeGreaterThan(0.5);
  expect(chat.recognise([{ type: "user", message: { role: "user", content: "x" } }], "x")).toBe(0);
  expect(chat.recognise([], "x")).toBe(0);
  expect(chat.sessionOf([{ session: "a" }, { session: "a" }], "x")).toBe("a");
  expect(chat.sessionOf([{ session: "a" }, {}], "x")).toBeUndefined();
});

it("never throws, drops nothing, and keeps to the field types, whatever a record holds", () => {
  const any = fc.jsonValue({ maxDepth: 3 });
  const maybe = (value: fc.Arbitrary<unknown>) => fc.oneof({ weight: 3, arbitrary: value }, any);
  const inner = fc.record({ name: any, arguments: any }, { requiredKeys: [] });
  const call = fc.record({ id: any, function: maybe(inner), args: any, name: any }, { requiredKeys: [] });
  const message = fc.record(
    {
      role: maybe(fc.constantFrom("user", "assistant", "tool", "system", "function")),
      content: maybe(fc.array(maybe(fc.record({ type: any, text: any })))),
      tool_calls: maybe(fc.array(maybe(call))),
      tool_call: maybe(call),
      tool_call_id: any,
      name: any,
      error: any,
      usage: any,
      timestamp: any,
      id: any,
      function_call: any,
      refusal: any,
      finish_reason: any,
      model: any,
    },
    { requiredKeys: ["role"] },
  );
  const line = fc.record(
    {
      session: maybe(fc.constantFrom("a", "b")),
      messages: maybe(fc.array(maybe(message), { maxLength: 5 })),
      usage: maybe(fc.record({ prompt_tokens: any, completion_tokens: any, prompt_tokens_details: any })),
      ts: any,
      prompt: any,
      model: any,
      provider: any,
      user: any,
      __proto__: any,
    },
    { requiredKeys: ["messages"] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(line, any), { minLength: 1, maxLength: 5 }), (lines) => {
      const parsed = JSON.parse(JSON.stringify(lines)) as unknown[];
      for (const outcome of mapRecords(chat, parsed).outcomes)
        expect(["recorded", "merged"]).toContain(outcome);
    }),
    { numRuns: 500 },
  );
});

it("takes real records with any part of them swapped for anything", () => {
  fuzz(
    chat,
    ["agentdojo", "completions"].flatMap((name) => fixture(`chat/${name}.jsonl`)),
  );
});
