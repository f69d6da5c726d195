// A source that follows files: takes what they hold into batches, a queue for each lane, and reads one batch ahead.
// Which files there are and what becomes of them is decided in follow.ts.
import type { Context, Position, RawBatch, Router, Source } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { SharedBuffers } from "../core/shared-buffers.ts";
import { Descriptors } from "./descriptors.ts";
import { Draft } from "./draft.ts";
import { Follower } from "./follow.ts";
import { lookAtHead, startAtEnd } from "./head.ts";
import { Outbox } from "./outbox.ts";
import type { FollowOptions, StreamOptions } from "./stream-options.ts";
import type { Tail } from "./tail.ts";
import { PackedTaker } from "./take-packed.ts";
import { Taker } from "./take.ts";
import { Unresolved } from "./unresolved.ts";

/** Polling takes at most this part of the time. */
const POLL_SHARE = 1 / 20;

export class FollowSource implements Source {
  readonly #options: FollowOptions;
  readonly #common: StreamOptions;
  readonly #context: Context;
  readonly #buffers = new SharedBuffers(LIMITS.batch_bytes);
  readonly #descriptors = new Descriptors(LIMITS.files_open);
  #router!: Router;
  #outbox!: Outbox;
  #follower!: Follower;
  #taker!: Taker;
  #packed!: PackedTaker;
  #unresolved!: Unresolved;
  /** By lane: a file that did not fit into the batch before. */
  readonly #first: (Tail | undefined)[] = [];
  /** By lane: the batch that is read ahead. */
  readonly #ahead: (Promise<Draft | undefined> | undefined)[] = [];
  /** Batches are made one after the other. */
  #making: Promise<unknown> = Promise.resolve();
  /** Batches asked for and not made. */
  #asked = 0;
  /** Batches made and not handed over. */
  #made = 0;
  #poll_at = 0;
  /** The next poll may be so early. */
  #earliest_at = 0;
  #polls = 0;
  #closed = false;
  /** Files that `hold` keeps back. */
  readonly #held = new Set<Tail>();
  readonly #hold: ((tail: Tail) => boolean) | undefined;

  /** `hold` tells whether the first read of a file has to wait; it is asked again when another file is at its end. */
  constructor(
    options: FollowOptions,
    common: StreamOptions,
    context: Context,
    hold?: (tail: Tail) => boolean,
  ) {
    this.#hold = hold;
    this.#options = options;
    this.#common = common;
    this.#context = context;
  }

  async open(positions: ReadonlyMap<string, Position>, router: Router): Promise<void> {
    this.#router = router;
    this.#outbox = new Outbox(this.#common, router.lanes);
    this.#follower = new Follower(this.#options, this.#context, this.#outbox, this.#descriptors);
    const refused = this.#follower.refused.bind(this.#follower);
    this.#taker = new Taker(this.#descriptors, this.#outbox, refused);
    this.#packed = new PackedTaker(this.#descriptors, this.#outbox, refused);
    this.#unresolved = new Unresolved(router, this.#outbox, () => this.#context.now());
    this.#follower.resume(positions);
    for (const tail of this.tails) this.#unresolved.meet(tail, true);
    await this.#poll();
  }

  /** Files known. */
  get tails(): Iterable<Tail> {
    return this.#follower.known.tails.values();
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  /** Bounds that bit and trouble that was met, by name. */
  get counts(): Readonly<Record<string, number>> {
    return {
      ...this.#outbox.counts,
      ...this.#unresolved.counts,
      polls: this.#polls,
      files: this.#follower.known.tails.size,
      files_opened: this.#descriptors.opened,
      files_evicted: this.#descriptors.evicted,
    };
  }

  async read(lane: number): Promise<RawBatch | undefined> {
    const ahead = this.#ahead[lane];
    this.#ahead[lane] = undefined;
    const draft = (await ahead) ?? (await this.#make(lane));
    if (draft === undefined) return undefined;
    this.#made--;
    for (const tail of draft.release) {
      tail.waiting--;
      this.#outbox.enqueue(tail);
    }
    const next = this.#make(lane);
    next.catch(() => {}); // told by the read that waits for it
    this.#ahead[lane] = next;
    return draft.batch(lane, this.#outbox.behind);
  }

  #make(lane: number): Promise<Draft | undefined> {
    this.#asked++;
    const made = this.#making.then(() => this.#fill(lane)).finally(() => this.#asked--);
    this.#making = made.catch(() => {});
    return made;
  }

  async #poll(): Promise<void> {
    const started = performance.now();
    await this.#follower.poll();
    this.#polls++;
    this.#unhold();
    const took_ms = performance.now() - started;
    this.#earliest_at = started + took_ms / POLL_SHARE;
    this.#poll_at = Math.max(started + this.#options.poll_ms, this.#earliest_at);
  }

  #askForSessions(): void {
    this.#unresolved.retry();
    this.#poll_at = Math.max(this.#poll_at, performance.now() + this.#options.poll_ms);
  }

