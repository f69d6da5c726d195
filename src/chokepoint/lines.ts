// Cuts a stream of bytes into lines of bounded length, each with its line end. A longer line comes in pieces, marked as
// such, so that it can be passed on or left out without being held.
import { LIMITS } from "../core/limits.ts";
import { Pieces } from "./pieces.ts";

const NEWLINE = 10;

/** `whole`: a line. `begins`: the first piece of one that is too long; `piece`: the next; `ends`: the last. */
export type Part = "whole" | "begins" | "piece" | "ends";

export class LineCutter {
  readonly #max: number;
  readonly #each: (bytes: Buffer, part: Part) => void;
  readonly #held = new Pieces();
  #long = false;

  constructor(each: (bytes: Buffer, part: Part) => void, max: number = LIMITS.message_bytes) {
    this.#each = each;
    this.#max = max;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#take(chunk.subarray(from, at + 1), true);
      from = at + 1;
    }
    if (from < chunk.length) this.#take(chunk.subarray(from), false);
  }

  /** What came after the last line end. */
  end(): void {
    if (this.#long) this.#each(Buffer.alloc(0), "ends");
    else if (this.#held.bytes > 0) this.#each(this.#held.take(), "whole");
    this.#long = false;
  }

  #take(bytes: Buffer, ends: boolean): void {
    if (this.#long) {
      this.#each(bytes, ends ? "ends" : "piece");
      this.#long = !ends;
      return;
    }
    this.#held.push(bytes);
    if (this.#held.bytes > this.#max) {
      this.#long = !ends;
      this.#each(this.#held.take(), "begins");
      if (ends) this.#each(Buffer.alloc(0), "ends");
    } else if (ends) this.#each(this.#held.take(), "whole");
  }
}
