// A user's machine for tests of the hook: a home with each client's own configuration of one server, a policy that says
// allow, deny and ask of its tools, and the hook as clients run it: the bundle, in a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { sha256, write } from "../../../src/policy/compiled.ts";
import { compiledPath } from "../../../src/policy/open.ts";
import { parsePolicy } from "../../../src/policy/parse.ts";

export const BUNDLE = resolve("bin/tapline-hook.cjs");
const NODE = resolve("node_modules/node/bin/node");
const SERVER = { command: "npx", args: ["-y", "@desk/server"] };
const TIMEOUT_MS = 60_000;

const policyText = (mode: string): string => `version: 1
mode: ${mode}
servers:
  desk:
    command: [npx, -y, "@desk/server"]
    tools:
      read_note: allow
      drop_all: deny
      send_mail: ask
agent_tools:
  WebFetch: deny
`;

export interface World {
  readonly home: string;
  readonly state: string;
  readonly policy: string;
}

function put(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
}

export function newWorld(mode: "enforce" | "observe" = "enforce"): World {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "tapline-hook-")));
  const servers = { mcpServers: { desk: SERVER } };
  put(join(home, ".claude.json"), servers);
  put(
    join(home, ".codex/config.toml"),
    '[mcp_servers.desk]\ncommand = "npx"\nargs = ["-y", "@desk/server"]\n',
  );
  put(join(home, ".cursor/mcp.json"), servers);
  put(join(home, ".gemini/settings.json"), servers);
  put(join(home, ".copilot/mcp-config.json"), servers);
  put(join(home, ".codeium/windsurf/mcp_config.json"), servers);
  put(join(home, ".kiro/settings/mcp.json"), servers);
  const policy = join(home, "policy.yml");
  const text = policyText(mode);
  put(policy, text);
  put(compiledPath(policy), write(parsePolicy(text, policy), sha256(text)).text);
  mkdirSync(join(home, "work"));
  return { home, state: join(home, "state"), policy };
}

export function remove(world: World): void {
  rmSync(world.home, { recursive: true, force: true });
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Environment of the client: nothing of the one that runs the tests. */
export function environment(world: World): NodeJS.ProcessEnv {
  return { HOME: world.home, PATH: process.env["PATH"] };
}

export async function run(
  world: World,
  words: readonly string[],
  input: string | Buffer,
  fail?: string,
): Promise<Ended> {
  const options = [
    "--state",
    world.state,
    "--policy",
    world.policy,
    ...(fail === undefined ? [] : ["--fail", fail]),
  ];
  const child: ChildProcess = spawn(NODE, [BUNDLE, ...words, ...options], {
    env: environment(world),
    cwd: join(world.home, "work"),
    stdio: "pipe",
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin!.on("error", () => {});
  child.stdin!.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code };
}

export interface Line {
  readonly hook: string;
  readonly event: string;
  readonly payload: Record<string, unknown>;
  readonly decision?: {
    readonly verdict: string;
    readonly mode: string;
    readonly action: string;
    readonly rule: string;
    readonly policy: string;
    readonly decider: string;
    readonly latency_us: number;
  };
  readonly [key: string]: unknown;
}

/** What the spool holds: a file a run, one line each. */
export function spooled(world: World): Line[] {
  const dir = join(world.state, "spool");
  return readdirSync(dir).flatMap((name) => {
    const text = readFileSync(join(dir, name), "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  });
}
