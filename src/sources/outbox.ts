// What waits to be handed over: files with something to read, a queue for each lane, and notices (gaps, positions), which
// go to any lane while their stream has none. Keeps the order within a stream; reads nothing.
import type { Gap, Position, StreamInfo } from "../core/stage.ts";
import { firstId } from "./identity.ts";
import type { StreamOptions } from "./stream-options.ts";
import type { Tail } from "./tail.ts";

export interface Notice {
  readonly info: StreamInfo | undefined;
  readonly gap: Gap | undefined;
  readonly positions: Readonly<Record<string, Position | null>>;
  /** May be read once this has left. */
  readonly release: readonly Tail[];
}

export type Counts = Record<
  | "gaps"
  | "truncated"
  | "vanished"
  | "away"
  | "refused"
  | "denied"
  | "broken"
  | "too_long"
  | "hole_bytes"
  | "over_limit",
  number
>;

export class Outbox {
  readonly common: StreamOptions;
  /** Files whose first record has not been seen. */
  readonly fresh = new Set<Tail>();
  readonly ready: readonly Set<Tail>[];
  readonly notices: readonly Notice[][];
  /** Of streams that have no lane yet. */
  readonly loose: Notice[] = [];
  readonly counts: Counts = {
    gaps: 0,
    truncated: 0,
    vanished: 0,
    away: 0,
    refused: 0,
    denied: 0,
    broken: 0,
    too_long: 0,
    hole_bytes: 0,
    over_limit: 0,
  };

  /** Finds the file that a truncated one was copied to just before, and has the stream go on there. */
  moveToCopy: (tail: Tail) => Tail | undefined = () => undefined;

  constructor(common: StreamOptions, lanes: number) {
    this.common = common;
    this.ready = Array.from({ length: lanes }, () => new Set<Tail>());
    this.notices = this.ready.map(() => []);
  }

  /** Puts a file that may have something to read where it belongs. */
  enqueue(tail: Tail): void {
    if (tail.done || tail.waiting > 0 || tail.copy_of !== undefined) return;
    if (tail.queue < 0) this.fresh.add(tail);
    else this.ready[tail.queue]!.add(tail);
  }

  remove(tail: Tail): void {
    this.fresh.delete(tail);
    for (const queue of this.ready) queue.delete(tail);
  }

  /** The position of a stream into `positions`; the generation before it can be forgotten then. */
  record(tail: Tail, positions: Record<string, Position | null>, extra?: Position): void {
    positions[tail.id] = extra === undefined ? tail.position() : { ...tail.position(), ...extra };
    if (tail.before !== undefined) positions[tail.before] = null;
    tail.before = undefined;
    tail.recorded = true;
  }

  makeGap(tail: Tail, reason: Gap["reason"], bytes: number | undefined, from = tail.offset): Gap {
    this.counts.gaps++;
    if (tail.id === "") tail.id = firstId(this.common.source, tail.key, new Uint8Array(0));
    return { stream: tail.id, path: tail.path, reason, offset: from, bytes, head: undefined };
  }

  #announce(tail: Tail): StreamInfo | undefined {
    if (tail.announced) return undefined;
    tail.announced = true;
    return tail.info(this.common);
  }

  /** Leaves with the stream's next batch. `next` waits until then, and so does a stream that has no queue yet. */
  note(tail: Tail, gap: Gap | undefined, positions: Record<string, Position | null>, next?: Tail): void {
    const notices = this.notices[tail.queue] ?? this.loose;
    const release = next === undefined ? [] : [next];
    if (tail.queue < 0 && tail !== next) release.push(tail);
    for (const waiting of release) {
      waiting.waiting++;
      this.remove(waiting);
    }
    notices.push({ info: gap && this.#announce(tail), gap, positions, release });
  }

  /** The file was cut or rewritten: its generation ends here with a gap, the next one starts at 0. When the old
   * content was copied elsewhere, the old generation goes on there instead. */
  truncated(tail: Tail, bytes: number | undefined): void {
    this.counts.truncated++;
    const copy = this.moveToCopy(tail);
    const positions: Record<string, Position | null> = {};
    if (copy === undefined) {
      const gap = this.makeGap(tail, "truncated", bytes);
      this.record(tail, positions, { ended: true });
      this.note(tail, gap, positions, tail);
    } else {
      const gap = this.makeGap(
        copy,
        "truncated",
        copy.packed !== undefined || copy.size >= tail.size ? 0 : tail.size - copy.size,
      );
      this.record(copy, positions);
      this.note(copy, gap, positions, tail);
      tail.before = undefined;
      tail.recorded = false;
      this.remove(copy);
      this.enqueue(copy);
    }
    tail.renew();
  }

  /** The file lost bytes that were known and not read; what was read still stands. */
  shrunk(tail: Tail, size: number): Gap {
    this.counts.truncated++;
    const gap = this.makeGap(tail, "truncated", tail.size - size, size);
    tail.size = size;
    tail.scanned = 0;
    return gap;
  }

  /** The stream is read as far as it ever will be. */
  finish(tail: Tail, gap: Gap | undefined): void {
    const positions: Record<string, Position | null> = {};
    if (tail.before !== undefined) positions[tail.before] = null;
    if (tail.recorded) positions[tail.id] = null;
    this.remove(tail);
    if (gap !== undefined || tail.recorded || tail.before !== undefined) this.note(tail, gap, positions);
    // Its worker forgets it.
    tail.announced = false;
    tail.done = true;
  }

  /** Bytes known to be waiting. */
  get behind(): number {
    let bytes = 0;
    for (const tail of this.fresh) bytes += tail.behind;
    for (const queue of this.ready) for (const tail of queue) bytes += tail.behind;
    return bytes;
  }
}
