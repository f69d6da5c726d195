// Takes whole records of one file into a batch: checks that the bytes before the offset are still the ones that
// were read, then cuts at the last line end. One read a batch, no copies. Reads plain files; see take-packed.ts.
import { fstatSync, read, readSync } from "node:fs";
import { systemCode } from "../core/errors.ts";
import { closingEnd, lastBlockEnd } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import { holeEnd, linesEnd } from "./cut.ts";
import type { Descriptors, Refusal } from "./descriptors.ts";
import type { Draft } from "./draft.ts";
import { digest } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import type { Tail } from "./tail.ts";

/** "more": there is more to read. "idle": not now. "full": does not fit into this batch. */
export type Taken = "more" | "idle" | "full";

const NEWLINE = 10;
const SCRATCH_BYTES = LIMITS.batch_bytes;

/** Bytes read. Short reads are made at once: a thread costs more than the page cache. */
function readAt(
  fd: number,
  into: Buffer,
  at: number,
  length: number,
  from: number,
): number | Promise<number> {
  if (length <= LIMITS.small_read_bytes) return readSync(fd, into, at, length, from);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  read(fd, into, at, length, from, (error, n) => (error === null ? resolve(n) : reject(error)));
  return promise;
}

export class Taker {
  readonly #descriptors: Descriptors;
  readonly #outbox: Outbox;
  readonly #refused: (tail: Tail, why: Refusal) => void;
  #scratch: Buffer | undefined;

  constructor(descriptors: Descriptors, outbox: Outbox, refused: (tail: Tail, why: Refusal) => void) {
    this.#descriptors = descriptors;
    this.#outbox = outbox;
    this.#refused = refused;
  }

