// Source `otlp`: agents export to it over OTLP/HTTP. A request is answered with success when its records are durable in
// the ledger, and one that is sent again is recognised; so what was acknowledged is there, after any crash.
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Component, Context, Position, RawBatch, Router, Source } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { Bearer, type TokenOptions } from "../core/bearer.ts";
import { captureSchema } from "./options.ts";
import { isLoopback, listenAddress } from "../core/own-hosts.ts";
import { type Exported, OtlpServer } from "./otlp-http.ts";
import type { Signal } from "./otlp-messages.ts";
import { Queue } from "./otlp-queue.ts";
import type { Received, Taken } from "./otlp-taken.ts";
import { type Encoding, type Lines, cutRequest } from "./otlp-records.ts";
import { Busy, Refusal } from "./otlp-refusal.ts";

const config = z
  .strictObject({
    type: z.literal("otlp"),
    listen: z
      .string()
      .refine((text) => listenAddress(text) !== undefined, {
        error: "an address and a port, such as 127.0.0.1:4318",
      })
      .default("127.0.0.1:4318")
      .describe("Address and port to listen on; beyond loopback a token is needed"),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Names, beside loopback's and that of `listen`, by which clients may call the receiver (Host header)",
      ),
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe("File that holds the bearer token that clients have to show, or `sha256:` and its digest"),
    token_env: z.string().min(1).optional().describe("Environment variable that holds the same"),
    capture: captureSchema.prefault({}),
  })
  .superRefine(({ listen, token_file, token_env }, context) => {
    if (token_file !== undefined && token_env !== undefined)
      context.addIssue("only one of token_file and token_env");
    const address = listenAddress(listen);
    if (
      address !== undefined &&
      !isLoopback(address.host) &&
      token_file === undefined &&
      token_env === undefined
    )
      context.addIssue(`${listen} can be reached from elsewhere: token_file or token_env is needed`);
  })
  .describe("Receives logs and traces over OTLP/HTTP; metrics are answered and counted, not kept");

class OtlpSource implements Source {
  readonly #options: z.output<typeof config>;
  readonly #token: TokenOptions;
  readonly #context: Context;
  readonly #counts: Record<string, number> = {};
  #queue: Queue | undefined;
  #server: OtlpServer | undefined;
  #wake: () => void = () => {};
  /** Ends every wait for durability. */
  readonly #stop = new AbortController();

  constructor(options: z.output<typeof config>, context: Context) {
    this.#options = options;
    this.#token = options;
    this.#context = context;
  }

  async open(positions: ReadonlyMap<string, Position>, router: Router): Promise<void> {
    const { listen, hosts, capture } = this.#options;
    const common = { source: this.#context.name, path: `otlp://${listen}`, capture };
    const queue = new Queue(router, common);
    for (const [key, position] of positions) {
      const known = queue.window.restore(key, position) || queue.streams.restore(key, position);
      if (!known) this.#context.log("warn", `the position ${key} is none of OTLP and is left alone`);
    }
    queue.window.sort();
    this.#queue = queue;
    this.#server = new OtlpServer({
      listen: listenAddress(listen)!,
      hosts,
      bearer: await Bearer.read(this.#token),
      take: (exported) => this.#take(exported),
      tooLarge: (bytes) => this.#gap("too_large", bytes, undefined),
      failed: (error) => this.#failed(error),
      held: () => queue.bytes,
      count: (what) => this.#count(what),
    });
    await this.#server.open();
  }

