// What was received and is not durable yet: lines by lane, on their way into batches, and the requests that wait for
// them. A request is durable when all its lines are, and its digest with the last of them.
import type { Gap, LeftOut, Position, RawBatch, Router, StreamInfo } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { SharedBuffers } from "../core/shared-buffers.ts";
import { type Common, type Stream, Streams } from "./otlp-streams.ts";
import { LaneQueue, LineSet, type Received, type Taken } from "./otlp-taken.ts";
import { type RequestMark, Window } from "./otlp-window.ts";

export class Queue {
  readonly #common: Common;
  readonly #lanes: readonly LaneQueue[];
  readonly streams: Streams;
  readonly window = new Window();
  readonly #buffers = new SharedBuffers(LIMITS.batch_bytes);
  /** By digest. */
  readonly #taken = new Map<string, Taken>();
  readonly #in_flight = new Map<RawBatch, readonly Taken[]>();
  /** Requests without lines, that wait for a batch to count them. */
  #lineless: Taken[] = [];
  #merged = 0;
  #skipped: Record<string, number> = {};
  #gaps: Omit<Gap, "stream" | "path" | "offset">[] = [];
  #waiting = 0;
  /** Bytes of lines that are not durable. */
  bytes = 0;
  /** Gaps that are not entries, since there were too many at once. */
  gaps_dropped = 0;

  constructor(router: Router, common: Common) {
    this.#common = common;
    this.#lanes = Array.from({ length: router.lanes }, () => new LaneQueue());
    this.streams = new Streams(router, common);
  }

  /** Whether `read` has something for some lane. */
  get ready(): boolean {
    return this.#waiting > 0 || this.#loose;
  }

  get idle(): boolean {
    return !this.ready && this.#in_flight.size === 0;
  }

  /** Something that goes with any batch. */
  get #loose(): boolean {
    return (
      this.#lineless.length > 0 ||
      this.#gaps.length > 0 ||
      this.#merged > 0 ||
      Object.keys(this.#skipped).length > 0
    );
  }

  /** The request of this digest that is not durable yet. */
  find(digest: string): Taken | undefined {
    return this.#taken.get(digest);
  }

  /** Records that came again are counted as such. */
  merge(records: number): void {
    this.#merged += records;
  }

