// A removed hook and a deleted transcript line, the whole way: hooks' lines and a transcript in, bypass, hole and their
// alerts in the ledger, once, over a kill and a restart.
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SpoolWriter } from "../../src/chokepoint/spool-writer.ts";
import { LIMITS } from "../../src/core/limits.ts";
import {
  type Document,
  actionsOf,
  checkDocument,
  configure,
  documents,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const SESSION = "258c7280-0000-4000-8000-000000000001";
// Long enough ago for nothing to be on its way any more, and then again now.
const T0 = Date.now() - 3_600_000;
const HOLE = "Decided Tool Call Missing From the Agent's Record";
const BYPASS = "Tool Call That Nobody Decided On";
const WAIT_MS = 60_000;
const iso = (n: number): string => new Date(T0 + n * 10_000).toISOString();
const command = (n: number): object => ({ command: `echo ${n}`, description: "say it" });

function transcriptLine(n: number, name = "Bash"): string {
  const content = [{ type: "tool_use", id: `toolu_${n}`, name, input: command(n) }];
  const message = { id: `msg_${n}`, type: "message", role: "assistant", model: "claude-opus-4-6", content };
  const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
  const head = { parentUuid: null, isSidechain: false, userType: "external", cwd: "/w", version: "2.1.330" };
  return `${JSON.stringify({ ...head, sessionId: SESSION, message, type: "assistant", uuid, timestamp: iso(n) })}\n`;
}

const DECISION = {
  verdict: "allow",
  mode: "enforce",
  rule: "agent_tools.Bash",
  reason: "The policy allows this.",
  policy: "sha256:0",
  action: "pass",
  decider: "policy",
  latency_us: 10,
};

function spoolHook(dir: string, n: number): void {
  const payload = {
    session_id: SESSION,
    cwd: "/w",
    hook_event_name: "PreToolUse",
    tool_name: "Bash",
    tool_input: command(n),
    tool_use_id: `toolu_${n}`,
  };
  const line = {
    ts: iso(n),
    hook: "claude-code",
    event: "PreToolUse",
    payload,
    decision: DECISION,
    user: "ann",
  };
  new SpoolWriter({ dir, kind: "hook", durability: "process" }).end(JSON.stringify(line));
}

const told = (entries: readonly Document[], action: string): unknown[] =>
  actionsOf(entries, action).map((e) => [
    field(e, "gen_ai.tool.call.id"),
    field(e, "tapline.chokepoint.missing"),
  ]);
const alerts = (entries: readonly Document[]): unknown[] =>
  actionsOf(entries, "rule-alert")
    .map((e) => field(e, "rule.name"))
    .toSorted();

test("a scan of both sides says what is missing when all is read", async () => {
  const home = newHome();
  const spool = join(home, "spool");
  for (const n of [1, 2, 4, 5]) spoolHook(spool, n);
  const hooks = readdirSync(spool).map((name) => readFileSync(join(spool, name), "utf8"));
  writeFileSync(join(home, "hooks.jsonl"), hooks.join(""));
  writeFileSync(join(home, `${SESSION}.jsonl`), [1, 2, 3, 5].map((n) => transcriptLine(n)).join(""));
  const paths = [join(home, "hooks.jsonl"), join(home, `${SESSION}.jsonl`)];
  const { code, stdout } = await tapline(home, ["scan", ...paths, "--out", "all"]);
  expect(code).toBe(0);
  const printed = documents(stdout);
  expect([told(printed, "bypass"), told(printed, "hole")]).toEqual([
    [["toolu_3", ["hook"]]],
    [["toolu_4", ["transcript"]]],
  ]);
  expect(alerts(printed)).toEqual(expect.arrayContaining([HOLE, BYPASS]));
});

test("a server that is configured around its proxy is a bypass", async () => {
  const home = newHome();
  // As the proxy writes a call that it let pass. It knows no ids of the agent's.
  const proxied = (n: number): string => {
    const params = { name: "read", arguments: command(n) };
    const msg = { jsonrpc: "2.0", id: n, method: "tools/call", params };
    const server = { name: "desk", transport: "stdio", command: ["npx", "-y", "@desk/server"] };
    const head = { ts: iso(n), dir: "c2s", conn: "c", session: SESSION, server };
    return `${JSON.stringify({ ...head, msg, decision: { ...DECISION, rule: "servers.desk.tools.read" } })}\n`;
  };
  writeFileSync(join(home, "proxy.jsonl"), [1, 2, 5].map(proxied).join(""));
  const calls = [1, 2, 3].map((n) => transcriptLine(n, "mcp__desk__read"));
  writeFileSync(join(home, `${SESSION}.jsonl`), [...calls, transcriptLine(4, "mcp__other__read")].join(""));
  const paths = [join(home, "proxy.jsonl"), join(home, `${SESSION}.jsonl`)];
  const printed = documents((await tapline(home, ["scan", ...paths, "--out", "all"])).stdout);
  expect(told(printed, "bypass")).toEqual([["toolu_3", ["proxy"]]]);
  expect(actionsOf(printed, "hole").map((e) => field(e, "tapline.chokepoint.seen"))).toEqual([["proxy"]]);
});

test("over a real transcript: nothing where the hook decided on every call, exactly the one where it did not", async () => {
  const home = newHome();
  const path = "test/fixtures/claude-code/real.jsonl";
  const hooks: string[] = [];
  for (const record of documents(readFileSync(path, "utf8"))) {
    const content = field(record, "message.content") ?? field(record, "data.message.message.content");
    if (!Array.isArray(content)) continue;
    for (const block of content as { type?: string; id?: string; name?: string; input?: object }[]) {
      if (block.type !== "tool_use") continue;
      const { name: tool_name, input: tool_input, id: tool_use_id } = block;
      const call = { hook_event_name: "PreToolUse", tool_name, tool_input, tool_use_id };
      const payload = { session_id: record["sessionId"], ...call };
      hooks.push(
        `${JSON.stringify({ ts: record["timestamp"], hook: "claude-code", event: "PreToolUse", payload, decision: DECISION })}\n`,
      );
    }
  }
  expect(hooks.length).toBeGreaterThanOrEqual(5);
  const missing = async (lines: readonly string[]): Promise<number[]> => {
    writeFileSync(join(home, "hooks.jsonl"), lines.join(""));
    const { stdout } = await tapline(home, ["scan", join(home, "hooks.jsonl"), path, "--out", "all"]);
    const printed = documents(stdout);
    return [actionsOf(printed, "bypass").length, actionsOf(printed, "hole").length];
  };
  expect(await missing(hooks)).toEqual([0, 0]);
  // One of a tool that the hook decides on elsewhere.
  const names = hooks.map((line) => field(JSON.parse(line) as Document, "payload.tool_name"));
  const repeated = names.findIndex((name, i) => names.indexOf(name) < i);
  expect(await missing(hooks.toSpliced(repeated, 1))).toEqual([1, 0]);
});

test("a removed hook is a bypass, a deleted line is a hole, each with its alert, over a kill", async () => {
  const home = newHome();
  const project = join(home, "projects", "-w");
  const spool = join(home, "state", "spool");
  mkdirSync(project, { recursive: true });
  // 3: the hook was gone. 4: the line is gone.
  for (const n of [1, 2, 4, 5]) spoolHook(spool, n);
  writeFileSync(join(project, `${SESSION}.jsonl`), [1, 2, 3, 5].map((n) => transcriptLine(n)).join(""));
  const config = configure(home, {
    sources: {
      claude: { type: "file", include: [join(project, "*.jsonl")], format: "claude-code" },
      hooks: { type: "spool" },
    },
    sinks: { none: { type: "null" } },
  });
  const ledger = join(home, "state", "ledger");
  const until = async (done: (entries: Document[]) => boolean): Promise<Document[]> => {
    for (const end = Date.now() + WAIT_MS; ; await sleep(500)) {
      const entries = await entriesOf(ledger).catch(() => []);
      if (done(entries)) return entries;
      if (Date.now() > end) throw new Error(`waited for ${WAIT_MS} ms: ${entries.length} entries`);
    }
  };
  const first = start(home, "run", "-c", config);
  await until((entries) => actionsOf(entries, "tool-call").length === 8);
  first.kill("SIGKILL");
  await once(first, "close");
  expect(LIMITS.chokepoint_settle_ms).toBeLessThan(WAIT_MS / 2);

  const second = start(home, "run", "-c", config);
  const entries = await until((all) => actionsOf(all, "hole").length > 0);
  expect(told(entries, "bypass")).toEqual([["toolu_3", ["hook"]]]);
  expect(told(entries, "hole")).toEqual([["toolu_4", ["transcript"]]]);
  const [bypass] = actionsOf(entries, "bypass");
  checkDocument(bypass!);
  expect(bypass).toMatchObject({
    event: { module: "tapline", kind: "event" },
    gen_ai: { conversation: { id: SESSION }, tool: { name: "Bash" } },
    service: { name: "claude-code" },
    tapline: { backfill: true, vantage: "self" },
  });
  const cause = entries.find((e) => field(e, "event.id") === field(bypass!, "tapline.cause.event_id"));
  expect(field(cause!, "gen_ai.tool.call.id")).toBe("toolu_3");
  expect(alerts(entries)).toEqual(expect.arrayContaining([HOLE, BYPASS]));

  // Told once: another start says nothing new.
  second.kill("SIGTERM");
  await once(second, "close");
  const third = start(home, "run", "-c", config);
  await sleep(LIMITS.chokepoint_settle_ms / 3);
  third.kill("SIGTERM");
  await once(third, "close");
  const all = await entriesOf(ledger);
  expect([told(all, "bypass"), told(all, "hole")]).toEqual([
    [["toolu_3", ["hook"]]],
    [["toolu_4", ["transcript"]]],
  ]);
}, 180_000);
