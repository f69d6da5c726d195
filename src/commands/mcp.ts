// `tapline mcp`: the chokepoint for MCP. Puts policy, spool and gate together for a server that is started here, or for one
// that is reached over HTTP. Imports what it needs and no more: it starts with every agent.
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { basename, join, resolve } from "node:path";
import { Gate } from "../chokepoint/gate.ts";
import { Recorder, envelopeOf } from "../chokepoint/recorder.ts";
import { SpoolWriter } from "../chokepoint/spool-writer.ts";
import { stateHome } from "../core/home.ts";
import { startedAt } from "../core/process-start.ts";
import type { ServerIdentity } from "../policy/contract.ts";
import { type OpenPolicy, openPolicy, policyPlace } from "../policy/open.ts";
import { type Command, UsageError, readArgs, readConfig } from "./usage.ts";

const OPTIONS = {
  config: { type: "string", short: "c" },
  server: { type: "string" },
  policy: { type: "string" },
  spool: { type: "string" },
  durability: { type: "string" },
  listen: { type: "string" },
  upstream: { type: "string" },
} as const;

type Values = { readonly [K in keyof typeof OPTIONS]?: string | undefined };

// Nobody may be there to read it.
process.stderr.on("error", () => {});

function warn(message: string): void {
  process.stderr.write(`tapline mcp: ${message}\n`);
}

/** Runs programs of others: the name of a server is what they run. */
const RUNNERS = new Set(
  "npx bunx uvx uv pipx pnpm yarn node deno bun python python3 docker podman sh bash env".split(" "),
);

/** A name for a server that was given none: the program, or what it was asked to run. */
export function nameOf(command: readonly string[]): string {
  const words = command.filter(
    (word) => !word.startsWith("-") && !["run", "dlx", "exec", "tool"].includes(word),
  );
  const word = words.find((w) => !RUNNERS.has(basename(w))) ?? command[0]!;
  return (basename(word).replace(/@[^@/]+$/, "") || word).replace(/\.(js|mjs|cjs|ts|py)$/, "");
}

interface Parts {
  readonly policy: OpenPolicy;
  readonly recorder: Recorder;
  readonly user: string | undefined;
}

async function open(values: Values): Promise<Parts> {
  const { durability = "process" } = values;
  if (durability !== "process" && durability !== "disk")
    throw new UsageError(`--durability takes process or disk, not "${durability}"`);
  // Without a configuration its schema is not loaded: that takes longer than all the rest.
  const configured = values.config !== undefined || process.env["TAPLINE_CONFIG"] !== undefined;
  const config = configured ? await readConfig(values.config) : { state_dir: stateHome(), policy: undefined };
  const state_dir = resolve(config.state_dir);
  const { path, required } = policyPlace(values.policy ?? config.policy, state_dir);
  const policy = await openPolicy(path, { state_dir, watch: true, required, onProblem: warn });
  const dir = resolve(values.spool ?? join(state_dir, "spool"));
  const recorder = new Recorder(() => new SpoolWriter({ dir, kind: "mcp", durability }), warn);
  return { policy, recorder, user: userName() };
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // no entry for this user id
  }
}

/** Ends as the server did, whatever is still open: the client may keep its end. */
async function exitAs(code: number | null, signal: NodeJS.Signals | null): Promise<never> {
  await new Promise((done) => process.stderr.write("", done));
  if (signal !== null) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    await new Promise((done) => setTimeout(done, 100)); // it may be one that ends nothing
  }
  process.exit(code ?? 1);
}

/** Address and port of `--listen`. */
function addressOf(text: string): { readonly address: string; readonly port: number } {
  const m = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text);
  if (m === null || Number(m[2]) > 65_535)
    throw new UsageError(`--listen takes an address and a port, such as 127.0.0.1:8765, not "${text}"`);
  return { address: m[1]!, port: Number(m[2]) };
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new UsageError("--upstream takes an http or https URL without user and password");
  return url;
}

