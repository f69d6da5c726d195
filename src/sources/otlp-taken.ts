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
  #lines: Waiting[] = [];
  #next = 0;

  push(line: Waiting): void {
    this.#lines.push(line);
  }

  get first(): Waiting | undefined {
    return this.#lines[this.#next];
  }

  drop(): void {
    if (++this.#next < this.#lines.length) return;
    this.#lines = [];
    this.#next = 0;
  }
}
