// From records to what is held against each other: a transcript, a hook's lines and a proxy's, through the normaliser
// and oversight, as a worker and the ordering thread have them.
import { expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { Observations } from "../../src/detect/observations.ts";
import { Oversight } from "../../src/detect/oversight.ts";
import { Normaliser } from "../../src/normalise/index.ts";
import { createRedactor } from "../../src/normalise/redact.ts";

const ORIGIN = { namespace: "default", host: "test", version: "0" };
const T0 = Date.parse("2026-11-20T10:00:00Z");
const SESSION = "11111111-1111-4111-8111-111111111111";
const at = (n: number): string => new Date(T0 + n * 1_000).toISOString();

interface Lines {
  readonly format: string;
  readonly lines: readonly object[];
}

/** Which calls oversight names, of streams that are read one after another. */
function named(...streams: readonly Lines[]): unknown[] {
  const observations = new Observations();
  const normaliser = new Normaliser({
    origin: ORIGIN,
    digest: createDigest("test"),
    redactor: createRedactor("test"),
    inspect: (e) => observations.see(e),
    sealer: undefined,
    started: at(0),
  });
  for (const [i, { format, lines }] of streams.entries()) {
    const buffer = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const capture = {
      arguments: "redacted",
      results: "redacted",
      messages: "redacted",
      identity: "full",
    } as const;
    const id = `s${i}`;
    const info = { id, source: "t", path: `/t/${SESSION}.jsonl`, format, session: SESSION, capture };
    normaliser.process({
      buffer,
      segments: [{ stream: id, start: 0, end: buffer.length, offset: 0 }],
      streams: [{ ...info, options: undefined, modified_ms: T0 }],
      now_ms: T0 + 3_600_000,
    });
  }
  const oversight = new Oversight(ORIGIN, { clients: [], servers: [], spool: true });
  oversight.offer(observations.take(), { now_ms: T0, mark_ms: T0 });
  return oversight
    .close(T0)
    .map((e) => [e["event.action"], e["gen_ai.tool.call.id"], ...e["tapline.chokepoint.missing"]!]);
}

const decision = (action: "pass" | "block"): object => ({
  verdict: action === "pass" ? "allow" : "deny",
  mode: "enforce",
  rule: "r",
  reason: "x",
  policy: "p",
  action,
  decider: "policy",
});
const hook = (
  client: string,
  n: number,
  tool_input: object,
  action: "pass" | "block" = "pass",
  id = "call",
): object => {
  const payload = { hook_event_name: "PreToolUse", session_id: SESSION, tool_name: "mcp__desk__read" };
  return {
    ts: at(n),
    hook: client,
    event: "PreToolUse",
    payload: { ...payload, tool_input, tool_use_id: `${id}_${n}` },
    server: { name: "desk" },
    decision: decision(action),
  };
};
const proxy = (n: number, args: object, _meta?: object): object => ({
  ts: at(n),
  dir: "c2s",
  session: SESSION,
  server: { name: "desk" },
  msg: { jsonrpc: "2.0", id: n, method: "tools/call", params: { name: "read", arguments: args, _meta } },
  decision: decision("pass"),
});

const claude = {
  call: (n: number, input: object): object => ({
    type: "assistant",
    uuid: `a${n}`,
    sessionId: SESSION,
    timestamp: at(n),
    message: {
      id: `m${n}`,
      content: [{ type: "tool_use", id: `call_${n}`, name: "mcp__desk__read", input }],
    },
  }),
  refused: (n: number): object => ({
    type: "user",
    uuid: `r${n}`,
    sessionId: SESSION,
    timestamp: at(n + 1),
    message: { content: [{ type: "tool_result", tool_use_id: `call_${n}`, is_error: true, content: "no" }] },
    toolUseResult: "User rejected tool use",
  }),
  hook: (n: number, args: object, action: "pass" | "block" = "pass"): object =>
    hook("claude-code", n, args, action),
  proxy: (n: number, args: object): object => proxy(n, args, { "claudecode/toolUseId": `call_${n}` }),
};

test("a call that the hook blocked or its user refused went around no proxy", () => {
  const [a, b] = [{ q: "a" }, { q: "b" }];
  const transcript = [claude.call(1, a), claude.call(10, b)];
  const proxied = { format: "mcp", lines: [claude.proxy(1, a)] };
  const of = (lines: readonly object[], ...hooks: readonly object[]): unknown[] =>
    named({ format: "claude-code", lines }, { format: "hook", lines: hooks }, proxied);
  const [passed, blocked] = [claude.hook(10, b), claude.hook(10, b, "block")];
  expect(of(transcript, claude.hook(1, a), passed)).toEqual([["bypass", "call_10", "proxy"]]);
  expect(of(transcript, claude.hook(1, a), blocked)).toEqual([]);
  expect(of([...transcript, claude.refused(10)], claude.hook(1, a), passed)).toEqual([]);
});

test("a refused call that is tried again is not the one that came to the proxy, whatever is read first", () => {
  const b = { q: "b" };
  const item = (n: number, payload: object): object => ({ timestamp: at(n), type: "response_item", payload });
  const called = (n: number, args: object): object => {
    const of = { name: "mcp__desk__read", call_id: `call_${n}`, arguments: JSON.stringify(args) };
    return item(n, { type: "function_call", ...of });
  };
  const refused = (n: number): object =>
    item(n + 1, { type: "function_call_output", call_id: `call_${n}`, output: "rejected by user" });
  const codex = (action: "pass" | "block", n: number, args: object): object => hook("codex", n, args, action);
  const calls = [called(1, {}), called(10, b), called(20, b), called(30, b)];
  const proxies = { format: "mcp", lines: [proxy(1, {}), proxy(20, b)] };
  const decided = (first: "pass" | "block"): Lines => ({
    format: "hook",
    lines: [codex("pass", 1, {}), codex(first, 10, b), codex("pass", 20, b), codex("pass", 30, b)],
  });
  const byHook = [{ format: "codex", lines: calls }, decided("block")];
  const reviewed = {
    timestamp: at(11),
    type: "event_msg",
    payload: {
      type: "guardian_assessment",
      target_item_id: "call_10",
      status: "denied",
      action: { type: "mcp_tool_call", server: "desk", tool_name: "read" },
    },
  };
  const byReviewer = [{ format: "codex", lines: calls.toSpliced(2, 0, reviewed) }, decided("pass")];
  const byUser = [{ format: "codex", lines: calls.toSpliced(2, 0, refused(10)) }, decided("pass")];
  for (const both of [byHook, byUser, byReviewer]) {
    // The last of them went around the proxy.
    const expected = [["bypass", "call_30", "proxy"]];
    expect(named(...both, proxies)).toEqual(expected);
    expect(named(proxies, ...both)).toEqual(expected);
    expect(named(both[0]!, proxies, both[1]!)).toEqual(expected);
  }
});
