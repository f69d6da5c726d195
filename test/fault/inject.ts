// Runs the real collector under strace, which ends it, or makes a system call fail, at a place that is chosen; then lets it
// go on unharmed and checks what there is: ledger, file, cluster, dead letters, counters. Linux with strace only.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, vi } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { openDeadLetters } from "../../src/sinks/dead-letters.ts";
import type { Status } from "../../src/status.ts";
import { NODE, actionsOf, configure, documents, entriesOf, field, newHome } from "../commands/tapline.ts";
import { BulkProxy } from "./bulk-proxy.ts";

const MAIN = resolve("bin/tapline.js");
/** Calls that change what is on the disk. */
const CALLS =
  "write,writev,pwrite64,pwritev,fdatasync,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,ftruncate";
const HANGS_MS = 90_000;

/** Undefined when system calls can be tampered with here, else why not. */
export function whyNot(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const tried = spawnSync("strace", ["-f", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"]);
  if (tried.error !== undefined) return "needs strace (apt-get install strace)";
  return tried.status === 0 ? undefined : "strace may not trace processes here";
}

/** A call that a run made: the n-th of its name in its thread, and the n-th of its name on this path. */
export interface Point {
  readonly call: string;
  readonly in_thread: number;
  readonly path: string;
  readonly on_path: number;
}

/** What a collector is started with and in. */
export interface Around {
  readonly before?: readonly string[];
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

/** One in seventy calls is one that the cluster never takes. */
const line = (n: number): string =>
  `${JSON.stringify({
    ts: new Date(Date.UTC(2026, 10, 20) + n * 1000).toISOString(),
    dir: "c2s",
    session: `s${n % 5}`,
    server: { name: "disk" },
    msg: {
      jsonrpc: "2.0",
      id: n,
      method: "tools/call",
      params: {
        name: n % 70 === 3 ? "refused" : "write",
        arguments: { n, text: "x".repeat(n % 300) },
        _meta: { "claudecode/toolUseId": `call-${n}` },
      },
    },
  })}\n`;

/** A collector's home: one file that is read, a file and a cluster as sinks. */
export class Bench {
  readonly home = newHome();
  readonly config: string;
  readonly proxy: BulkProxy;
  readonly state = join(this.home, "state");
  readonly #log = join(this.home, "logs", "mcp.jsonl");
  readonly #out = join(this.home, "out", "events.ndjson");
  readonly #started: ChildProcess[] = [];
  #lines = 0;
  /** What the cluster held when the state was kept. */
  #there: [string, Map<string, string>[]][] = [];

  private constructor(proxy: BulkProxy, url: string, more: object) {
    this.proxy = proxy;
    proxy.refuse = ({ lines }) => (lines.includes('"name":"refused"') ? 400 : undefined);
    mkdirSync(join(this.home, "logs"));
    mkdirSync(join(this.home, "out"));
    writeFileSync(this.#log, "");
    this.config = configure(this.home, {
      workers: 1,
      bundled_rules: false,
      sources: { agents: { type: "file", include: [this.#log], format: "mcp" } },
      sinks: {
        out: { type: "file", path: this.#out },
        cluster: { type: "opensearch", url, timeout_s: 5 },
      },
      ...more,
    });
  }

  static async open(more: object = {}): Promise<Bench> {
    const proxy = new BulkProxy({ product: "opensearch" });
    return new Bench(proxy, await proxy.start(), more);
  }

  close(): Promise<void> {
    for (const child of this.#started)
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    return this.proxy.stop();
  }

  /** `path`: where the file is, when not where it is read. */
  append(count: number, path: string = this.#log): void {
    const from = this.#lines;
    this.#lines += count;
    const text = Array.from({ length: count }, (_, i) => line(from + i)).join("");
    writeFileSync(path, text, { flag: "a" });
  }

  /** Remembers how things are now. */
  keep(): void {
    for (const name of ["state", "out"]) {
      rmSync(join(this.home, `${name}.kept`), { recursive: true, force: true });
      if (existsSync(join(this.home, name)))
        cpSync(join(this.home, name), join(this.home, `${name}.kept`), { recursive: true });
    }
    this.#there = structuredClone([...this.proxy.truth!.streams]);
  }

  /** Goes back to what was remembered. */
  restore(): void {
    for (const name of ["state", "out"]) {
      rmSync(join(this.home, name), { recursive: true, force: true });
      const kept = join(this.home, `${name}.kept`);
      if (existsSync(kept)) cpSync(kept, join(this.home, name), { recursive: true });
    }
    this.proxy.truth!.streams.clear();
    for (const [name, indices] of structuredClone(this.#there)) this.proxy.truth!.streams.set(name, indices);
  }

  /** What the collector told last. */
  status(): Status | undefined {
    const path = join(this.state, "status.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Status) : undefined;
  }

  /** Resolves when the collector with this id has read so many records and its sinks have them. */
  async settled(pid: number, read: number): Promise<void> {
    await vi.waitFor(
      () => {
        const status = this.status();
        expect([status?.pid, status?.tally.read]).toEqual([pid, read]);
        expect(status!.sinks.every(({ pending }) => pending === 0)).toBe(true);
      },
      { timeout: 60_000, interval: 50 },
    );
  }

  /** Starts `tapline run`, under strace when there are options for it. One thread does the work on files, so that the same
   * calls come in about the same order. */
  start(args: readonly string[], around: Around = {}): ChildProcess {
    const command = [
      ...(around.before ?? []),
      NODE,
      ...(around.node ?? []),
      MAIN,
      "run",
      "-c",
      this.config,
      ...args,
    ];
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, HOME: this.home, UV_THREADPOOL_SIZE: "1", UV_USE_IO_URING: "0", ...around.env },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    this.#started.push(child);
    return child;
  }

  /** Reads what is there, to the end or to what befalls it. */
  run(around: Around = {}): Promise<Ended> {
    return this.ended(this.start(["--once"], around));
  }

  /** The same, with these options of strace. */
  traced(...options: string[]): Promise<Ended> {
    return this.run({ before: ["strace", "-f", "-qq", ...options] });
  }

  async ended(child: ChildProcess, hangs_ms = HANGS_MS): Promise<Ended> {
    let stderr = "";
    child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      process.kill(-child.pid!, "SIGKILL"); // it, and who traces it
    }, hangs_ms);
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    clearTimeout(timer);
    expect(hung, `the collector hung: ${stderr}`).toBe(false);
    return { code, signal, stderr };
  }

  /** The calls that a run makes which change something in its own directories. */
  async points(): Promise<Point[]> {
    const log = join(this.home, "strace.log");
    const { code, stderr } = await this.traced("-y", "-o", log, "-e", `trace=${CALLS}`);
    expect([code, stderr]).toEqual([0, ""]);
    const counts = new Map<string, number>();
    const next = (key: string): number => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return counts.get(key)!;
    };
    const points: Point[] = [];
    for (const text of readFileSync(log, "utf8").split("\n")) {
      const [, thread, call, rest] = /^(\d+) +(\w+)\((.*)/.exec(text) ?? [];
      if (call === undefined) continue;
      const in_thread = next(`${thread} ${call}`);
      const path = /^[^"]*?(?:<|")(\/[^">]+)/.exec(rest!)?.[1];
      const ours = path?.startsWith(`${this.state}/`) === true || path?.startsWith(join(this.home, "out/"));
      if (path !== undefined && ours === true)
        points.push({ call, in_thread, path, on_path: next(`${call} ${path}`) });
    }
    return points;
  }

  /** After an unharmed run: everything is everywhere once, in order, and accounted for. */
  async check(saved: readonly string[] = []): Promise<void> {
    const ledger = join(this.state, "ledger");
    const entries = await entriesOf(ledger);
    const calls = actionsOf(entries, "tool-call").map((entry) => field(entry, "gen_ai.tool.call.id"));
    expect(calls, "calls in the ledger, in the order of the file").toEqual(
      Array.from({ length: this.#lines }, (_, n) => `call-${n}`),
    );
    const ids = entries.map((entry) => field(entry, "event.id") as string);
    expect(new Set(ids).size, "ids in the ledger").toBe(ids.length);
    const status = this.status()!;
    expect([status.broken, status.tally.read]).toEqual([[], this.#lines]);
    const acked = (name: string): number => {
      const sink = status.sinks.find((one) => one.name === name)!;
      return entries.length - sink.pending;
    };
    const written = documents(readFileSync(this.#out, "utf8")).map((entry) => field(entry, "event.id"));
    expect(written, "the file").toEqual(ids.slice(0, written.length));
    expect(written.length).toBeGreaterThanOrEqual(acked("out"));

    const refused = new Set(ids.filter((_, i) => field(entries[i]!, "gen_ai.tool.name") === "refused"));
    const there = this.proxy.truth!.documents().map(({ id }) => id);
    expect(new Set(there).size, "documents in the cluster, none of them twice").toBe(there.length);
    const missing = ids.slice(0, acked("cluster")).filter((id) => !refused.has(id) && !there.includes(id));
    expect(missing, "documents that the cluster lacks").toEqual([]);
    const last_call = entries.findLastIndex((entry) => field(entry, "event.action") === "tool-call");
    expect(acked("cluster"), "the calls are acknowledged").toBeGreaterThan(last_call);
    const letters = await openDeadLetters(this.state, "cluster").list();
    expect(letters.map((letter) => letter.id).toSorted(), "dead letters").toEqual([...refused].toSorted());
    const { findings } = await verifyLedger(ledger, { checkpoints: saved });
    expect(findings).toEqual([]);
  }

  /** What lies in the ledger's place for a checkpoint now, kept aside. */
  savedCheckpoint(): string[] {
    const path = join(this.state, "ledger", "checkpoint");
    if (!existsSync(path)) return [];
    const saved = join(this.home, "checkpoint.saved");
    cpSync(path, saved);
    return [saved];
  }
}