  /** The port that it listens on. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  get counts(): Readonly<Record<string, number>> {
    const queue = this.#queue;
    return {
      ...this.#counts,
      held_bytes: queue?.bytes ?? 0,
      window: queue?.window.size ?? 0,
      gaps_dropped: queue?.gaps_dropped ?? 0,
      crowded: queue?.streams.crowded ?? 0,
    };
  }

  #count(what: string, n = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + n;
  }

  #gap(reason: "unreadable" | "too_large", bytes: number | undefined, head: Uint8Array | undefined): void {
    this.#queue!.gap(reason, bytes, head);
    this.#wake();
  }

  async #take({ signal, encoding, body }: Exported): Promise<number> {
    if (signal === undefined) {
      const skipped = { metrics: 1 };
      this.#count("metrics");
      return this.#whenDurable(this.#add({ digest: undefined, lines: [], rejected: 0, skipped }));
    }
    const named = createHash("sha256").update(`${signal.name} ${encoding} `);
    const digest = named.update(body).digest("hex").slice(0, 32);
    const queue = this.#queue!;
    const taken = queue.find(digest);
    if (taken !== undefined) {
      this.#repeat(taken.records);
      return this.#whenDurable(taken);
    }
    const mark = queue.window.find(digest, this.#context.now());
    if (mark !== undefined && mark.done === undefined) {
      this.#repeat(mark.records);
      return mark.rejected ?? 0;
    }
    const { lines, rejected, rejected_bytes, head, mended } = this.#cut(signal, encoding, body);
    if (rejected > 0) this.#gap("unreadable", rejected_bytes, head);
    this.#count("records", lines.length);
    this.#count("rejected", rejected);
    this.#count("texts_mended", mended);
    if (lines.length === 0) return rejected;
    return this.#whenDurable(this.#add({ digest, lines, rejected, skipped: {} }));
  }

  /** One request costs itself, not the collector its life. */
  #failed(error: unknown): Refusal {
    // Where it failed, and not the message: that may quote what was sent.
    const [name, place] = (error as Error).stack?.split("\n") ?? [];
    this.#context.log("error", "a request could not be taken", {
      error: name?.split(":")[0],
      place: place?.trim(),
    });
    this.#gap("unreadable", undefined, undefined);
    return new Refusal(500, "the receiver failed on this request; the ledger has a gap entry for it");
  }

  /** A request that nothing can be kept of is an entry, too. */
  #cut(signal: Signal, encoding: Encoding, body: Buffer): Lines {
    try {
      const cut = cutRequest(signal, encoding, body);
      const bytes = cut.lines.reduce((sum, line) => sum + line.bytes.length, 0);
      if (this.#queue!.bytes > 0 && this.#queue!.bytes + bytes > LIMITS.otlp_held_bytes)
        throw new Busy("too much is waiting to be written");
      return cut;
    } catch (error) {
      if (error instanceof Refusal && error.status !== 503) {
        const head = Uint8Array.from(body.subarray(0, LIMITS.raw_bytes));
        this.#gap(error.status === 413 ? "too_large" : "unreadable", body.length, head);
      }
      throw error;
    }
  }

  #repeat(records: number): void {
    this.#count("repeats");
    this.#queue!.merge(records);
    this.#wake();
  }

  #add(received: Received): Taken {
    const taken = this.#queue!.add(received, this.#context.now());
    this.#wake();
    return taken;
  }

  /** Resolves with the records that were not kept. What takes too long goes on; who asks again meets it. */
  async #whenDurable(taken: Taken): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const stopped = (): void => reject(new Busy("the collector is stopping"));
    const timer = setTimeout(() => {
      this.#count("late");
      reject(new Busy("not durable yet: what was sent is kept, and recognised when it is sent again"));
    }, LIMITS.otlp_settle_ms);
    this.#stop.signal.addEventListener("abort", stopped);
    try {
      await Promise.race([taken.durable.promise, late]);
      return taken.rejected;
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", stopped);
    }
  }

  read(lane: number): Promise<RawBatch | undefined> {
    return Promise.resolve(this.#queue!.read(lane, this.#context.now()));
  }

  settle(batch: RawBatch): void {
    this.#queue!.settle(batch);
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#queue!.ready) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }

  get drained(): boolean {
    return this.#queue?.idle ?? true;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#server?.close();
  }
}

const component: Component<typeof config, Source> = {
  config,
  create: (options, context) => new OtlpSource(options, context),
};
export default component;