  async take(tail: Tail, draft: Draft): Promise<Taken> {
    const fd = this.#descriptors.get(tail);
    if (typeof fd === "string") {
      this.#refused(tail, fd);
      return "idle";
    }
    try {
      // Before the last bytes of a file are handed over: are they the last?
      if (tail.flush && !stillThere(tail, fd, this.#outbox, draft)) return "idle";
      const taken = await this.#takeFrom(tail, fd, draft);
      tail.at_end = tail.flush && taken === "idle" && tail.offset >= tail.size;
      return taken;
    } catch (error) {
      this.#descriptors.close(tail);
      const code = systemCode(error);
      if (code === undefined || code.startsWith("ERR_")) throw error;
      this.#refused(tail, code);
      return "idle";
    }
  }

  async #takeFrom(tail: Tail, fd: number, draft: Draft): Promise<Taken> {
    let least = 0;
    if (tail.scanned > 0) {
      const end = await this.#lineEnd(tail, fd, draft);
      if (end === undefined) return "more";
      if (end < 0 && !tail.flush) return "idle";
      least = (end < 0 ? tail.size : end) - tail.offset;
      if (least > LIMITS.line_bytes) return this.#tooLong(tail, fd, tail.offset + least, draft);
    }
    const overlap = tail.tail_len;
    const length = draft.room(overlap + Math.max(tail.size - tail.offset, least), overlap + least);
    if (length === 0) return overlap + tail.size - tail.offset === 0 ? "idle" : "full";
    const pending = readAt(fd, draft.buffer, draft.at, length, tail.offset - overlap);
    const n = typeof pending === "number" ? pending : await pending;
    if (!sameTail(tail, draft.buffer, draft.at, n)) {
      replaced(tail, fd, this.#outbox);
      return "idle";
    }
    if (n < length) draft.gap(tail, this.#outbox.shrunk(tail, tail.offset - overlap + n), this.#outbox);
    return keepLines(tail, draft, n, tail.offset - overlap + n >= tail.size, this.#outbox);
  }

  /** Offset after the next line that ends a record; -1 when the file has none, undefined when it is others' turn. */
  async #lineEnd(tail: Tail, fd: number, draft: Draft): Promise<number | undefined> {
    this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    const stop = tail.offset + tail.scanned + LIMITS.scan_bytes;
    for (;;) {
      const from = tail.offset + tail.scanned;
      if (from >= tail.size) return -1;
      if (from >= stop) return undefined;
      const n = await readAt(fd, this.#scratch, 0, Math.min(SCRATCH_BYTES, tail.size - from), from);
      if (n === 0) {
        draft.gap(tail, this.#outbox.shrunk(tail, from), this.#outbox);
        return -1;
      }
      const bytes = this.#scratch.subarray(0, n);
      if (tail.framing === "block") {
        const { end, seen } = closingEnd(bytes);
        if (end >= 0) return from + end;
        if (from + n >= tail.size) return -1;
        tail.scanned += seen;
        continue;
      }
      const at = bytes.indexOf(NEWLINE);
      tail.scanned += at < 0 ? n : at;
      if (at >= 0) return from + at + 1;
    }
  }

  /** Leaves out the line that ends at `end`, and says so with its first bytes. */
  #tooLong(tail: Tail, fd: number, end: number, draft: Draft): Taken {
    const overlap = tail.tail_len;
    const bytes = Buffer.allocUnsafeSlow(overlap + LIMITS.raw_bytes);
    const n = readSync(fd, bytes, 0, bytes.length, tail.offset - overlap);
    if (!sameTail(tail, bytes, 0, n)) {
      replaced(tail, fd, this.#outbox);
      return "idle";
    }
    const last = Buffer.allocUnsafeSlow(LIMITS.head_bytes);
    if (readSync(fd, last, 0, last.length, end - last.length) < last.length) {
      draft.gap(tail, this.#outbox.shrunk(tail, end - last.length), this.#outbox);
      return "idle";
    }
    leaveOut(tail, draft, end, new Uint8Array(bytes.subarray(overlap, n)), last, this.#outbox);
    return end < tail.size ? "more" : "idle";
  }
}

/** Notes the size that a file has now. False when it was cut below the offset. */
export function stillThere(tail: Tail, fd: number, outbox: Outbox, draft?: Draft): boolean {
  const { size } = fstatSync(fd);
  if (size < tail.offset) {
    replaced(tail, fd, outbox);
    return false;
  }
  if (size < tail.size) {
    const gap = outbox.shrunk(tail, size);
    if (draft === undefined) outbox.note(tail, gap, {});
    else draft.gap(tail, gap, outbox);
  }
  tail.size = size;
  return true;
}

/** The file does not hold what was read of it: a new generation. */
export function replaced(tail: Tail, fd: number, outbox: Outbox): void {
  const { size } = fstatSync(fd);
  outbox.truncated(tail, size < tail.offset && tail.size > tail.offset ? tail.size - tail.offset : undefined);
  tail.size = size;
}

/** Whether the bytes before the offset, read to `at`, are the ones that were there before. */
function sameTail(tail: Tail, buffer: Buffer, at: number, n: number): boolean {
  const overlap = tail.tail_len;
  return overlap === 0 || (n >= overlap && digest(buffer.subarray(at, at + overlap)) === tail.tail_hash);
}

/** A gap instead of the line that ends at `end`. `last` are the bytes before its end. */
export function leaveOut(
  tail: Tail,
  draft: Draft,
  end: number,
  head: Uint8Array,
  last: Uint8Array,
  outbox: Outbox,
): void {
  outbox.counts.too_long++;
  const gap = outbox.makeGap(tail, "line_too_long", end - tail.offset);
  tail.advance(end, last);
  draft.gap(tail, { ...gap, head }, outbox);
}

/** Keeps the whole lines of `n` bytes that were read to `draft.at`; the first `tail_len` were read before. */
export function keepLines(tail: Tail, draft: Draft, n: number, at_end: boolean, outbox: Outbox): Taken {
  const { buffer, at } = draft;
  const start = at + tail.tail_len;
  const end = at + n;
  const from = holeEnd(buffer, start, end, tail.hole_bytes > 0);
  if (from > start) {
    tail.hole_bytes += from - start;
    tail.advance(tail.offset + from - start, buffer.subarray(at, from));
  }
  if (tail.hole_bytes > 0 && (from < end || (at_end && tail.flush))) closeHole(tail, draft, outbox);
  let to = linesEnd(buffer, from, end);
  const before_hole = to > from && to < end && buffer[to] === 0;
  // A block with a hole in it is no longer one.
  if (tail.framing === "block" && !before_hole) to = lastBlockEnd(buffer, from, to);
  if (at_end && tail.flush && !before_hole) to = end;
  if (to > from) {
    const offset = tail.offset;
    tail.advance(offset + to - from, buffer.subarray(at, to));
    draft.keep(tail, from, to, offset, outbox);
    return !at_end || before_hole ? "more" : "idle";
  }
  if (!at_end && draft.segments.length > 0) return "full";
  if (!at_end || end - from > LIMITS.small_read_bytes) tail.scanned = end - from;
  return at_end ? "idle" : "more";
}

function closeHole(tail: Tail, draft: Draft, outbox: Outbox): void {
  outbox.counts.hole_bytes += tail.hole_bytes;
  draft.gap(tail, outbox.makeGap(tail, "unreadable", tail.hole_bytes, tail.offset - tail.hole_bytes), outbox);
  tail.hole_bytes = 0;
}
