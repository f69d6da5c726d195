// The first look at a file: waits for its first whole record, checks that a resumed file is the same one, and has
// format and session recognised.
import { readSync } from "node:fs";
import type { Router } from "../core/stage.ts";
import { type Framing, blockEnd, bomLength, framingOf, lastBlockEnd } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import { systemCode } from "../core/errors.ts";
import type { Descriptors, Refusal } from "./descriptors.ts";
import { digest, firstId, nextId } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import type { Tail } from "./tail.ts";
import { replaced, stillThere } from "./take.ts";
import { Unpacker } from "./unpack.ts";

const NEWLINE = 10;

/** Place of the line end that ends the first record; -1 when it is not there. */
function firstEnd(head: Buffer, framing: Framing): number {
  if (framing === "line") return head.indexOf(NEWLINE);
  const end = blockEnd(head, bomLength(head), head.length);
  return end < 0 ? -1 : end - 1;
}

/** The first bytes of a file: enough to hold a record end, or all, or LIMITS.probe_bytes. Rejects with a system error. */
async function readHead(tail: Tail, descriptors: Descriptors): Promise<Buffer | Refusal> {
  if (tail.packed !== undefined) return readPackedHead(tail, descriptors);
  const fd = descriptors.get(tail);
  if (typeof fd === "string") return fd;
  let head = Buffer.allocUnsafeSlow(Math.min(tail.size, LIMITS.probe_first_bytes));
  let n = readSync(fd, head, 0, head.length, 0);
  if (n === LIMITS.probe_first_bytes && firstEnd(head, framingOf(head)) < 0) {
    head = Buffer.allocUnsafeSlow(Math.min(tail.size, LIMITS.probe_bytes));
    n = readSync(fd, head, 0, head.length, 0);
  }
  return head.subarray(0, n);
}

async function readPackedHead(tail: Tail, descriptors: Descriptors): Promise<Buffer | Refusal> {
  const fd = descriptors.lend(tail);
  if (typeof fd === "string") return fd;
  const unpacker = new Unpacker(fd, tail.packed!);
  try {
    const head = Buffer.allocUnsafeSlow(LIMITS.probe_bytes);
    return head.subarray(0, await unpacker.read(head));
  } finally {
    unpacker.close();
  }
}

export interface HeadParts {
  readonly descriptors: Descriptors;
  readonly outbox: Outbox;
  readonly router: Router;
  readonly ids: Set<string>;
  refused(tail: Tail, why: Refusal): void;
}

/** True when the file's first record is there and the stream is known; it may be read from then on. */
export async function lookAtHead(tail: Tail, parts: HeadParts): Promise<boolean> {
  const { outbox, router } = parts;
  if (tail.size === 0 || (tail.size === tail.probed_size && !tail.flush)) return false;
  let head: Buffer | Refusal;
  let same = true;
  try {
    head = await readHead(tail, parts.descriptors);
    if (typeof head !== "string" && tail.resumed) same = isResumed(tail, head, parts);
  } catch (error) {
    head = systemCode(error) ?? "EIO";
  }
  if (typeof head === "string") {
    parts.refused(tail, head);
    return false;
  }
  if (!same) return false;
  const framing = framingOf(head);
  const line = firstEnd(head, framing);
  if (
    !tail.resumed &&
    line < 0 &&
    head.length < LIMITS.probe_bytes &&
    !tail.flush &&
    tail.packed === undefined
  ) {
    tail.probed_size = tail.size;
    return false;
  }
  if (!tail.resumed) {
    identify(tail, head, line, parts);
    tail.framing = framing;
  }
  if (!tail.resumed || tail.format === "unknown") {
    const start = bomLength(head);
    const last = head.lastIndexOf(NEWLINE);
    tail.recognise(head.subarray(start, last < 0 ? head.length : last + 1), router, outbox.common);
    if (start > 0 && tail.offset === 0) tail.advance(start, head.subarray(0, start));
  } else tail.enqueueAt(router, outbox.common);
  tail.resumed = false;
  return true;
}

/** Whether a file is the one that the position of an earlier run speaks of. */
function isResumed(tail: Tail, head: Uint8Array, { descriptors, outbox }: HeadParts): boolean {
  if (tail.packed === undefined) {
    const fd = descriptors.get(tail);
    if (typeof fd === "string" || !stillThere(tail, fd, outbox)) return false;
    if (sameHead(tail, head)) return true;
    replaced(tail, fd, outbox);
    return false;
  }
  if (sameHead(tail, head)) return true;
  outbox.truncated(tail, undefined);
  return false;
}

function sameHead(tail: Tail, head: Uint8Array): boolean {
  return head.length >= tail.head_len && digest(head.subarray(0, tail.head_len)) === tail.head_hash;
}

function identify(tail: Tail, head: Buffer, line: number, { outbox, ids }: HeadParts): void {
  tail.head_len = Math.min(head.length, LIMITS.head_bytes);
  tail.head_hash = digest(head.subarray(0, tail.head_len));
  tail.head = new Uint8Array(head.subarray(0, tail.head_len));
  if (tail.gen > 0 || tail.recorded) return;
  const first = head.subarray(0, Math.min(line < 0 ? head.length : line + 1, LIMITS.head_bytes));
  let id = firstId(outbox.common.source, tail.key, first);
  // A file that was truncated after its content was copied away shares its identity with the copy's stream.
  while (ids.has(id)) id = nextId(id, ++tail.gen);
  ids.add(id);
  tail.id = id;
  tail.announced = false;
}

/** Goes to the last record end in what was there when the file was first seen. */
export function startAtEnd(tail: Tail, descriptors: Descriptors): void {
  const size = Math.min(tail.from_end, tail.size);
  tail.from_end = 0;
  if (tail.packed !== undefined) {
    tail.packed_size = tail.size;
    return;
  }
  const fd = descriptors.get(tail);
  if (typeof fd === "string") return;
  const bytes = Buffer.allocUnsafeSlow(Math.min(size, LIMITS.small_read_bytes));
  const n = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
  const last =
    (tail.framing === "block" ? lastBlockEnd(bytes, 0, n) : bytes.subarray(0, n).lastIndexOf(NEWLINE) + 1) -
    1;
  // No line end in so many bytes: start within the line rather than read what was not asked for.
  const end = last < 0 && n < size ? n : last + 1;
  if (end > 0) tail.advance(size - bytes.length + end, bytes.subarray(0, end));
}
