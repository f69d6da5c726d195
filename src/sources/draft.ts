// A batch in the making: one buffer, so that it can be handed over, and what goes with it.
import type { Gap, Position, RawBatch, Segment, StreamInfo } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import type { SharedBuffers } from "../core/shared-buffers.ts";
import type { Notice, Outbox } from "./outbox.ts";
import type { Tail } from "./tail.ts";

export class Draft {
  buffer: Buffer = Buffer.alloc(0);
  /** Where the next bytes go. */
  at = 0;
  readonly segments: Segment[] = [];
  readonly streams: StreamInfo[] = [];
  readonly gaps: Gap[] = [];
  readonly positions: Record<string, Position | null> = {};
  readonly release: Tail[] = [];
  /** Longest buffer that is made for several streams. */
  readonly #plan: number;
  #empty = true;

  readonly #buffers: SharedBuffers;

  /** `waiting` is how many bytes are known to wait for this batch. Batches of `buffers`' size get their memory there. */
  constructor(waiting: number, buffers: SharedBuffers) {
    this.#buffers = buffers;
    this.#plan = Math.min(LIMITS.batch_bytes, waiting);
  }

  get empty(): boolean {
    return this.#empty;
  }

  get full(): boolean {
    return this.segments.length >= LIMITS.batch_segments || this.gaps.length >= LIMITS.batch_segments;
  }

  add(notice: Notice): void {
    this.#empty = false;
    if (notice.info !== undefined) this.streams.push(notice.info);
    if (notice.gap !== undefined) this.gaps.push(notice.gap);
    Object.assign(this.positions, notice.positions);
    this.release.push(...notice.release);
  }

  /** Bytes that can be read for a stream that would like `want` and needs `least`; 0 when this batch is full. */
  room(want: number, least: number): number {
    if (this.segments.length === 0 && (this.at > 0 || least > this.buffer.length)) {
      this.at = 0;
      if (least > this.buffer.length) {
        this.drop();
        this.buffer = this.#fresh(Math.max(least, this.#plan));
      }
    }
    if (this.buffer.length === 0)
      this.buffer = this.#fresh(Math.max(this.#plan, Math.min(want, LIMITS.batch_bytes)));
    const left = this.buffer.length - this.at;
    if (this.segments.length > 0 && (left < least || (left < want && left < LIMITS.small_read_bytes)))
      return 0;
    return Math.min(left, want);
  }

  /** Keeps buffer bytes [start, end) as records of `tail`, which stood at `offset` and has moved on since. */
  keep(tail: Tail, start: number, end: number, offset: number, outbox: Outbox): void {
    this.#announce(tail, outbox);
    this.segments.push({ stream: tail.id, start, end, offset });
    const wrong = outbox.common.inspect?.(tail, this.buffer.subarray(start, end), offset) ?? [];
    for (const { reason, offset: from } of wrong)
      this.gaps.push(outbox.makeGap(tail, reason, undefined, from));
    outbox.record(tail, this.positions);
    this.at = end;
  }

  gap(tail: Tail, gap: Gap, outbox: Outbox): void {
    this.#announce(tail, outbox);
    this.gaps.push(gap);
    tail.torn++;
    outbox.record(tail, this.positions);
  }

  /** Only the position of a stream. */
  mark(tail: Tail, outbox: Outbox): void {
    this.#empty = false;
    outbox.record(tail, this.positions);
  }

  #announce(tail: Tail, outbox: Outbox): void {
    this.#empty = false;
    if (tail.announced) return;
    tail.announced = true;
    this.streams.push(tail.info(outbox.common));
  }

  /** Gives the buffer back: nothing of it is used. */
  drop(): void {
    this.#buffers.give(this.buffer);
    this.buffer = Buffer.alloc(0);
  }

  /** Memory outside Node's pool. */
  #fresh(length: number): Buffer {
    return length === this.#buffers.bytes ? this.#buffers.take() : Buffer.allocUnsafeSlow(length);
  }

  batch(lane: number, behind_bytes: number): RawBatch {
    const { buffer, segments, streams, gaps, positions } = this;
    return { lane, buffer, segments, streams, gaps, positions, behind_bytes };
  }
}
