// Source `spool`: the directory that the MCP proxy and the hooks write to. Streams are cut into numbered segments
// `<stream>.<n>.spool`, from 1, read in order; a segment is finished when its successor exists or when it was renamed
// to `….done`, and deleted once everything in it is durable. A missing segment is a gap, and so is what breaks the chain
// of a stream that has one (chain.ts). Follows files as `file` does.
import { unlinkSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Component, Context, Gap, Position, RawBatch, Router, Source } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { systemCode } from "../core/errors.ts";
import { Chains, type Place } from "./chains.ts";
import { captureSchema } from "./options.ts";
import { FollowSource } from "./source.ts";
import type { Tail } from "./tail.ts";

const config = z
  .strictObject({
    type: z.literal("spool"),
    dir: z
      .string()
      .min(1)
      .optional()
      .describe("Directory of the spool; `spool` in the state directory by default"),
    capture: captureSchema.prefault({}),
    follow: z
      .boolean()
      .default(true)
      .describe("Keep reading as segments grow; false reads what is there and ends"),
    poll_ms: z
      .int()
      .min(10)
      .max(60_000)
      .default(LIMITS.poll_ms)
      .describe("Pause between looks at the directory"),
  })
  .describe(
    "Numbered segments that an MCP proxy or agent hooks write and Tapline deletes once they are durable",
  );

const SEGMENT = /^(.+)\.(\d{1,12})\.(?:spool|done|spool\.done)$/;

interface Segment extends Place {
  readonly done: boolean;
}

/** What a file's name says; undefined when it is no segment. */
export function segmentOf(path: string): Segment | undefined {
  const match = SEGMENT.exec(basename(path));
  if (match === null) return undefined;
  return { stream: match[1]!, number: Number(match[2]), done: path.endsWith(".done") };
}

class SpoolSource implements Source {
  readonly #inner: FollowSource;
  readonly #context: Context;
  /** Highest segment handed over, by stream. */
  readonly #reached = new Map<string, number>();
  readonly #chains: Chains;

