// The newest durable entries, in memory, for readers that are caught up. Bounded in bytes; an entry leaves only when
// a bundle file has it, so that every durable entry is in one place or the other.
import type { EntryBatch } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { isShared } from "../core/shared-buffers.ts";
import { offsetOf } from "./frame.ts";

/** Parts of several frames are joined until a batch has this many bytes. */
const JOIN_BYTES = 256 * 1024;

interface Piece {
  readonly first: number;
  readonly count: number;
  readonly run: Uint8Array;
  readonly hashes: Uint8Array;
}

/** A frame's entries, and who still looks at them: the memory is used again when nobody does. */
interface Held extends Piece {
  readers: number;
  left: boolean;
}

export class Recent {
  readonly #onFree: ((run: Uint8Array) => void) | undefined;
  #pieces: Held[] = [];
  #start = 0; // pieces before this one have left
  #bytes = 0;
  #end: number;

  /** Runs in shared memory that nobody looks at any more go to `onFree`. */
  constructor(end: number, onFree?: (run: Uint8Array) => void) {
    this.#onFree = onFree;
    this.#end = end;
  }

  /** Index of the oldest entry held. */
  get first(): number {
    return this.#pieces[this.#start]?.first ?? this.#end;
  }

  push({ first, count, run, hashes }: Piece): void {
    const piece = { first, count, run, hashes, readers: 0, left: false };
    this.#pieces.push(piece);
    this.#bytes += piece.run.length + piece.hashes.length;
    this.#end = piece.first + piece.count;
  }

  /** Lets go of the oldest entries beyond the bound that are `written` to files. */
  shrink(written: number): void {
    while (this.#bytes > LIMITS.memory_entries_bytes) {
      const piece = this.#pieces[this.#start];
      if (piece === undefined || piece.first + piece.count > written) break;
      this.#bytes -= piece.run.length + piece.hashes.length;
      this.#start++;
      piece.left = true;
      this.#free(piece);
    }
    if (this.#start > 64 && this.#start * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Entries from index `from`, which must be held; at least one, then as many as both bounds allow. What comes from
   * one frame is a view of it, kept whole until it is released. */
  read(from: number, maxEntries: number, maxBytes: number): EntryBatch {
    let at = this.#find(from);
    const held = this.#pieces[at]!;
    const parts: EntryBatch[] = [];
    let count = 0;
    let bytes = 0;
    for (; at < this.#pieces.length && count < maxEntries; at++) {
      const piece = this.#pieces[at]!;
      const next = part(piece, from + count, maxEntries - count, maxBytes - bytes);
      if (count > 0 && bytes + next.run.length > Math.min(maxBytes, 2 * JOIN_BYTES)) break;
      parts.push(next);
      count += next.count;
      bytes += next.run.length;
      if (bytes >= JOIN_BYTES || next.first + next.count < piece.first + piece.count) break;
    }
    if (parts.length > 1) return joinBatches(parts);
    held.readers++;
    let looking = true;
    const release = (): void => {
      if (!looking) return;
      looking = false;
      held.readers--;
      this.#free(held);
    };
    return { ...parts[0]!, release };
  }

  /** Gives the memory of a frame back that has left and that nobody looks at. */
  #free({ run, readers, left }: Held): void {
    if (!left || readers > 0) return;
    if (isShared(run)) this.#onFree?.(run);
    // Freed now, not at some later collection: frames come faster than those.
    else if (run.buffer instanceof ArrayBuffer && run.length === run.buffer.byteLength)
      run.buffer.transfer(0);
  }

  #find(index: number): number {
    let low = this.#start;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The entries of one stretch from index `from`, within both bounds; the first one whatever its length. */
export function part(piece: Piece, from: number, maxEntries: number, maxBytes: number): EntryBatch {
  const { run } = piece;
  const skip = from - piece.first;
  const start = offsetOf(run, skip);
  if (skip + maxEntries >= piece.count && run.length - start <= maxBytes) {
    const count = piece.count - skip;
    return { first: from, count, run: run.subarray(start), hashes: piece.hashes.subarray(skip * 32) };
  }
  let end = start;
  let count = 0;
  while (count < maxEntries && skip + count < piece.count) {
    const next = end + 2 + ((run[end]! << 8) | run[end + 1]!);
    if (count > 0 && next - start > maxBytes) break;
    end = next;
    count++;
  }
  const hashes = piece.hashes.subarray(skip * 32, (skip + count) * 32);
  return { first: from, count, run: run.subarray(start, end), hashes };
}

/** Adjacent batches as one. */
export function joinBatches(parts: readonly EntryBatch[]): EntryBatch {
  if (parts.length === 1) return parts[0]!;
  let count = 0;
  for (const { count: more } of parts) count += more;
  return {
    first: parts[0]!.first,
    count,
    run: Buffer.concat(parts.map(({ run }) => run)),
    hashes: Buffer.concat(parts.map(({ hashes }) => hashes)),
  };
}
