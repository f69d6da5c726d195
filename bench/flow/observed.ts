// A collector as users run it, and what can be seen of it from outside: its alerts where they arrive, its status file, its
// process. Arrival is when the line is in the alert file, or when `_bulk` has been answered; with the address of a cluster
// requests go on to it, and its answer counts.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, readSync, watch, writeFileSync } from "node:fs";
import { type IncomingMessage, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endProcess } from "./processes.ts";

const MAIN = resolve(import.meta.dirname, "../../bin/tapline.js");
const CREATED = '{"create":{"status":201}}';
const PROBE = /"name":"probe-(\d+)"/;
const START_MS = 60_000;

/** Number of a probe → when its alert had arrived. */
export class Arrivals {
  readonly at = new Map<number, number>();
  documents = 0;

  /** Lines of documents; what is left of the last is given back. */
  take(text: string): string {
    const end = text.lastIndexOf("\n") + 1;
    const now = performance.now();
    for (const line of text.slice(0, end).split("\n")) {
      if (line === "") continue;
      this.documents++;
      if (!line.includes('"kind":"alert"')) continue;
      const number = PROBE.exec(line)?.[1];
      if (number !== undefined && !this.at.has(Number(number))) this.at.set(Number(number), now);
    }
    return text.slice(end);
  }
}

/** Reads what is appended to a file as soon as it is. Returns what ends it. */
export function watchFile(path: string, arrivals: Arrivals): () => void {
  writeFileSync(path, "");
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(4 << 20);
  let rest = "";
  const watcher = watch(path, () => {
    for (;;) {
      const length = readSync(file, buffer);
      if (length === 0) return;
      rest = arrivals.take(rest + buffer.toString("latin1", 0, length));
    }
  });
  return () => {
    watcher.close();
    closeSync(file);
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** An endpoint for `_bulk`, alone or before a cluster. */
export async function openEndpoint(
  arrivals: Arrivals,
  upstream?: string,
): Promise<{ url: string; close: () => void }> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await bodyOf(incoming);
      const bulk = incoming.url!.includes("_bulk");
      if (upstream !== undefined) {
        const { method, url } = incoming;
        const { host: _, ...headers } = incoming.headers;
        const out = request(new URL(url!, upstream), { method, headers });
        out.end(body);
        const [answer] = (await once(out, "response")) as [IncomingMessage];
        const text = await bodyOf(answer);
        if (bulk) arrivals.take(body.toString("latin1"));
        return response.writeHead(answer.statusCode!, answer.headers).end(text);
      }
      response.writeHead(200, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
      if (!bulk) return response.end("{}");
      const before = arrivals.documents;
      arrivals.take(body.toString("latin1"));
      const items = (arrivals.documents - before) / 2;
      return response.end(
        `{"errors":false,"took":1,"items":[${Array.from({ length: items }, () => CREATED).join()}]}`,
      );
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

export class Collector {
  readonly #child: ChildProcess;
  readonly #state: string;
  #said = "";

  /** Everything of it lies in `dir`; `options` go to Node. */
  constructor(dir: string, config: object, options: readonly string[] = []) {
    this.#state = join(dir, "state");
    const path = join(dir, "tapline.json");
    writeFileSync(path, JSON.stringify({ state_dir: this.#state, host: "bench", ...config }));
    const env = { ...process.env, HOME: dir, XDG_STATE_HOME: dir, XDG_CONFIG_HOME: dir };
    this.#child = spawn(process.execPath, [...options, MAIN, "run", "-c", path], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const hear = (chunk: Buffer): void => void (this.#said = (this.#said + chunk.toString()).slice(-4_000));
    this.#child.stdout!.on("data", hear);
    this.#child.stderr!.on("data", hear);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Records read, and entries that the sink does not have yet; undefined before the first status. */
  get status(): { read: number; pending: number } | undefined {
    if (this.#child.exitCode !== null)
      throw new Error(`the collector ended with ${this.#child.exitCode}: ${this.#said}`);
    const path = join(this.#state, "status.json");
    if (!existsSync(path)) return undefined;
    const status = JSON.parse(readFileSync(path, "utf8")) as {
      tally: { read: number };
      in_flight: number;
      sinks: { pending: number }[];
    };
    return {
      read: status.tally.read,
      pending: status.in_flight + Math.max(0, ...status.sinks.map(({ pending }) => pending)),
    };
  }

  async until(what: string, holds: () => boolean, limit_ms: number = START_MS): Promise<boolean> {
    const deadline = performance.now() + limit_ms;
    while (!holds()) {
      void this.status;
      if (performance.now() > deadline) {
        console.log(`  waited ${limit_ms / 1_000} s in vain: ${what}`);
        return false;
      }
      await sleep(20);
    }
    return true;
  }

  async stop(): Promise<void> {
    await endProcess(this.#child, 30_000);
  }
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
