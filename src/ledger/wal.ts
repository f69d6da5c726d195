// Write-ahead segments: files of frames, written by one process and read by any. A frame is valid entirely or not at
// all; the torn end that a crash leaves is told from damage to what was durable.
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { syncDir } from "../core/durable.ts";
import { makeDir, newerError, writeAll, writeError } from "./files.ts";
import {
  type Frame,
  MAGIC,
  PREFIX_BYTES,
  VERSION,
  readBody,
  readPrefix,
  sanePrefix,
  sealHead,
} from "./frame.ts";
import { WAL, padded } from "./paths.ts";

export interface Segment {
  readonly path: string;
  /** Index of its first entry, which names the file. */
  readonly first: number;
}

/** A frame about to be written: `head` comes from `newHead`. */
export interface NewFrame {
  readonly number: number;
  readonly first: number;
  readonly count: number;
  readonly head: Buffer;
  readonly run: Uint8Array;
}

/** The segments of a ledger, oldest first. */
export async function listSegments(dir: string): Promise<Segment[]> {
  const names = await readdir(join(dir, WAL)).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  const own = names.filter((name) => /^\d{20}\.wal$/.test(name)).toSorted();
  return own.map((name) => ({ path: join(dir, WAL, name), first: Number(name.slice(0, 20)) }));
}

export function corrupt(path: string, offset: number, what: string): TaplineError {
  return new TaplineError("LEDGER_CORRUPT", `${path} is damaged at offset ${offset}: ${what}`, {
    remedy:
      "Nothing was changed. Keep a copy of the directory, then restore it from a backup or start a new one.",
  });
}

