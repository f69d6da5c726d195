// A request between its arrival and its durability, and the lines of one lane that wait. Holds; decides nothing.
import type { Line } from "./otlp-records.ts";
import type { Stream } from "./otlp-streams.ts";

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
  /** Lines handed over, by lane. */
  readonly sent: Record<string, number>;
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
