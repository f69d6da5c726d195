// The embedded store: Parquet files written by a process of its own with a memory limit, which cannot take the
// collector down. This file starts that process, tells it ranges, and starts it again when it dies.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Component, Context, RangeSink, WriteResult } from "../core/stage.ts";
import type { Answer, Ask } from "./store-writer.ts";

const config = z
  .strictObject({
    type: z.literal("store"),
    path: z
      .string()
      .min(1)
      .optional()
      .describe("Directory; default: named like the sink, in the state directory"),
    memory_mb: z
      .int()
      .min(256)
      .default(LIMITS.store_memory_mb)
      .describe("Memory in MiB that DuckDB may use in the store's process"),
  })
  .describe("Parquet files on this machine, to be queried with DuckDB, pandas or Spark");

interface Pending {
  readonly id: number;
  resolve(result: WriteResult): void;
  reject(error: TaplineError): void;
}

const WRITER = fileURLToPath(new URL("./store-writer.ts", import.meta.url));

class StoreSink implements RangeSink {
  readonly #context: Context;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;
  #ready: Promise<void> = Promise.resolve();
  #pending: Pending | undefined;
  #deaths_ms: number[] = [];
  #id = 0;

  constructor(options: z.output<typeof config>, context: Context) {
    this.#context = context;
    const dir = options.path ?? join(context.state_dir, context.name);
    const ledger = join(context.state_dir, "ledger");
    this.#arguments = [dir, ledger, String(options.memory_mb)];
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#child === undefined) this.#ready = this.#start();
    await this.#ready;
  }

  async writeRange(first: number, end: number, signal: AbortSignal): Promise<WriteResult> {
    await this.open(signal);
    const id = ++this.#id;
    const answered = new Promise<WriteResult>((resolve, reject) => {
      this.#pending = { id, resolve, reject };
    });
    // A range given up goes on in the process; asked for again, it is there.
    const abort = (): void =>
      this.#pending?.reject(new TaplineError("STOPPED", "the store is stopping", { retry: true }));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    if (this.#child === undefined) this.#pending?.reject(died("it ended while it started"));
    const child = this.#child;
    child?.send({ id, first, end } satisfies Ask, (error) => {
      if (error === null) return;
      // Its end is counted, and tells why.
      if (this.#child === child) child.kill("SIGKILL");
      else this.#pending?.reject(died(reasonOf(error)));
    });
    try {
      return await answered;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#pending = undefined;
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMITS.store_wait_ms);
    const exited = once(child, "exit");
    child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #start(): Promise<void> {
    const child = fork(WRITER, this.#arguments, {
      execArgv: [`--max-old-space-size=${LIMITS.store_heap_mb}`],
      env: {}, // it needs nothing of ours, and secrets may be there
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMITS.store_start_ms);
    const ready = new Promise<void>((resolve, reject) => {
      child.on("message", (message: Answer) => {
        if (message.type === "ready") resolve();
        else this.#onAnswer(message);
      });
      child.on("error", (error) => reject(this.#onEnd(child, reasonOf(error))));
      child.on("exit", (code, name) => reject(this.#onEnd(child, name ?? `exit code ${code}`)));
    });
    return ready.finally(() => clearTimeout(timer));
  }

  #onAnswer(message: Exclude<Answer, { type: "ready" }>): void {
    if (message.type === "warn") return this.#context.log("warn", message.message);
    const pending = this.#pending;
    if (pending?.id !== message.id) return; // of a range that was given up
    if (message.type === "failed") {
      const { code, retry, remedy } = message;
      return pending.reject(
        new TaplineError(code, message.message, remedy === undefined ? { retry } : { retry, remedy }),
      );
    }
    pending.resolve({ created: message.created, existing: message.existing, dead: [], filtered: 0 });
  }

  #onEnd(child: ChildProcess, reason: string): TaplineError {
    if (this.#child !== child) return died(reason); // closed
    this.#child = undefined;
    const now_ms = this.#context.now();
    this.#deaths_ms = this.#deaths_ms.filter((at) => at > now_ms - LIMITS.store_death_window_ms);
    this.#deaths_ms.push(now_ms);
    const often = this.#deaths_ms.length >= LIMITS.store_deaths;
    const error = died(reason, often ? this.#deaths_ms.length : undefined);
    this.#pending?.reject(error);
    return error;
  }
}

function died(reason: string, often?: number): TaplineError {
  if (often === undefined)
    return new TaplineError("STORE_WRITER_DIED", `the store's process ended: ${reason}`, { retry: true });
  return new TaplineError(
    "STORE_WRITER_DIED",
    `the store's process ended ${often} times in a minute, last: ${reason}`,
    {
      remedy:
        "give it more memory (memory_mb), or move the store's directory away: it is made again from the ledger",
    },
  );
}

export default {
  config,
  create: (options, context) => new StoreSink(options, context),
} satisfies Component<typeof config, RangeSink>;
