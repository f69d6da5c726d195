// Runs `tapline mcp` as a client's configuration would, and reads what it wrote. Everything started is ended at the end.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll } from "vitest";
import type { Event } from "../../src/core/generated/event.ts";
import { mcp } from "../../src/normalise/formats/mcp.ts";
import { mapRecords } from "../normalise/harness.ts";

export const NODE =
  Number(process.versions.node.split(".")[0]) >= 24
    ? process.execPath
    : resolve("node_modules/node/bin/node");
const MAIN = resolve("src/main.ts");

const started: ChildProcess[] = [];
const dirs: string[] = [];
const clients: Client[] = [];
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close().catch(() => {})));
  for (const child of started) if (child.exitCode === null) child.kill("SIGKILL");
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

export function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-proxy-"));
  dirs.push(dir);
  return dir;
}

export type Line = Record<string, unknown> & { readonly msg?: Record<string, unknown> };

/** A directory with a policy, and the spool that proxies write there. */
/** Of a segment; "" when a collector has taken it since it was listed. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

export class Home {
  readonly dir: string = newDir();
  readonly spool: string = join(this.dir, "spool");

  /** Writes the policy (JSON is YAML). */
  policy(policy: object): this {
    writeFileSync(join(this.dir, "policy.yml"), JSON.stringify({ version: 1, ...policy }));
    return this;
  }

  get env(): Record<string, string> {
    const { PATH } = process.env;
    return { PATH: PATH!, HOME: this.dir, XDG_STATE_HOME: join(this.dir, "state") };
  }

  args(...rest: string[]): string[] {
    const policy = readdirSync(this.dir).includes("policy.yml")
      ? ["--policy", join(this.dir, "policy.yml")]
      : [];
    return [MAIN, "mcp", "--spool", this.spool, ...policy, ...rest];
  }

  start(...rest: string[]): ChildProcess {
    const child = spawn(NODE, this.args(...rest), { env: this.env, stdio: ["pipe", "pipe", "pipe"] });
    started.push(child);
    return child;
  }

  /** A client that reaches the server through the proxy. */
  async client(
    command: readonly string[],
    options: { capabilities?: object; name?: string } = {},
  ): Promise<Client> {
    const client = new Client(
      { name: "test-client", version: "1.2.3" },
      { capabilities: options.capabilities ?? {} },
    );
    const name = options.name === undefined ? [] : ["--server", options.name];
    const args = this.args(...name, "--", ...command);
    await client.connect(new StdioClientTransport({ command: NODE, args, env: this.env, stderr: "pipe" }));
    clients.push(client);
    return client;
  }

  /** Starts a listener in front of `upstream`; returns its URL and process. */
  async listen(upstream: string, ...rest: string[]): Promise<{ url: string; child: ChildProcess }> {
    const child = this.start("--listen", "127.0.0.1:0", "--upstream", upstream, ...rest);
    const url = await lineOf(child.stderr!, /listening on (\S+)/);
    return { url, child };
  }

  /** Lines of the spool, in order. */
  lines(): Line[] {
    let names: string[] = [];
    try {
      names = readdirSync(this.spool);
    } catch {
      // nothing was written
    }
    return names
      .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .flatMap((name) => textOf(join(this.spool, name)).split("\n"))
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }

  events(): Partial<Event>[] {
    return mapRecords(mcp, this.lines()).events;
  }
}

/** What a pattern finds in a stream of text. */
export async function lineOf(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    const match = pattern.exec(text);
    if (match !== null) found(match[1]!);
  });
  stream.on("end", () => reject(new Error(`not found: ${text}`)));
  return promise;
}

/** Starts a program of the tests, which prints the port that it listens on. */
export async function startTarget(
  path: string,
  ...args: string[]
): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(NODE, [resolve(path), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const port = await lineOf(child.stdout, /^(\d+)\n/);
  return { url: `http://127.0.0.1:${port}/mcp`, child };
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const gone = once(child, "exit");
  child.kill(signal);
  const [code] = (await gone) as [number | null];
  return code;
}