  constructor(options: z.output<typeof config>, context: Context) {
    const raw = options.dir ?? join(context.state_dir, "spool");
    const dir = raw.startsWith("~/") ? homedir() + raw.slice(1) : raw;
    this.#context = context;
    this.#chains = new Chains(() => context.now());
    this.#inner = new FollowSource(
      {
        include: [join(dir, "*.spool"), join(dir, "*.done")],
        exclude: [],
        roots: [],
        start: "beginning",
        follow: options.follow,
        poll_ms: options.poll_ms,
        grace_ms: LIMITS.grace_ms,
      },
      {
        source: context.name,
        format: undefined,
        session: undefined,
        options: undefined,
        capture: options.capture,
        lane_key: (path) => segmentOf(path)?.stream,
        inspect: (tail, lines, offset) => {
          const place = segmentOf(tail.path);
          return place === undefined ? [] : this.#chains.follow(tail, place, lines, offset);
        },
      },
      context,
      (tail) => this.#hold(tail),
    );
  }

  async open(positions: ReadonlyMap<string, Position>, router: Router): Promise<void> {
    await this.#inner.open(positions, router);
    for (const tail of this.#inner.tails) {
      if (!tail.recorded) continue;
      this.#reach(tail.path);
      const place = segmentOf(tail.path);
      if (place !== undefined) this.#chains.resume(tail, place);
      tail.keep_until_ms = this.#context.now() + LIMITS.spool_keep_ms;
      if (tail.complete && tail.links > 0) this.#delete(tail);
    }
  }

  #reach(path: string): number {
    const segment = segmentOf(path);
    if (segment === undefined) return 0;
    const last = this.#reached.get(segment.stream) ?? 0;
    this.#reached.set(segment.stream, Math.max(last, segment.number));
    return Math.max(0, segment.number - last - 1);
  }

  /** A segment waits until those before it are read. */
  #hold(tail: Tail): boolean {
    const segment = segmentOf(tail.path);
    if (segment === undefined) return false;
    let wait = false;
    for (const other of this.#inner.tails) {
      if (other === tail || other.done || other.complete || other.at_end || other.size === 0) continue;
      const before = segmentOf(other.path);
      if (before?.stream !== segment.stream || before.number >= segment.number) continue;
      wait = true;
      this.#flush(other);
    }
    return wait;
  }

  #flush(tail: Tail): void {
    if (tail.flush) return;
    tail.flush = true;
    this.#inner.outbox.enqueue(tail);
  }

  #finished(tail: Tail): boolean {
    const segment = segmentOf(tail.at);
    if (segment === undefined) return false;
    if (segment.done) return true;
    return this.#succeeded(tail) || this.#chains.over(segment.stream);
  }

  #succeeded(tail: Tail): boolean {
    const segment = segmentOf(tail.path)!;
    for (const other of this.#inner.tails) {
      const later = segmentOf(other.path);
      if (later?.stream === segment.stream && later.number > segment.number) return true;
    }
    return false;
  }

  /** Has the ends of finished segments read, and marks those that are durable as complete. */
  #sweep(): void {
    const { outbox } = this.#inner;
    for (const tail of this.#inner.tails) {
      if (tail.complete || tail.done || tail.links === 0 || !this.#finished(tail)) continue;
      if (!tail.at_end) this.#flush(tail);
      else if (tail.recorded && tail.settled === tail.offset) {
        tail.complete = true;
        tail.keep_until_ms = this.#context.now() + LIMITS.spool_keep_ms;
        const positions: Record<string, Position | null> = {};
        outbox.record(tail, positions);
        outbox.note(tail, this.#unclosed(tail), positions);
      }
    }
  }

  /** The gap of a stream that ends without its last record: its writer was killed, or the end was cut off. */
  #unclosed(tail: Tail): Gap | undefined {
    const { chain } = tail;
    if (chain === undefined || this.#succeeded(tail)) return undefined;
    const stream = segmentOf(tail.path)!.stream;
    this.#chains.forget(stream);
    this.#reached.delete(stream);
    return chain.closed ? undefined : this.#inner.outbox.makeGap(tail, "spool_unclosed", undefined);
  }

  async read(lane: number): Promise<RawBatch | undefined> {
    this.#sweep();
    const batch = await this.#inner.read(lane);
    if (batch === undefined) return undefined;
    const missing: Gap[] = [];
    for (const { id, path } of batch.streams) {
      if (this.#reach(path) === 0) continue;
      missing.push({ stream: id, path, reason: "spool_cut", offset: 0, bytes: undefined, head: undefined });
    }
    return missing.length === 0 ? batch : { ...batch, gaps: [...missing, ...batch.gaps] };
  }

  settle(batch: RawBatch): void {
    this.#inner.settle(batch);
    for (const tail of this.#inner.tails) {
      const position = batch.positions[tail.id];
      if (position === undefined || position === null) continue;
      tail.settled = position["offset"] as number;
      if (position["complete"] === true) this.#delete(tail);
    }
  }

  #delete(tail: Tail): void {
    try {
      unlinkSync(tail.at);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return;
      this.#context.log("warn", `cannot delete a spool segment: ${systemCode(error)}`, { path: tail.at });
    }
  }

  wait(signal: AbortSignal): Promise<void> {
    return this.#inner.wait(signal);
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#inner.counts;
  }

  /** What is read to its end is still to be deleted: that takes the frame of its end, and another that says so. */
  get drained(): boolean {
    if (!this.#inner.drained) return false;
    for (const tail of this.#inner.tails) {
      const read = tail.at_end && tail.recorded && tail.links > 0;
      if (read && !tail.complete && !tail.done && this.#finished(tail)) return false;
    }
    return true;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

const component: Component<typeof config, Source> = {
  config,
  create: (options, context) => new SpoolSource(options, context),
};
export default component;
