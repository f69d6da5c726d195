// What is cut, or cannot be read, is redacted first: no beginning of a secret is left.
import { expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { redactCut } from "../../src/normalise/cut.ts";
import { Normaliser } from "../../src/normalise/index.ts";
import { createRedactor } from "../../src/normalise/redact.ts";

const capture = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
} as const;
const secret = `ghp_${"a1B2c3".repeat(6)}`;

/** The last event of one record. */
function eventOf(record: Buffer | object, format = "claude-code"): Event {
  const events: Event[] = [];
  const normaliser = new Normaliser({
    origin: { namespace: "default", host: "test", version: "0" },
    digest: createDigest("test"),
    redactor: createRedactor("test"),
    inspect: (e) => events.push(structuredClone(e)),
    sealer: undefined,
    started: "2026-01-01T00:00:00.000000000Z",
  });
  const buffer = Buffer.isBuffer(record) ? record : Buffer.from(JSON.stringify(record));
  const stream = { id: "s", source: "t", path: "x", format, session: undefined };
  normaliser.process({
    buffer,
    segments: [{ stream: "s", start: 0, end: buffer.length, offset: 0 }],
    streams: [{ ...stream, options: undefined, capture, modified_ms: 0 }],
    now_ms: Date.UTC(2026, 10, 23),
  });
  return events.at(-1)!;
}
const said = (type: string, content: object): object => ({
  type,
  sessionId: "s",
  version: "2.1.330",
  uuid: "u",
  timestamp: "2026-11-20T10:00:00Z",
  message: { id: "m", role: type, model: "x", content: [content] },
});
const call = (input: object): object =>
  said("assistant", { type: "tool_use", id: "t1", name: "mcp__db__query", input });

test("a query is redacted, then cut", () => {
  for (let at = LIMITS.query_chars - 60; at <= LIMITS.query_chars; at += 3) {
    const e = eventOf(call({ query: `${"x".repeat(at)} ${secret} ${"y".repeat(300)}` }));
    const query = e["tapline.data.query"]!;
    expect(query, `at ${at}`).not.toContain("ghp_");
    expect(query.length).toBeLessThanOrEqual(LIMITS.query_chars);
    expect(e["tapline.data.truncated"]).toContain("tapline.data.query");
  }
});

test("so is the message of an error", () => {
  for (let at = 950; at <= 1_000; at += 3) {
    const text = `${"x".repeat(at)} ${secret} bad`;
    const result = {
      type: "tool_result",
      tool_use_id: "t1",
      is_error: true,
      content: [{ type: "text", text }],
    };
    const e = eventOf(said("user", result));
    expect(e["error.message"]!.length).toBeLessThanOrEqual(LIMITS.error_chars);
    expect(e["error.message"], `at ${at}`).not.toContain("ghp_");
  }
});

test("what stands in place of a time", () => {
  for (let at = 20; at <= 60; at += 5) {
    const e = eventOf({ ...call({ a: 1 }), timestamp: `${"x".repeat(at)} ${secret}` });
    expect(e["tapline.time.original"], `at ${at}`).not.toContain("ghp_");
  }
});

test("objects that are too deep are redacted before they become text", () => {
  let deep: object = { passphrase: "my dog", pin: { password: ["a b c"] } };
  for (let i = 0; i < 18; i++) deep = { a: deep };
  const text = JSON.stringify(eventOf(call(deep))["gen_ai.tool.call.arguments"]);
  expect(text).toContain("REDACTED");
  for (const word of ["my dog", "a b c"]) expect(text).not.toContain(word);
});

test("records in UTF-16", () => {
  for (const before of ["", "\ufeff"]) {
    const original = eventOf(Buffer.from(`${before}{"a":"${secret}"}`, "utf16le"))["event.original"]!;
    expect(original).toMatch(/\{"a":"\[REDACTED:github-token:\w+\]"\}$/);
    expect(original).not.toContain("\0");
  }
  // Without a secret the bytes are kept as they are.
  expect(eventOf(Buffer.from('{"a":"b"}', "utf16le"))["event.original"]).toBe('{\0"\0a\0"\0:\0"\0b\0"\0}\0');
});

/** What a hook keeps of a text that nobody can read, in the event of its line. */
const unread = (text: string): Event => {
  const raw = text.slice(0, LIMITS.raw_bytes + LIMITS.beyond_chars);
  return eventOf({ ts: "2026-11-20T10:00:00Z", hook: "codex", event: "Stop", payload: {}, raw }, "hook");
};

test("what a hook was told and nobody can read", () => {
  for (let at = LIMITS.raw_bytes - 60; at <= LIMITS.raw_bytes; at += 3) {
    const e = unread(`{"a":"${"x".repeat(at)} ${secret} ${"y".repeat(3_000)}`);
    expect(e["event.original"], `at ${at}`).not.toContain("ghp_");
    expect(e["event.original"]).not.toContain("y".repeat(1_000));
    expect(e["tapline.data.truncated"]).toEqual(["event.original"]);
    // One that begins behind the cut is nothing of what is kept.
    if (at < LIMITS.raw_bytes - 7) expect(e["tapline.data.redacted"], `at ${at}`).toBe(true);
  }
  const whole = unread(`{"a":"${secret} ${"x".repeat(9_000)}`);
  expect(whole["tapline.data.secrets"]).toEqual(["github-token"]);
  expect(whole["event.original"]!.startsWith('{"a":"[REDACTED:github-token:')).toBe(true);
  const plain = unread("x".repeat(9_000));
  expect(plain["event.original"]).toBe("x".repeat(LIMITS.raw_bytes));
  expect(unread("x y")["tapline.data.truncated"]).toBeUndefined();
});

test("of what is looked at behind a cut nothing is left behind its last secret", () => {
  const { redactText } = createRedactor("test");
  const beyond = `b ${secret} c ${secret.slice(0, 20)}`;
  expect(redactCut("a ", beyond, redactText)).toMatch(/^a b \[REDACTED:github-token:\w+\]$/);
  expect(redactCut("a ", " b", redactText)).toBe("a ");
  expect(redactCut(`a ${secret.slice(0, 9)}`, `${secret.slice(9)} b`, redactText)).toMatch(/^a \[.+\]$/);
});
