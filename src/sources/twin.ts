// Whether a file holds the content that another stream was read from: rotation copies (`copytruncate`) and packs
// (`gzip`) files, and what was read once must not be read again under another name. Only compares.
import { constants, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { LIMITS } from "../core/limits.ts";
import { letGo } from "./descriptors.ts";
import { digest, packingOf } from "./identity.ts";
import type { Tail } from "./tail.ts";
import { Unpacker } from "./unpack.ts";

/** "short": the same as far as it goes, but it does not go as far as was read: it may be still being written. */
export type Likeness = "same" | "short" | "different";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Compares a plain file with what was read of `tail`. */
function comparePlain(path: string, tail: Tail): Likeness {
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch {
    return "different";
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return "different";
    if (!hashesTo(fd, 0, Math.min(tail.head_len, stats.size), tail.head_len, tail.head_hash))
      return "different";
    if (stats.size < tail.offset) return "short";
    return hashesTo(fd, tail.offset - tail.tail_len, tail.tail_len, tail.tail_len, tail.tail_hash)
      ? "same"
      : "different";
  } catch {
    return "different";
  } finally {
    letGo(fd);
  }
}

function hashesTo(fd: number, from: number, length: number, expected: number, hash: string): boolean {
  if (length < expected) return false;
  const bytes = Buffer.allocUnsafeSlow(LIMITS.head_bytes);
  return readSync(fd, bytes, 0, length, from) === length && digest(bytes.subarray(0, length)) === hash;
}

/** The first bytes of an open file, as many as can be read. */
export function headOf(fd: number): Uint8Array {
  const head = Buffer.allocUnsafeSlow(LIMITS.head_bytes);
  try {
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } catch {
    return head.subarray(0, 0);
  }
}

/** Whether what an open file holds from an offset to its end is in the file at a path too, at the same place. */
export function goesOnAs(fd: number, path: string, offset: number, end: number): boolean {
  const left = end - offset;
  if (left <= 0) return true;
  if (left > LIMITS.scan_bytes) return false;
  let other: number | undefined;
  try {
    other = openSync(path, FLAGS);
    const [here, there] = [Buffer.allocUnsafe(left), Buffer.allocUnsafe(left)];
    const [n, m] = [readSync(fd, here, 0, left, offset), readSync(other, there, 0, left, offset)];
    return n === m && here.equals(there);
  } catch {
    return false;
  } finally {
    if (other !== undefined) letGo(other);
  }
}

/** The same at once, packed files included when they are small. */
export function compareNow(path: string, tail: Tail): Likeness {
  const packing = packingOf(path);
  if (packing === undefined) return comparePlain(path, tail);
  try {
    if (statSync(path).size > LIMITS.scan_bytes) return "different";
    const unpack = packing === "gz" ? gunzipSync : zstdDecompressSync;
    const content = unpack(readFileSync(path), { maxOutputLength: LIMITS.scan_bytes });
    const { head_len, head_hash, offset, tail_len, tail_hash } = tail;
    if (content.length < offset) return "short";
    const same = digest(content.subarray(0, head_len)) === head_hash;
    return same && digest(content.subarray(offset - tail_len, offset)) === tail_hash ? "same" : "different";
  } catch {
    return "different";
  }
}

/** Compares a file's content, packed or not, with what was read of `tail`. */
export async function compare(candidate: Tail, tail: Tail): Promise<Likeness> {
  if (candidate.packed === undefined) return comparePlain(candidate.at, tail);
  const { head_len, head_hash, offset, tail_len, tail_hash } = tail;
  let fd: number;
  try {
    fd = openSync(candidate.at, FLAGS);
  } catch {
    return "different";
  }
  const unpacker = new Unpacker(fd, candidate.packed);
  try {
    const head = Buffer.allocUnsafeSlow(head_len);
    const n = await unpacker.read(head);
    if (n < head_len) return "short";
    if (digest(head) !== head_hash) return "different";
    unpacker.unread(head);
    const found = await unpacker.skipTo(offset, tail_len);
    return found === undefined ? "short" : found === tail_hash ? "same" : "different";
  } catch {
    return "short";
  } finally {
    unpacker.close();
  }
}
