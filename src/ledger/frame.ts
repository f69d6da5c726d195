// The unit of the write-ahead log: whole entries and the positions reached with them, under one checksum.
// Bytes only; files are wal.ts. Layout, big-endian, 52 bytes and then header and run:
//   0 magic, 4 version, 8 crc32 of the other 48 bytes, 12 crc32 of header and run, 16 header bytes, 20 run bytes,
//   24 count, 28 first index (2 × 32 bits), 36 number of the frame (2 × 32 bits), 44 durable offset, 48 zero
import { crc32 } from "node:zlib";
import { LIMITS } from "../core/limits.ts";

export const PREFIX_BYTES = 52;
/** Starts with a byte that UTF-8 never has, so that no entry can hold a frame. */
export const MAGIC = Buffer.from([0xff, 0x54, 0x50, 0x46]);
export const VERSION = 1;

/** Entries [first, first + count) and what the writer noted with them. */
export interface Frame {
  /** Number of the frame since the ledger began: frames without entries share their index with the next. */
  readonly number: number;
  readonly first: number;
  readonly count: number;
  readonly header: Record<string, unknown>;
  readonly run: Uint8Array;
}

/** The fixed part of a frame, as read. */
export interface Prefix {
  readonly version: number;
  readonly bodyCrc: number;
  readonly headerBytes: number;
  readonly runBytes: number;
  readonly count: number;
  readonly first: number;
  readonly number: number;
  /** Offset in the segment up to which all was durable when this frame was written. */
  readonly durable: number;
}

/** Room for the prefix, then the header, which is JSON. `sealHead` fills the prefix in. */
export function newHead(text: string): Buffer {
  const head = Buffer.allocUnsafe(PREFIX_BYTES + Buffer.byteLength(text));
  head.write(text, PREFIX_BYTES);
  return head;
}

/** Writes the prefix of a frame whose header is in `head` and whose entries are in `run`. */
export function sealHead(
  head: Buffer,
  run: Uint8Array,
  place: { count: number; first: number; number: number; durable: number },
): void {
  MAGIC.copy(head, 0);
  head.writeUInt32BE(VERSION, 4);
  head.writeUInt32BE(crc32(run, crc32(head.subarray(PREFIX_BYTES))), 12);
  head.writeUInt32BE(head.length - PREFIX_BYTES, 16);
  head.writeUInt32BE(run.length, 20);
  head.writeUInt32BE(place.count, 24);
  writeIndex(head, place.first, 28);
  writeIndex(head, place.number, 36);
  head.writeUInt32BE(place.durable, 44);
  head.writeUInt32BE(0, 48);
  head.writeUInt32BE(prefixCrc(head), 8);
}

/** The prefix at the start of `bytes`, or undefined when it is not one. */
export function readPrefix(bytes: Buffer): Prefix | undefined {
  if (bytes.length < PREFIX_BYTES || bytes.compare(MAGIC, 0, 4, 0, 4) !== 0) return undefined;
  if (bytes.readUInt32BE(8) !== prefixCrc(bytes)) return undefined;
  return {
    version: bytes.readUInt32BE(4),
    bodyCrc: bytes.readUInt32BE(12),
    headerBytes: bytes.readUInt32BE(16),
    runBytes: bytes.readUInt32BE(20),
    count: bytes.readUInt32BE(24),
    first: readIndex(bytes, 28),
    number: readIndex(bytes, 36),
    durable: bytes.readUInt32BE(44),
  };
}

/** True when a frame of this build may have such a prefix: a checksum alone is no proof against a hostile file. */
export function sanePrefix(prefix: Prefix): boolean {
  return (
    prefix.version === VERSION &&
    prefix.headerBytes + prefix.runBytes <= 2 * LIMITS.frame_bytes &&
    Number.isSafeInteger(prefix.first + prefix.count) &&
    Number.isSafeInteger(prefix.number)
  );
}

/** The frame whose header and run are `body`, or undefined when they are not what was written. */
export function readBody(prefix: Prefix, body: Buffer): Frame | undefined {
  if (crc32(body) !== prefix.bodyCrc) return undefined;
  const run = body.subarray(prefix.headerBytes);
  if (countEntries(run) !== prefix.count) return undefined;
  try {
    const header = JSON.parse(body.toString("utf8", 0, prefix.headerBytes)) as Record<string, unknown>;
    return { number: prefix.number, first: prefix.first, count: prefix.count, header, run };
  } catch {
    return undefined;
  }
}

/** Number of entries in a run, or -1 when the last one does not end with it. */
export function countEntries(run: Uint8Array): number {
  let at = 0;
  let count = 0;
  for (; at + 2 <= run.length; count++) at += 2 + ((run[at]! << 8) | run[at + 1]!);
  return at === run.length ? count : -1;
}

/** Offset in a run of its entry number `position`; the run's length when there are no more. */
export function offsetOf(run: Uint8Array, position: number): number {
  let at = 0;
  for (let i = 0; i < position && at < run.length; i++) at += 2 + ((run[at]! << 8) | run[at + 1]!);
  return at;
}

const prefixCrc = (head: Buffer): number =>
  crc32(head.subarray(12, PREFIX_BYTES), crc32(head.subarray(0, 8)));

function writeIndex(head: Buffer, value: number, at: number): void {
  head.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  head.writeUInt32BE(value % 2 ** 32, at + 4);
}

const readIndex = (head: Buffer, at: number): number =>
  head.readUInt32BE(at) * 2 ** 32 + head.readUInt32BE(at + 4);
