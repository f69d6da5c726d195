// A request between its arrival and its durability, which of its lines were handed over, and the lines of one lane that
// wait. Holds; decides nothing.
import type { Line } from "./otlp-records.ts";
import type { Stream } from "./otlp-streams.ts";

/** Lines of one request, by their place in it. Places stay what they are, streams and lanes do not: a stream that no
 * durable frame has told of gets another id after a crash, maybe on another lane, services get the streams that there is
 * room for, and there may be other workers. A bit a line: 11 KB for the largest request, 150 KB for all that are held. */
export class LineSet {
  readonly #bits: Buffer;

  /** For a request of so many lines; `known` is what an earlier set wrote. */
  constructor(lines: number, known = "") {
    this.#bits = Buffer.alloc(Math.ceil(lines / 8));
    this.#bits.write(known, "base64");
  }

  add(place: number): void {
    this.#bits[place >> 3]! |= 1 << (place & 7);
  }

  has(place: number): boolean {
    return (this.#bits[place >> 3]! & (1 << (place & 7))) !== 0;
  }

  toString(): string {
    return this.#bits.toString("base64");
  }
}

/** A request that was taken and is not durable. */
export interface Taken {
  /** Undefined for one whose repeats need not be known. */
  readonly digest: string | undefined;
  readonly at_ms: number;
  readonly records: number;
  readonly rejected: number;
  readonly durable: PromiseWithResolvers<void>;
  bytes: number;
  /** Lines that were not handed over. */
  waiting: number;
  /** Batches that were and are not durable. */
  batches: number;
  /** Lines handed over. */
  readonly sent: LineSet;
}

/** What a request adds. */
export interface Received {
  readonly digest: string | undefined;
  readonly lines: readonly Line[];
  readonly rejected: number;
  /** Counted instead of kept, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** A line that was not handed over. */
export interface Waiting {
  readonly of: Taken;
  /** In the request. */
  readonly place: number;
  readonly stream: Stream;
  readonly bytes: Buffer;
}

/** The lines of one lane: first in, first out. */
export class LaneQueue {
  #lines: (Waiting | undefined)[] = [];
  #next = 0; // lines before this one have left

  push(line: Waiting): void {
    this.#lines.push(line);
  }

  get first(): Waiting | undefined {
    return this.#lines[this.#next];
  }

  /** Lets go of the first line at once: under load the queue may never run empty. */
  drop(): void {
    this.#lines[this.#next++] = undefined;
    if (this.#next > 64 && this.#next * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#next);
      this.#next = 0;
    }
  }
}