async function overHttp(values: Values): Promise<number> {
  const { listenHttp } = await import("../chokepoint/mcp-http.ts");
  if (values.listen === undefined || values.upstream === undefined)
    throw new UsageError("--listen and --upstream go together");
  const { address, port } = addressOf(values.listen);
  const upstream = urlOf(values.upstream);
  const { policy, recorder } = await open(values);
  const url = upstream.origin + upstream.pathname;
  const server: ServerIdentity = { name: values.server ?? upstream.hostname, transport: "http", url };
  const gate = new Gate({ policy, recorder, server, user: undefined, cwd: undefined });
  const ends = {
    conn: randomBytes(8).toString("hex"),
    server,
    client: {},
    user: undefined,
    agent: undefined,
  };
  const envelope = envelopeOf(ends);
  const listener = await listenHttp({ address, port, upstream, gate, warn });
  recorder.notice(envelope, "c2s", { type: "start", reason: "The proxy started.", policy: policy.hash });
  warn(`listening on ${listener.url}`);
  const signal = await new Promise<string>((done) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => done(name));
  });
  await listener.close();
  policy.close();
  const { counts } = gate.decisions;
  recorder.end(envelope, { type: "stop", reason: `The proxy was stopped by ${signal}.`, details: counts });
  return 0;
}

async function overStdio(command: readonly string[], values: Values): Promise<number> {
  const { runStdio } = await import("../chokepoint/mcp-stdio.ts");
  const { policy, recorder, user } = await open(values);
  const server: ServerIdentity = { name: values.server ?? nameOf(command), transport: "stdio", command };
  const client = { pid: process.ppid, started: startedAt(process.ppid), cwd: process.cwd() };
  const ends = { conn: randomBytes(8).toString("hex"), server, client, user };
  const gate = new Gate({ policy, recorder, server, user, cwd: process.cwd() });
  const envelope = envelopeOf({ ...ends, agent: undefined });
  recorder.notice(envelope, "c2s", { type: "start", reason: "The proxy started.", policy: policy.hash });
  try {
    const { code, signal, envelope: last } = await runStdio({ command, gate, ends });
    const reason = signal === null ? `The server ended with code ${code}.` : `The server ended by ${signal}.`;
    const { counts } = gate.decisions;
    recorder.end(last, { type: "stop", reason, exit_code: code ?? undefined, details: counts });
    return await exitAs(code, signal);
  } catch (error) {
    recorder.end(envelope, { type: "stop", reason: "The server could not be started." });
    throw error;
  } finally {
    policy.close();
  }
}

export const mcp: Command = {
  help: `usage: tapline mcp [--server NAME] [options] -- COMMAND [ARGUMENT…]
       tapline mcp [--server NAME] [options] --listen ADDRESS:PORT --upstream URL

  COMMAND         starts the server; the proxy takes its place in the client's configuration
  --listen        address and port to listen on, such as 127.0.0.1:8765; port 0 takes any
  --upstream URL  the server's URL: Streamable HTTP, or the older HTTP with server-sent events
  --server NAME   name of the server in policy and events (default: from the command or the URL)
  -c, --config FILE  the collector's configuration: policy, and state directory with pins and spool (default:
                  TAPLINE_CONFIG, else ~/.local/state/tapline). Give the one that \`tapline run\` has
  --policy FILE   the policy (default: that of the configuration, else policy.yml in the state directory; without
                  one everything is allowed and recorded)
  --spool DIR     where records are written for \`tapline run\` (default: spool in the state directory)
  --durability    process (default): a record survives the death of the proxy; disk: that of the machine

What passes is passed on byte by byte. A decision is recorded before the call passes; where that cannot be done, calls that
policy enforces are refused. Ends with the exit code of the server.`,
  async run(argv) {
    const split = argv.indexOf("--");
    const command = split < 0 ? [] : argv.slice(split + 1);
    const { values } = readArgs(split < 0 ? argv : argv.slice(0, split), { options: OPTIONS });
    if (values.listen === undefined && values.upstream === undefined) {
      if (command.length === 0)
        throw new UsageError("name the server's command after --, or --listen and --upstream");
      return overStdio(command, values);
    }
    if (command.length > 0) throw new UsageError("a server is started here, or reached over HTTP: not both");
    return overHttp(values);
  },
};
