// The pieces of a message that is not whole yet. A piece costs more than its bytes: many small ones are joined, so that
// what is held stays near the bytes that came, and each byte is copied a few times at most.
import { LIMITS } from "../core/limits.ts";

const NONE = Buffer.alloc(0);

export class Pieces {
  #pieces: Buffer[] = [];
  #joined = NONE;
  /** Of `#joined`; the rest of it is room. */
  #filled = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#pieces.length > LIMITS.held_pieces) this.#join();
  }

  /** All of them together; nothing is held any more. */
  take(): Buffer {
    const [first] = this.#pieces;
    const alone = this.#filled === 0 && this.#pieces.length === 1;
    const all = alone ? first! : Buffer.concat([this.#joined.subarray(0, this.#filled), ...this.#pieces]);
    this.#pieces = [];
    this.#joined = NONE;
    this.#filled = 0;
    this.#bytes = 0;
    return all;
  }

  #join(): void {
    if (this.#joined.length < this.#bytes) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#joined.length, this.#bytes));
      this.#joined.copy(larger, 0, 0, this.#filled);
      this.#joined = larger;
    }
    for (const piece of this.#pieces) this.#filled += piece.copy(this.#joined, this.#filled);
    this.#pieces = [];
  }
}
