// A branch of a session is read by the worker of its origin; after a restart its state is there too.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { laneOf } from "../../src/lane.ts";
import { actionsOf, configure, entriesOf, field, newHome, tapline } from "./tapline.ts";

const ORIGIN = "11111111-2222-4333-8444-000000000000";
// The first whose own worker would be another one.
const BRANCH = Array.from(
  { length: 64 },
  (_, i) => `11111111-2222-4333-8444-${String(i).padStart(12, "0")}`,
).find((id) => laneOf(id, 2) !== laneOf(ORIGIN, 2))!;

const record = (uuid: string, more: object): string =>
  `${JSON.stringify({ sessionId: BRANCH, uuid, timestamp: "2026-08-03T10:00:00.000Z", version: "2.1.330", cwd: "/repo", ...more })}\n`;

const copied = record("copied", {
  type: "user",
  forkedFrom: { sessionId: ORIGIN, messageUuid: "orig" },
  message: { role: "user", content: "from the origin" },
});
const call = record("call", {
  type: "assistant",
  message: {
    role: "assistant",
    id: "m",
    content: [{ type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } }],
  },
});
const result = record("result", {
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "a" }] },
});

test.each(["snapshot", "frames"])("restored from the %s, its result finds its call", async (from) => {
  const home = newHome();
  const dir = join(home, "projects");
  mkdirSync(dir);
  const log = join(dir, `${BRANCH}.jsonl`);
  const config = configure(home, {
    workers: 2,
    sources: { claude: { type: "file", include: [join(dir, "*.jsonl")], format: "claude-code" } },
    sinks: { none: { type: "null" } },
  });
  const ledger = join(home, "state", "ledger");
  writeFileSync(log, copied + call);
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  if (from === "frames") rmSync(join(ledger, "snapshots"), { recursive: true });
  appendFileSync(log, result);
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const [found, ...more] = actionsOf(await entriesOf(ledger), "tool-result");
  expect(more).toEqual([]);
  expect([field(found!, "gen_ai.conversation.id"), field(found!, "gen_ai.tool.name")]).toEqual([
    BRANCH,
    "Bash",
  ]);
});
