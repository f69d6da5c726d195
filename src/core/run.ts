// Writes documents into a run of entries (see core/entry.ts) with their leaf hashes. Reused from batch to batch.
import assert from "node:assert";
import { leafHash } from "./entry.ts";
import { LIMITS } from "./limits.ts";
import { type SharedBuffers, isShared } from "./shared-buffers.ts";

const HASH_BYTES = 32;

export interface Run {
  readonly run: Uint8Array;
  readonly hashes: Uint8Array;
  readonly count: number;
}

/** Two runs as one. */
export function joinRuns(a: Run, b: Run): Run {
  if (b.count === 0) return { run: a.run, hashes: a.hashes, count: a.count };
  return {
    run: Buffer.concat([a.run, b.run]),
    hashes: Buffer.concat([a.hashes, b.hashes]),
    count: a.count + b.count,
  };
}

export class RunWriter {
  readonly #buffers: SharedBuffers | undefined;
  #run: Buffer;
  #hashes: Buffer;
  #at = 0;
  #count = 0;

  /** With `buffers`, runs that fill the better part of one are handed out as they are, not copied. */
  constructor(bytes: number, buffers?: SharedBuffers) {
    this.#buffers = buffers;
    this.#run = buffers?.take() ?? Buffer.allocUnsafeSlow(bytes);
    this.#hashes = Buffer.allocUnsafeSlow(HASH_BYTES * 1024);
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the run so far. */
  get bytes(): number {
    return this.#at;
  }

  /** Adds one document. False, and nothing added, when it is longer than an entry may be. */
  add(document: string): boolean {
    if (document.length > LIMITS.entry_bytes) return false;
    const at = this.#at;
    // A character takes at most three bytes of UTF-8.
    if (at + 2 + document.length * 3 > this.#run.length) this.#grow(document);
    const length = this.#run.write(document, at + 2);
    if (length > LIMITS.entry_bytes) return false;
    this.#run[at] = length >>> 8;
    this.#run[at + 1] = length & 0xff;
    this.#at = at + 2 + length;
    if ((this.#count + 1) * HASH_BYTES > this.#hashes.length) this.#growHashes();
    this.#hashes.write(leafHash(this.#run, at + 2, this.#at), this.#count * HASH_BYTES, "latin1");
    this.#count++;
    return true;
  }

  /** What was added since the last call. Shared memory is to be given back. */
  take(): Run {
    const run = this.#takeRun();
    const hashes = Buffer.allocUnsafeSlow(this.#count * HASH_BYTES);
    hashes.set(this.#hashes.subarray(0, hashes.length));
    const count = this.#count;
    this.#at = 0;
    this.#count = 0;
    return { run, hashes, count };
  }

  #takeRun(): Buffer {
    const filled = this.#run.subarray(0, this.#at);
    const shared = isShared(this.#run);
    if (shared && this.#at > this.#run.length / 2) {
      this.#run = this.#buffers!.take();
      return filled;
    }
    // Little in much memory is copied, so that what is kept of runs is about what they take.
    const run = Buffer.allocUnsafeSlow(this.#at);
    run.set(filled);
    if (!shared && this.#buffers !== undefined) this.#run = this.#buffers.take();
    return run;
  }

  #grow(document: string): void {
    const bytes = Math.max(this.#run.length * 2, this.#at + 2 + document.length * 3);
    assert(bytes <= LIMITS.frame_bytes * 4, "a batch's entries stay within a few frames");
    const run = Buffer.allocUnsafeSlow(bytes);
    run.set(this.#run.subarray(0, this.#at));
    this.#buffers?.give(this.#run);
    this.#run = run;
  }

  #growHashes(): void {
    const hashes = Buffer.allocUnsafeSlow(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}
