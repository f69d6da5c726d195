// Moves bytes from one stream to another, and answers back to the sender, at the speed of the slower: whoever does not
// read makes the other wait, and nothing grows.
import type { Readable, Writable } from "node:stream";
import { LIMITS } from "../core/limits.ts";

/** Something that is written to, and those who wait for it. */
export class Drain {
  readonly out: Writable;
  readonly #waiting = new Set<Readable>();
  #closed = false;

  constructor(out: Writable) {
    this.out = out;
    out.on("drain", () => this.#release());
    out.on("close", () => this.close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nobody reads any more: what is written goes nowhere, and nobody waits. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  write(bytes: Buffer | string): void {
    if (!this.#closed) this.out.write(bytes);
  }

  /** Has a source wait until this is drained, if so many bytes wait to be written. */
  hold(source: Readable, bytes: number): void {
    if (this.#closed || this.out.writableLength <= bytes || !this.out.writableNeedDrain) return;
    source.pause();
    this.#waiting.add(source);
  }

  /** Whether a source has to wait. */
  holds(source: Readable): boolean {
    return this.#waiting.has(source);
  }

  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const source of waiting) source.emit("released");
  }
}

/** Reads `source` to its end; what is read is written to `forward`, and answers to it to `back`. */
export function relay(
  source: Readable,
  forward: Drain,
  back: Drain,
  read: (chunk: Buffer) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  source.on("released", () => {
    if (!forward.holds(source) && !back.holds(source)) source.resume();
  });
  source.on("data", (chunk: Buffer) => {
    read(chunk);
    forward.hold(source, 0);
    back.hold(source, LIMITS.answers_bytes);
  });
  source.on("end", resolve);
  source.on("close", resolve);
  source.on("error", () => resolve());
  return promise;
}
