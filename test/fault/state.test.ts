// Session state goes to disk with every frame: what records put into it is bounded, and free of secrets.
import { expect, test } from "vitest";
import { fromMs } from "../../src/core/time.ts";
import { Engine } from "../../src/engine.ts";
import { compileRules } from "../../src/detect/rules.ts";

const STATE_BYTES_MAX = 64 * 1024;
const GITHUB = "gh" + "p_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx";

function stateAfter(format: string, lines: readonly unknown[]): string {
  const engine = new Engine(
    {
      origin: { namespace: "n", host: "h", version: "0" },
      key: "k",
      started: fromMs(0)!,
      subject_keys: undefined,
    },
    { set: compileRules([]), correlations: { nodes: [], plan: {}, quiet: [], suppresses: false } },
  );
  const buffer = Buffer.from(lines.map((line) => JSON.stringify(line)).join("\n") + "\n");
  const capture = {
    arguments: "redacted",
    results: "redacted",
    messages: "redacted",
    identity: "full",
  } as const;
  const info = { id: "s", source: "s", path: "/s", format, session: undefined, options: undefined };
  const { sessions } = engine.process({
    buffer,
    segments: [{ stream: "s", start: 0, end: buffer.length, offset: 0 }],
    streams: [{ ...info, capture, modified_ms: 0 }],
    now_ms: 1,
  });
  return JSON.stringify(sessions);
}

const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });

test("ids of any length leave little behind", () => {
  const huge = "x".repeat(5_000_000);
  const chat = stateAfter("chat", [
    { messages: [{ role: "assistant", tool_calls: [call(`${huge}1`), call(`${huge}2`), call(`${huge}3`)] }] },
  ]);
  expect(chat.length).toBeLessThan(STATE_BYTES_MAX);
  const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: huge, arguments: {} } };
  const line = { ts: "2026-11-23T10:00:00Z", dir: "c2s", msg: request, session: huge, conn: huge };
  expect(stateAfter("mcp", [line, line, line]).length).toBeLessThan(STATE_BYTES_MAX);
});

test("a secret in what a call is remembered by is not remembered", () => {
  const uri = `https://bot:${GITHUB}@git.example/x`;
  const request = { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri } };
  const state = stateAfter("mcp", [{ ts: "2026-11-23T10:00:00Z", dir: "c2s", msg: request }]);
  expect(state).toContain("resources/read");
  expect(state).not.toContain(GITHUB);
});