  gap(reason: "unreadable" | "too_large", bytes: number | undefined, head: Uint8Array | undefined): void {
    if (this.#gaps.length < LIMITS.otlp_gaps) this.#gaps.push({ reason, bytes, head });
    else this.gaps_dropped++;
  }

  add({ digest, lines, rejected, skipped }: Received, now_ms: number): Taken {
    const before = digest === undefined ? undefined : this.window.find(digest, now_ms);
    // What a crash left durable of it is not taken again. Where another version cut it into other lines, nobody can tell
    // what that is, and all are taken: a record twice is better than none.
    const sent = new LineSet(lines.length, before?.records === lines.length ? before.done : undefined);
    const taken: Taken = {
      digest,
      at_ms: before?.at_ms ?? now_ms,
      records: lines.length,
      rejected,
      durable: Promise.withResolvers<void>(),
      bytes: 0,
      waiting: 0,
      batches: 0,
      sent,
    };
    for (const [place, line] of lines.entries()) {
      if (sent.has(place)) {
        this.#merged++;
        continue;
      }
      const stream = this.streams.of(line);
      this.#lanes[stream.lane]!.push({ of: taken, place, stream, bytes: line.bytes });
      taken.waiting++;
      taken.bytes += line.bytes.length;
    }
    for (const reason in skipped) this.#skipped[reason] = (this.#skipped[reason] ?? 0) + skipped[reason]!;
    this.#waiting += taken.waiting;
    this.bytes += taken.bytes;
    if (taken.waiting === 0) this.#lineless.push(taken);
    if (digest !== undefined) this.#taken.set(digest, taken);
    return taken;
  }

  read(lane: number, now_ms: number): RawBatch | undefined {
    const queue = this.#lanes[lane]!;
    if (queue.first === undefined && (lane !== 0 || !this.#loose)) return undefined;
    const least = queue.first?.bytes.length ?? 0;
    const buffer =
      least === 0
        ? Buffer.alloc(0)
        : least > LIMITS.batch_bytes
          ? Buffer.allocUnsafeSlow(least)
          : this.#buffers.take();
    const segments: { stream: string; start: number; end: number; offset: number }[] = [];
    const infos: StreamInfo[] = [];
    const positions: Record<string, Position | null> = {};
    const requests = new Set<Taken>(this.#lineless.splice(0));
    this.#fill(queue, buffer, segments, requests, (stream) => {
      const info = this.streams.announce(stream);
      if (info !== undefined) infos.push(info);
      positions[stream.id] = this.streams.position(stream);
    });
    const gaps = this.#takeGaps(lane, infos);
    for (const taken of requests) this.#note(taken, positions);
    this.window.expire(now_ms, positions, (digest) => this.#taken.has(digest));
    const left_out = this.#takeLeftOut();
    const batch: RawBatch = {
      lane,
      buffer,
      segments,
      streams: infos,
      gaps,
      positions,
      behind_bytes: this.bytes,
      left_out,
    };
    this.#in_flight.set(batch, [...requests]);
    return batch;
  }

  /** Copies lines into the buffer. `moved` is told of every stream that has, before and after it moves. */
  #fill(
    queue: LaneQueue,
    buffer: Buffer,
    segments: { stream: string; start: number; end: number; offset: number }[],
    requests: Set<Taken>,
    moved: (stream: Stream) => void,
  ): void {
    let at = 0;
    for (let line = queue.first; line !== undefined; line = queue.first) {
      const { of, place, stream, bytes } = line;
      if (at + bytes.length > buffer.length) break;
      let segment = segments.at(-1);
      if (segment?.stream !== stream.id) {
        if (segments.length === LIMITS.batch_segments) break;
        segment = { stream: stream.id, start: at, end: at, offset: stream.offset };
        segments.push(segment);
      }
      bytes.copy(buffer, at);
      at += bytes.length;
      segment.end = at;
      stream.offset += bytes.length;
      moved(stream);
      of.waiting--;
      of.sent.add(place);
      this.#waiting--;
      requests.add(of);
      queue.drop();
    }
  }

  #takeGaps(lane: number, infos: StreamInfo[]): Gap[] {
    if (this.#gaps.length === 0) return [];
    const stream = this.streams.ofLane(lane);
    const info = this.streams.announce(stream);
    if (info !== undefined) infos.push(info);
    const { path } = this.#common;
    return this.#gaps.splice(0).map((gap) => ({ ...gap, stream: stream.id, path, offset: stream.offset }));
  }

  #takeLeftOut(): LeftOut {
    const left_out = { merged: this.#merged, skipped: this.#skipped };
    this.#merged = 0;
    this.#skipped = {};
    return left_out;
  }

  /** Writes down how far a request is handed over. */
  #note(taken: Taken, positions: Record<string, Position | null>): void {
    taken.batches++;
    const { digest, at_ms, records, rejected, waiting, sent } = taken;
    if (digest === undefined) return;
    const mark: RequestMark = { at_ms, records };
    if (rejected > 0) mark.rejected = rejected;
    if (waiting > 0) mark.done = sent.toString();
    this.window.note(digest, mark, positions);
  }

  settle(batch: RawBatch): void {
    this.#buffers.give(batch.buffer);
    for (const taken of this.#in_flight.get(batch) ?? []) {
      taken.batches--;
      if (taken.waiting > 0 || taken.batches > 0) continue;
      this.bytes -= taken.bytes;
      if (taken.digest !== undefined) this.#taken.delete(taken.digest);
      taken.durable.resolve();
    }
    this.#in_flight.delete(batch);
  }
}
