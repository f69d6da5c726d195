// Documents one after the other, as the ledger's runs have them, without the hashes that are the ledger's: what the bench's
// own entrant hands to the sink. Memory is taken from the pool and handed on.
import assert from "node:assert";
import { type Event, serialise } from "../../../src/core/generated/event.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import type { Run } from "../../../src/core/run.ts";
import type { SharedBuffers } from "../../../src/core/shared-buffers.ts";

const HASH_BYTES = 32;

export class Documents {
  readonly #buffers: SharedBuffers;
  #run: Buffer;
  #at = 0;
  #count = 0;

  constructor(buffers: SharedBuffers) {
    this.#buffers = buffers;
    this.#run = buffers.take();
  }

  add(e: Event): void {
    const length = this.#run.write(serialise(e), this.#at + 2);
    assert(
      length <= LIMITS.entry_bytes && this.#at + LIMITS.entry_bytes < this.#run.length,
      "a run has room",
    );
    this.#run[this.#at] = length >>> 8;
    this.#run[this.#at + 1] = length & 0xff;
    this.#at += 2 + length;
    this.#count++;
  }

  /** What was added since the last call. */
  take(): Run {
    const run = this.#run.subarray(0, this.#at);
    const hashes = new Uint8Array(this.#count * HASH_BYTES);
    const count = this.#count;
    this.#run = this.#buffers.take();
    this.#at = this.#count = 0;
    return { run, hashes, count };
  }
}