/** Reads the frames of one segment in order, checking each. */
export class SegmentReader {
  readonly path: string;
  /** End of the last frame that was read. */
  offset = 0;
  /** True when bytes after `offset` are the rest of a write that a crash cut short. */
  torn = false;
  readonly #file: FileHandle;
  readonly #live: boolean;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  private constructor(path: string, file: FileHandle, live: boolean) {
    this.path = path;
    this.#file = file;
    this.#live = live;
  }

  /** `live`: another process may be writing, so that a frame that is not whole is one that is not there yet. */
  static async open(path: string, live: boolean): Promise<SegmentReader> {
    return new SegmentReader(path, await open(path, "r"), live);
  }

  /** The next frame, or undefined at the end. Throws LEDGER_CORRUPT where durable bytes are damaged. */
  async next(): Promise<Frame | undefined> {
    if (this.torn) return undefined;
    const at = this.offset;
    if ((await this.#bytes(at, 1)).length === 0) return undefined;
    const frame = await this.#frame(at);
    return frame ?? (this.#live ? undefined : await this.#judge(at));
  }

  /** The frame that begins at `at`; undefined when it is none, or not whole. */
  async #frame(at: number): Promise<Frame | undefined> {
    const prefix = readPrefix(await this.#bytes(at, PREFIX_BYTES));
    if (prefix === undefined) return undefined;
    if (prefix.version > VERSION)
      throw newerError(`${this.path} has a frame of version ${prefix.version} at offset ${at}`);
    if (!sanePrefix(prefix)) throw corrupt(this.path, at, "a frame that no version writes");
    const length = prefix.headerBytes + prefix.runBytes;
    const body = await this.#bytes(at + PREFIX_BYTES, length);
    const frame = body.length === length ? readBody(prefix, body) : undefined;
    if (frame !== undefined) this.offset = at + PREFIX_BYTES + length;
    return frame;
  }

  /** Continues elsewhere: at the start of a frame. */
  seek(offset: number): void {
    this.offset = offset;
  }

  /** Forgets what was read ahead: the file may have changed since. */
  refresh(): void {
    this.#window = Buffer.alloc(0);
  }

  /** Bytes in the file now, and whether its name is gone. */
  async state(): Promise<{ size: number; removed: boolean }> {
    const info = await this.#file.stat();
    return { size: info.size, removed: info.nlink === 0 };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** What stands at `at` is not a frame. When any later frame knew this place to be durable, it was damaged since, unless a
   * writer has finished it between the two looks; otherwise it belongs to the last write, which was never acknowledged. */
  async #judge(at: number): Promise<Frame | undefined> {
    const { size } = await this.#file.stat();
    const rest = await this.#read(at, size - at);
    for (let i = rest.indexOf(MAGIC, 1); i > 0; i = rest.indexOf(MAGIC, i + 1)) {
      const prefix = readPrefix(rest.subarray(i));
      if (prefix === undefined || prefix.durable <= at) continue;
      this.refresh();
      const frame = await this.#frame(at);
      if (frame === undefined) throw corrupt(this.path, at, "not a frame, and frames follow");
      return frame;
    }
    this.torn = true;
    return undefined;
  }

  async #bytes(at: number, length: number): Promise<Buffer> {
    const skip = at - this.#windowAt;
    if (skip >= 0 && skip + length <= this.#window.length) return this.#window.subarray(skip, skip + length);
    this.#window = await this.#read(at, Math.max(length, LIMITS.wal_read_bytes));
    this.#windowAt = at;
    return this.#window.subarray(0, length);
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const { size } = await this.#file.stat();
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - at)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
}

/** Appends groups of frames to the newest segment. After an error it is of no further use. */
export class WalWriter {
  readonly #dir: string;
  #file: FileHandle;
  #first: number;
  #offset: number;
  /** The next frame begins a segment, so that this one may go once nobody needs it. */
  turn = false;

  private constructor(dir: string, file: FileHandle, first: number, offset: number) {
    this.#dir = dir;
    this.#file = file;
    this.#first = first;
    this.#offset = offset;
  }

  /** Goes on at the end of `segment`, of which `offset` bytes are valid; the rest is cut off. */
  static async resume(dir: string, segment: Segment, offset: number): Promise<WalWriter> {
    const file = await open(segment.path, "a");
    if ((await file.stat()).size > offset) await file.truncate(offset);
    await file.sync();
    return new WalWriter(dir, file, segment.first, offset);
  }

  static async create(dir: string, first: number): Promise<WalWriter> {
    await makeDir(dir, join(dir, WAL));
    return new WalWriter(dir, await newSegment(dir, first), first, 0);
  }

  /** Writes the frames with one writev and one fdatasync. Resolves when they are durable; throws LEDGER_WRITE or
   * LEDGER_FULL, and then none of them is in the log. */
  async write(frames: readonly NewFrame[]): Promise<void> {
    if (frames.length === 0) return;
    await this.#rotate(frames[0]!.first);
    const durable = this.#offset;
    const buffers: Uint8Array[] = [];
    let length = 0;
    for (const frame of frames) {
      sealHead(frame.head, frame.run, {
        count: frame.count,
        first: frame.first,
        number: frame.number,
        durable,
      });
      buffers.push(frame.head, frame.run);
      length += frame.head.length + frame.run.length;
    }
    try {
      await writeAll(this.#file, buffers);
      await this.#file.datasync();
    } catch (error) {
      // After a failed sync nobody knows what is on the disk: what was not acknowledged is taken back.
      await this.#file.truncate(durable).catch(() => undefined);
      throw writeError(`writing the ledger in ${this.#dir}`, error);
    }
    this.#offset += length;
  }

  /** Starts a new segment at index `next` when this one is full. A segment without entries stays: the index of its
   * first entry is its name. */
  async #rotate(next: number): Promise<void> {
    const full =
      this.turn ||
      this.#offset >= LIMITS.wal_segment_bytes ||
      next - this.#first >= LIMITS.wal_segment_entries;
    if (!full || next === this.#first) return;
    try {
      const file = await newSegment(this.#dir, next);
      await this.#file.close();
      this.#file = file;
    } catch (error) {
      throw writeError(`starting a segment of the ledger in ${this.#dir}`, error);
    }
    this.#first = next;
    this.#offset = 0;
    this.turn = false;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function newSegment(dir: string, first: number): Promise<FileHandle> {
  const file = await open(join(dir, WAL, `${padded(first)}.wal`), "ax", 0o600);
  await syncDir(join(dir, WAL));
  return file;
}

/** Removes segments whose entries all end at or before `end`, oldest first; never the newest. */
export async function removeSegments(dir: string, end: number): Promise<number> {
  const segments = await listSegments(dir);
  let removed = 0;
  while (removed + 1 < segments.length && segments[removed + 1]!.first <= end) {
    await rm(segments[removed++]!.path);
  }
  return removed;
}
