// Writes documents into a run of entries (see core/entry.ts) with their leaf hashes. Reused from batch to batch.
import assert from "node:assert";
import { leafHash } from "./entry.ts";
import { LIMITS } from "./limits.ts";

const HASH_BYTES = 32;

export interface Run {
  readonly run: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

export class RunWriter {
  #run: Buffer<ArrayBuffer>;
  #hashes: Buffer<ArrayBuffer>;
  #at = 0;
  #count = 0;

  constructor(bytes: number) {
    this.#run = Buffer.allocUnsafeSlow(bytes);
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

  /** What was added since the last call, in memory of its own. */
  take(): Run {
    const run = Buffer.allocUnsafeSlow(this.#at);
    run.set(this.#run.subarray(0, this.#at));
    const hashes = Buffer.allocUnsafeSlow(this.#count * HASH_BYTES);
    hashes.set(this.#hashes.subarray(0, hashes.length));
    const count = this.#count;
    this.#at = 0;
    this.#count = 0;
    return { run, hashes, count };
  }

  #grow(document: string): void {
    const bytes = Math.max(this.#run.length * 2, this.#at + 2 + document.length * 3);
    assert(bytes <= LIMITS.frame_bytes * 4, "a batch's entries stay within a few frames");
    const run = Buffer.allocUnsafeSlow(bytes);
    run.set(this.#run.subarray(0, this.#at));
    this.#run = run;
  }

  #growHashes(): void {
    const hashes = Buffer.allocUnsafeSlow(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}
