// Forks of Codex sessions: what they copied is counted once, what is theirs is kept, in whatever order files are read.
import { expect, test } from "vitest";
import type { Event } from "../../../src/core/generated/event.ts";
import { codex } from "../../../src/normalise/formats/codex.ts";
import { probe } from "../../../src/normalise/probe.ts";
import { type MapOptions, mapRecords } from "../harness.ts";

const [A, B, C] = ["a", "b", "c"].map((x) => `019fc8be-3658-7ca3-9e29-00000000000${x}`) as [
  string,
  string,
  string,
];
const pathOf = (id: string): string =>
  `/h/.codex/sessions/2026/08/03/rollout-2026-08-03T10-48-56-${id}.jsonl`;

type Line = readonly [type: string, payload: object];
const header = (id: string, forked_from_id?: string): Line => [
  "session_meta",
  { id, forked_from_id, cwd: "/repo", cli_version: "0.146.0", model_provider: "openai" },
];
const call = (id: string): Line => [
  "response_item",
  { type: "function_call", name: "shell", call_id: id, arguments: `{"command":["echo","${id}"]}` },
];
const result = (id: string, output = "Exit code: 0\n"): Line => [
  "response_item",
  { type: "function_call_output", call_id: id, output },
];
const tokens = (input: number, output: number, last: readonly [number, number]): Line => [
  "event_msg",
  {
    type: "token_count",
    info: {
      total_token_usage: { input_tokens: input, output_tokens: output },
      last_token_usage: { input_tokens: last[0], output_tokens: last[1] },
    },
  },
];

// The agent of B is made by the call `spawn`, of which its copy has an answer of its own.
const before = [call("a1"), result("a1"), tokens(100, 10, [100, 10]), call("spawn")];
const FILES: Readonly<Record<string, readonly Line[]>> = {
  [A]: [header(A), ...before, result("spawn", "done"), tokens(300, 30, [200, 20])],
  [B]: [
    header(B, A),
    header(A),
    ...before,
    result("spawn", "You are the newly spawned agent."),
    call("b1"),
    result("b1"),
    tokens(400, 40, [300, 30]),
  ],
  [C]: [
    header(C, B),
    header(B, A),
    header(A),
    ...before,
    call("b1"),
    result("b1"),
    tokens(400, 40, [300, 30]),
    call("c1"),
    result("c1"),
    tokens(800, 80, [400, 40]),
  ],
};

interface Read {
  readonly events: readonly Partial<Event>[];
  readonly merged: number;
  readonly lines: number;
}

/** Reads the files of these sessions one after another, in pieces, from the state that the last has left. */
function read(ids: readonly string[], pieces = 1): Read {
  let sessions: MapOptions["sessions"] = [];
  const events: Partial<Event>[] = [];
  let [merged, lines] = [0, 0];
  for (const id of ids) {
    const all = FILES[id]!.map(([type, payload], i) => ({
      timestamp: `2026-08-03T10:00:${String(i).padStart(2, "0")}.000Z`,
      type,
      payload,
    }));
    const size = Math.ceil(all.length / pieces);
    const session = codex.sessionOf(all, pathOf(id))!;
    for (let at = 0; at < all.length; at += size) {
      const options = { path: pathOf(id), session, sessions };
      const mapped = mapRecords(codex, all.slice(at, at + size), options);
      events.push(...mapped.events);
      merged += mapped.outcomes.filter((outcome) => outcome === "merged").length;
      lines += mapped.outcomes.length;
      sessions = JSON.parse(JSON.stringify(mapped.sessions)) as typeof mapped.sessions;
    }
  }
  return { events, merged, lines };
}

const idsOf = ({ events }: Read, action: string): unknown[] =>
  events
    .filter((e) => e["event.action"] === action)
    .map((e) => `${e["gen_ai.tool.call.id"]} in ${e["gen_ai.conversation.id"]!.at(-1)}`)
    .toSorted();
const sumOf = ({ events }: Read): unknown[] => {
  let [input, output] = [0, 0];
  for (const e of events) {
    input += e["gen_ai.usage.input_tokens"] ?? 0;
    output += e["gen_ai.usage.output_tokens"] ?? 0;
  }
  return [input, output];
};

test("what a fork copied is its origin's, also in a fork of a fork, over restarts", () => {
  for (const pieces of [1, 3, 20]) {
    const all = read([A, B, C], pieces);
    expect(idsOf(all, "tool-call")).toEqual(["a1 in a", "b1 in b", "c1 in c", "spawn in a"]);
    expect(idsOf(all, "tool-result")).toEqual(idsOf(all, "tool-call"));
    expect(sumOf(all)).toEqual([1_000, 100]);
    expect(all.events.filter((e) => e["event.action"] === "session-start")).toHaveLength(3);
    expect(all.merged + all.events.length, "every record is recorded or merged").toBe(all.lines);
  }
});

test("a copy counts where nobody has told of what it tells: its origin is not read, or is read later", () => {
  const alone = read([B]);
  expect(idsOf(alone, "tool-call")).toEqual(["a1 in b", "b1 in b", "spawn in b"]);
  expect(idsOf(alone, "tool-result")).toEqual(idsOf(alone, "tool-call"));
  expect(sumOf(alone)).toEqual([400, 40]);
  expect(alone.merged).toBe(0);
  for (const order of [
    [C, B, A],
    [B, A, C],
    [A, C, B],
  ]) {
    const all = read(order);
    const names = idsOf(all, "tool-call").map((text) => (text as string).split(" ")[0]);
    expect(names).toEqual(["a1", "b1", "c1", "spawn"]);
    expect(sumOf(all)).toEqual([1_000, 100]);
  }
});

test("a fork is read where its first ancestor is, and no other stream is joined to it", () => {
  for (const [id, lines] of Object.entries(FILES)) {
    const text = lines.map(([type, payload]) => JSON.stringify({ timestamp: 1, type, payload })).join("\n");
    const found = probe(Buffer.from(`${text}\n`), pathOf(id));
    expect([found.session, found.facts!.branch]).toEqual([A, id === A ? undefined : true]);
  }
});
