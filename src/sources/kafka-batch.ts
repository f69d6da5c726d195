// Messages of partitions into batches: one segment a message, its place in the partition as offset. Nothing is taken
// from a partition twice; what no worker needs to see moves its position all the same.
import type { Told } from "../core/exchange.ts";
import type { Gap, Position, RawBatch, Segment, StreamInfo } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { SharedBuffers } from "../core/shared-buffers.ts";
import type { Partition, Queued } from "./kafka-partition.ts";

/** Ids of events that were handed over lately: the oldest is forgotten first. */
class Recent {
  readonly #ids = new Set<string>();

  /** False when it was there. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > LIMITS.kafka_repeat_ids) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}

/** A gap that waits for the next batch of its partition. */
export type Missing = Pick<Gap, "reason" | "offset" | "bytes" | "head">;

type Common = Pick<StreamInfo, "source" | "format" | "options" | "capture">;

export class Drafts {
  readonly #common: Common;
  readonly #buffers = new SharedBuffers(LIMITS.batch_bytes);
  readonly #recent = new Recent();
  readonly #missing = new Map<Partition, Missing[]>();
  readonly #in_flight = new Map<RawBatch, readonly (readonly [Partition, number])[]>();
  /** Bytes of messages that were not handed over. */
  held_bytes = 0;
  /** Events that came again. */
  repeats = 0;

  constructor(common: Common) {
    this.#common = common;
  }

  enqueue(partition: Partition, queued: Queued): void {
    partition.queue.push(queued);
    partition.queue_bytes += queued.bytes.length;
    this.held_bytes += queued.bytes.length;
  }

  miss(partition: Partition, gap: Missing): void {
    this.#missing.set(partition, [...(this.#missing.get(partition) ?? []), gap]);
  }

  /** Forgets what was not handed over. */
  drop(partition: Partition): void {
    this.held_bytes -= partition.queue_bytes;
    partition.queue = [];
    partition.queue_bytes = 0;
  }

  hasGap(partition: Partition): boolean {
    return this.#missing.has(partition);
  }

  /** Whether a batch can be made of it. A gap is no message: it is handed over also by who is about to give the partition
   * up, since the next owner may not know of it. */
  has(partition: Partition): boolean {
    return partition.ready || (partition.owned && this.hasGap(partition));
  }

  /** A batch of these partitions, which share a lane; undefined when they have nothing. */
  read(lane: number, partitions: readonly Partition[]): RawBatch | undefined {
    const open = partitions.filter((p) => this.has(p));
    if (open.length === 0) return undefined;
    const waiting = open.reduce((sum, { queue_bytes }) => sum + queue_bytes, 0);
    const draft = new Draft(this.#buffers, this.#common, waiting);
    for (const partition of open) {
      for (const gap of this.#missing.get(partition) ?? []) draft.gap(partition, gap);
      this.#missing.delete(partition);
      this.#fill(draft, partition);
      if (draft.full) break;
    }
    const batch = draft.batch(lane, this.held_bytes);
    this.#in_flight.set(batch, draft.moved());
    return batch;
  }

  #fill(draft: Draft, partition: Partition): void {
    let taken = 0;
    for (const queued of partition.queue) {
      const repeated = queued.id !== undefined && !draft.isFull(queued) && !this.#recent.add(queued.id);
      if (repeated) this.repeats++;
      if (!draft.take(partition, queued, repeated)) break;
      this.held_bytes -= queued.bytes.length;
      partition.queue_bytes -= queued.bytes.length;
      taken++;
    }
    partition.queue.splice(0, taken);
  }

  settle(batch: RawBatch): readonly Partition[] {
    this.#buffers.give(batch.buffer);
    const moved = this.#in_flight.get(batch) ?? [];
    this.#in_flight.delete(batch);
    for (const [partition, offset] of moved) {
      partition.in_flight--;
      // A topic that was made anew meanwhile counts from the beginning.
      if (partition.id in batch.positions) partition.durable = offset;
    }
    return moved.map(([partition]) => partition);
  }
}

/** A batch in the making. */
class Draft {
  readonly #buffers: SharedBuffers;
  readonly #common: Common;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #segments: Segment[] = [];
  readonly #streams: StreamInfo[] = [];
  readonly #gaps: Gap[] = [];
  readonly #positions: Record<string, Position | null> = {};
  readonly #moved = new Set<Partition>();
  readonly #told: Told[] = [];
  #messages = 0;
  #merged = 0;
  #skipped: Record<string, number> = {};
  full = false;