  /** The next batch of a lane, undefined when it has nothing. */
  async #fill(lane: number): Promise<Draft | undefined> {
    if (this.#closed) return undefined;
    if (performance.now() >= this.#poll_at) {
      if (this.#options.follow) await this.#poll();
      if (!this.#unresolved.idle) this.#askForSessions();
    } else if (this.#follower.hints.due && !this.#follower.glance()) this.#poll_at = this.#earliest_at;
    if (this.#outbox.fresh.size > 0) await this.#lookAtHeads();
    const ready = this.#outbox.ready[lane]!;
    const notices = this.#outbox.notices[lane]!;
    const { loose } = this.#outbox;
    if (ready.size + notices.length + loose.length === 0) return undefined;
    const draft = new Draft(wanted(ready), this.#buffers);
    const told = notices.splice(0, LIMITS.batch_segments);
    told.push(...loose.splice(0, LIMITS.batch_segments - told.length));
    for (const notice of told) draft.add(notice);
    let first = this.#first[lane];
    this.#first[lane] = undefined;
    // Every file has one turn; those with more go to the end of the queue.
    for (let turns = ready.size; turns > 0 && !draft.full; turns--) {
      const tail = first !== undefined && ready.has(first) ? first : (ready.values().next().value as Tail);
      first = undefined;
      ready.delete(tail);
      const taken = await (tail.packed === undefined
        ? this.#taker.take(tail, draft)
        : this.#packed.take(tail, draft));
      if (taken === "idle") this.#unhold();
      if (taken === "idle") continue;
      this.#outbox.enqueue(tail);
      if (taken === "full") {
        this.#first[lane] = tail;
        break;
      }
    }
    if (draft.segments.length === 0) draft.drop();
    if (draft.empty) return undefined;
    this.#made++;
    return draft;
  }

  async #lookAtHeads(): Promise<void> {
    const descriptors = this.#descriptors;
    const outbox = this.#outbox;
    const follower = this.#follower;
    const refused = follower.refused.bind(follower);
    const parts = { descriptors, outbox, router: this.#router, ids: follower.known.ids, refused };
    // No more than can stay open until they are read.
    let room = LIMITS.files_open / 2;
    for (const queue of outbox.ready) room -= queue.size;
    for (const tail of outbox.fresh) {
      if (room-- <= 0) break;
      outbox.fresh.delete(tail);
      if (this.#hold?.(tail) === true) {
        this.#held.add(tail);
        continue;
      }
      const resumed = tail.resumed;
      if (!(await lookAtHead(tail, parts))) continue;
      if (!resumed && (await follower.fate.move(tail))) continue;
      if (!resumed) this.#unresolved.meet(tail, tail.from_end > 0);
      if (tail.from_end > 0) {
        startAtEnd(tail, descriptors);
        const positions: Record<string, Position | null> = {};
        outbox.record(tail, positions);
        outbox.note(tail, undefined, positions);
      }
      if (!resumed && (await follower.fate.suspect(tail))) continue;
      outbox.enqueue(tail);
    }
  }

  /** Asks again about files that were kept back. */
  #unhold(): void {
    for (const tail of this.#held) this.#outbox.enqueue(tail);
    this.#held.clear();
  }

  /** What is durable is the ledger's business: it gives the positions back on open. Only the memory is ours. */
  settle(batch: RawBatch): void {
    this.#unresolved.settle(batch);
    this.#buffers.give(batch.buffer);
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#busy) return;
    const pause_ms = Math.max(1, this.#poll_at - performance.now());
    await this.#follower.hints.wait(pause_ms, signal);
  }

  /** Something may be read at once. */
  get #busy(): boolean {
    const { fresh, ready, notices, loose } = this.#outbox;
    if (this.#made + this.#asked > 0) return true;
    return (
      fresh.size + loose.length > 0 || ready.some((q) => q.size > 0) || notices.some((q) => q.length > 0)
    );
  }

  get drained(): boolean {
    return !this.#options.follow && !this.#busy && this.#held.size + this.#unresolved.holding === 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#making;
    this.#packed?.closeAll();
    this.#follower?.hints.close();
    this.#descriptors.closeAll();
  }
}

/** Bytes that the files of a queue have for one batch. */
function wanted(ready: ReadonlySet<Tail>): number {
  let bytes = 0;
  for (const tail of ready) {
    bytes += tail.behind + tail.tail_len;
    if (bytes >= LIMITS.batch_bytes) return LIMITS.batch_bytes;
  }
  return bytes;
}
