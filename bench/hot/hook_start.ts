// What an agent's hook costs above a Node that does nothing: user and system CPU of whole processes, bare and hook in
// turns of a few runs each, so that both meet the same machine.
// node bench/hot/hook_start.ts [runs]
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { sha256, write } from "../../src/policy/compiled.ts";
import { compiledPath } from "../../src/policy/open.ts";
import { parsePolicy } from "../../src/policy/parse.ts";

const BUNDLE = resolve("bin/tapline-hook.cjs");
/** The kernel counts the time of ended children in ticks of 10 ms: a turn is long against one. */
const TURN = 10;
const TICK_MS = 10;
const SERVERS = 40;
const runs = Number(process.argv[2] ?? 20);

const home = mkdtempSync(join(tmpdir(), "tapline-bench-hook-"));
const state = join(home, "state");
const policy = join(home, "policy.yml");
const servers = Array.from({ length: SERVERS }, (_, i) => `server-${i}`);
const text = `version: 1
mode: enforce
servers:
${servers.map((name) => `  ${name}: { package: "@example/${name}", tools: { delete_all: deny, send: ask } }`).join("\n")}
agent_tools: { WebFetch: deny, Bash: { arguments: { command: { max_bytes: 4096 } } } }
`;
writeFileSync(policy, text);
writeFileSync(compiledPath(policy), write(parsePolicy(text, policy), sha256(text)).text);
mkdirSync(join(home, "project"));
writeFileSync(
  join(home, ".claude.json"),
  JSON.stringify({
    mcpServers: Object.fromEntries(
      servers.map((name) => [name, { command: "npx", args: ["-y", `@example/${name}`] }]),
    ),
    history: Array.from({ length: 2_000 }, (_, i) => ({ display: `prompt ${i} `.repeat(10) })),
  }),
);

const base = {
  session_id: "s",
  transcript_path: "/t",
  cwd: join(home, "project"),
  permission_mode: "default",
};
const call = { ...base, hook_event_name: "PreToolUse", tool_use_id: "toolu_1" };
const own = { ...call, tool_name: "Bash", tool_input: { command: "ls -l", description: "List" } };
const mcp = {
  ...call,
  tool_name: "mcp__server-7__read",
  tool_input: { id: 7 },
  mcp_server: { name: "server-7", source: "user" },
};
const news = {
  ...base,
  hook_event_name: "PostToolUse",
  tool_name: "Bash",
  tool_response: { stdout: "x".repeat(4_000) },
};

function ticks(): number {
  const fields = readFileSync("/proc/self/stat", "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return Number(fields[13]) + Number(fields[14]);
}

/** CPU of one run in ms, over a turn. */
function turn(words: readonly string[], input: string, env: NodeJS.ProcessEnv): number {
  const before = ticks();
  for (let i = 0; i < TURN; i++) {
    const { status, stderr } = spawnSync(process.execPath, words, { input, env });
    if (status !== 0) throw new Error(`exit code ${status}: ${stderr.toString()}`);
  }
  return ((ticks() - before) * TICK_MS) / TURN;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const hook = (event: string): string[] => [
  BUNDLE,
  "claude-code",
  event,
  "--state",
  state,
  "--policy",
  policy,
];
const env = { HOME: home, PATH: process.env["PATH"] };
const cases: [string, string[], object, NodeJS.ProcessEnv][] = [
  ["a tool of the agent", hook("PreToolUse"), own, env],
  ["a tool of an MCP server", hook("PreToolUse"), mcp, env],
  ["news", hook("PostToolUse"), news, env],
  [
    "a tool of the agent, compile cache",
    hook("PreToolUse"),
    own,
    { ...env, NODE_COMPILE_CACHE: join(home, "cache") },
  ],
];
for (const [name, words, payload, environment] of cases) {
  const [bare, held]: [number[], number[]] = [[], []];
  for (let i = 0; i < Math.max(1, runs / TURN); i++) {
    bare.push(turn(["-e", "0"], "", env));
    held.push(turn(words, JSON.stringify(payload), environment));
    rmSync(join(state, "spool"), { recursive: true, force: true });
  }
  const above = held.map((ms, i) => ms - bare[i]!);
  const told = { case: name, runs: held.length * TURN, bare_cpu_ms: median(bare), hook_cpu_ms: median(held) };
  console.log(JSON.stringify({ ...told, above_cpu_ms: +median(above).toFixed(1) }));
}
rmSync(home, { recursive: true, force: true });
