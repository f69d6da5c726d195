// Takes whole records of a compressed file into a batch. Such a file is complete and never grows; offsets count its
// content. Few are open at once, since each holds a decompressor.
import { blockEnd } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import type { Descriptors, Refusal } from "./descriptors.ts";
import type { Draft } from "./draft.ts";
import type { Outbox } from "./outbox.ts";
import type { Tail } from "./tail.ts";
import { type Taken, keepLines, leaveOut } from "./take.ts";
import { Unpacker } from "./unpack.ts";

const OPEN_MAX = 2; // a queue

export class PackedTaker {
  readonly #descriptors: Descriptors;
  readonly #outbox: Outbox;
  readonly #refused: (tail: Tail, why: Refusal) => void;
  readonly #open = new Set<Tail>();

  constructor(descriptors: Descriptors, outbox: Outbox, refused: (tail: Tail, why: Refusal) => void) {
    this.#descriptors = descriptors;
    this.#outbox = outbox;
    this.#refused = refused;
  }

  /** "full" also when too many are open: it is this file's turn later. */
  async take(tail: Tail, draft: Draft): Promise<Taken> {
    if (tail.packed_size === tail.size) return "idle";
    let beside = 0;
    for (const other of this.#open) if (other !== tail && other.queue === tail.queue) beside++;
    if (beside >= OPEN_MAX) return "more";
    try {
      const unpacker = tail.unpacker ?? (await this.#start(tail));
      return unpacker === undefined ? "idle" : await this.#takeFrom(tail, unpacker, draft);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      this.#broken(tail, draft);
      return "idle";
    }
  }

  async #start(tail: Tail): Promise<Unpacker | undefined> {
    const fd = this.#descriptors.lend(tail);
    if (typeof fd === "string") {
      this.#refused(tail, fd);
      return undefined;
    }
    const unpacker = (tail.unpacker = new Unpacker(fd, tail.packed!));
    this.#open.add(tail);
    if (tail.offset > 0 && (await unpacker.skipTo(tail.offset, tail.tail_len)) !== tail.tail_hash) {
      this.close(tail);
      this.#outbox.truncated(tail, undefined);
      return undefined;
    }
    return unpacker;
  }

  async #takeFrom(tail: Tail, unpacker: Unpacker, draft: Draft): Promise<Taken> {
    const overlap = tail.tail_len;
    const least = Math.min(tail.scanned * 2, LIMITS.line_bytes);
    const length = draft.room(overlap + Math.max(LIMITS.batch_bytes - overlap, least), overlap + least + 1);
    if (length <= overlap) return "full";
    draft.buffer.set(unpacker.recent, draft.at);
    const before = draft.at;
    const bytes = draft.buffer.subarray(before, before + length);
    const n = overlap + (await unpacker.read(bytes.subarray(overlap)));
    const too_long = !unpacker.ended && tail.scanned >= LIMITS.line_bytes;
    const ends = tail.framing === "block" ? blockEnd(bytes, overlap, n) : bytes.indexOf(10, overlap);
    if (too_long && ends < 0) return this.#tooLong(tail, unpacker, bytes, draft);
    const offset = tail.offset;
    tail.flush = true;
    const taken = keepLines(tail, draft, n, unpacker.ended, this.#outbox);
    const used = overlap + tail.offset - offset;
    unpacker.recent = new Uint8Array(bytes.subarray(used - tail.tail_len, used));
    const ended = unpacker.ended;
    unpacker.unread(bytes.subarray(used, n));
    if (!ended || used < n) return taken === "full" ? "full" : "more";
    this.#complete(tail, draft);
    return "idle";
  }

  async #tooLong(tail: Tail, unpacker: Unpacker, bytes: Buffer, draft: Draft): Promise<Taken> {
    const overlap = tail.tail_len;
    const head = new Uint8Array(bytes.subarray(overlap, overlap + LIMITS.raw_bytes));
    let last: Uint8Array = new Uint8Array(bytes.subarray(-LIMITS.head_bytes));
    const scratch = Buffer.allocUnsafeSlow(LIMITS.small_read_bytes);
    for (;;) {
      const n = await unpacker.read(scratch);
      const at = scratch.subarray(0, n).indexOf(10);
      const end = at < 0 ? n : at + 1;
      last = Buffer.concat([last, scratch.subarray(0, end)]).subarray(-LIMITS.head_bytes);
      unpacker.unread(scratch.subarray(end, n));
      if (at >= 0 || n < scratch.length) break;
    }
    leaveOut(tail, draft, unpacker.offset, head, last, this.#outbox);
    unpacker.recent = new Uint8Array(last);
    return "more";
  }

  #complete(tail: Tail, draft: Draft): void {
    this.close(tail);
    tail.packed_size = tail.size;
    draft.mark(tail, this.#outbox);
  }

  #broken(tail: Tail, draft: Draft): void {
    this.#outbox.counts.broken++;
    tail.packed_size = tail.size;
    draft.gap(tail, this.#outbox.makeGap(tail, "unreadable", undefined), this.#outbox);
    this.close(tail);
  }

  close(tail: Tail): void {
    this.#open.delete(tail);
    tail.unpacker?.close();
    tail.unpacker = undefined;
  }

  closeAll(): void {
    for (const tail of this.#open) this.close(tail);
  }
}