  /** Bytes that there may be room for. */
  readonly #plan: number;

  constructor(buffers: SharedBuffers, common: Common, waiting: number) {
    this.#buffers = buffers;
    this.#common = common;
    this.#plan = Math.min(LIMITS.batch_bytes, waiting);
  }

  gap(partition: Partition, gap: Missing): void {
    this.#touch(partition);
    this.#gaps.push({ ...gap, stream: partition.id, path: partition.path });
    this.#positions[partition.id] = partition.position();
  }

  /** Whether there is no room for a message any more. */
  isFull({ fate, bytes }: Queued): boolean {
    if (this.#messages >= LIMITS.batch_segments) return true;
    const room = this.#buffer.length === 0 ? Infinity : this.#buffer.length - this.#at;
    return fate === "record" && bytes.length > room;
  }

  /** Takes a message; false when this batch has no room for it. */
  take(partition: Partition, queued: Queued, repeated: boolean): boolean {
    if (this.isFull(queued)) {
      this.full = true;
      return false;
    }
    const { offset, fate, bytes, size } = queued;
    this.#touch(partition);
    this.#messages++;
    if (repeated) this.#merged++;
    else if (fate === "record") this.#keep(partition, offset, bytes);
    else if (fate === "too_large") this.#tooLarge(partition, offset, size, bytes);
    else this.#leaveOut(partition, queued);
    // What is read anew is none that moves it.
    partition.handed = Math.max(partition.handed ?? 0, offset + 1);
    this.#positions[partition.id] = partition.position();
    return true;
  }

  #leaveOut(partition: Partition, { fate, offset, bytes }: Queued): void {
    if (fate === "match") {
      const { id: stream, fresh, again_until } = partition;
      this.#told.push({ stream, bytes, fresh, again: offset < again_until });
      partition.fresh = false;
    }
    this.#skipped[fate] = (this.#skipped[fate] ?? 0) + 1;
  }

  #tooLarge(partition: Partition, offset: number, size: number, head: Uint8Array): void {
    const [stream, path] = [partition.id, partition.path];
    this.#gaps.push({ stream, path, reason: "too_large", offset, bytes: size, head });
  }

  #keep(partition: Partition, offset: number, bytes: Buffer): void {
    if (this.#buffer.length === 0) {
      const length = Math.max(this.#plan, bytes.length);
      this.#buffer = length === LIMITS.batch_bytes ? this.#buffers.take() : Buffer.allocUnsafeSlow(length);
    }
    const start = this.#at;
    this.#at += bytes.copy(this.#buffer, start);
    this.#segments.push({ stream: partition.id, start, end: this.#at, offset });
  }

  #touch(partition: Partition): void {
    for (const id of partition.replaced.splice(0)) this.#positions[id] = null;
    const info = partition.announce(this.#common);
    if (info !== undefined) this.#streams.push(info);
    if (this.#moved.has(partition)) return;
    this.#moved.add(partition);
    partition.in_flight++;
  }

  moved(): (readonly [Partition, number])[] {
    return [...this.#moved].map((partition) => [partition, partition.handed!] as const);
  }

  batch(lane: number, behind_bytes: number): RawBatch {
    return {
      lane,
      buffer: this.#buffer,
      segments: this.#segments,
      streams: this.#streams,
      gaps: this.#gaps,
      positions: this.#positions,
      behind_bytes,
      left_out: { merged: this.#merged, skipped: this.#skipped },
      told: this.#told,
    };
  }
}
