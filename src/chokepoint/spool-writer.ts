// Appends records to the spool that the collector reads (sources/spool.ts): one stream a process, numbered segments,
// numbered and chained lines. Synchronous: when `append` returns, the kernel has the line, and it survives the death of
// this process; with durability `disk` it survives that of the machine. Knows nothing of what is in a record.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { startOf } from "../core/lock.ts";
import { processSpace } from "../core/pid-namespace.ts";
import { type SpoolHead, chained, lineDigest } from "../core/spool-chain.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const OTHERS = 0o077;
const REMEDY = "free the disk, or name a directory of your own with --spool; `tapline run` empties it";

export interface SpoolOptions {
  readonly dir: string;
  /** First part of the stream's name: `mcp`, `hook`. */
  readonly kind: string;
  /** `process`: a line survives the death of this process. `disk`: that of the machine, by fdatasync. */
  readonly durability: "process" | "disk";
  /** Bytes after which the next segment begins. */
  readonly segment_bytes?: number | undefined;
}

export class SpoolWriter {
  readonly stream: string;
  readonly #dir: string;
  readonly #sync: boolean;
  readonly #segment_bytes: number;
  readonly #space = processSpace();
  readonly #start = startOf(process.pid) ?? "-";
  #fd: number | undefined;
  #segment = 0;
  #bytes = 0;
  #n = 0;
  #prev = "";
  #ended = false;

  /** Makes the directory. Throws SPOOL_UNSAFE when others can read or change it, SPOOL_UNWRITABLE when it cannot be. */
  constructor({ dir, kind, durability, segment_bytes = LIMITS.spool_segment_bytes }: SpoolOptions) {
    this.#dir = dir;
    this.#sync = durability === "disk";
    this.#segment_bytes = segment_bytes;
    this.stream = `${kind}-${process.pid}-${randomBytes(8).toString("hex")}`;
    this.#try(() => mkdirSync(dir, { recursive: true, mode: 0o700 }));
    const stats = this.#try(() => lstatSync(dir));
    const foreign = process.getuid !== undefined && stats.uid !== process.getuid();
    if (!stats.isDirectory() || foreign || (process.platform !== "win32" && (stats.mode & OTHERS) !== 0)) {
      throw new TaplineError(
        "SPOOL_UNSAFE",
        `${dir} is ${stats.isDirectory() ? (foreign ? "another user's" : "open to other users") : "no directory"}`,
        { remedy: `\`chmod 700 ${dir}\`, or name a directory of your own with --spool` },
      );
    }
  }

  /** Appends a record, the text of a JSON object on one line that has something in it. Throws SPOOL_FULL or
   * SPOOL_UNWRITABLE, and then nothing of the record is in the stream. */
  append(record: string): void {
    this.#write(record, false);
  }

  /** Appends the last record and closes the stream. Nothing can be appended after it. */
  end(record: string): void {
    if (this.#ended) return;
    this.#write(record, true);
    this.#ended = true;
    this.#close();
  }

  #write(record: string, close: boolean): void {
    if (this.#ended) throw new TaplineError("SPOOL_UNWRITABLE", `stream ${this.stream} was closed`);
    const begins = this.#fd === undefined || this.#bytes >= this.#segment_bytes;
    if (begins) this.#open();
    const line = chained(record, this.#n, this.#prev, begins ? this.#head() : undefined, close);
    const bytes = Buffer.from(`${line}\n`);
    this.#append(bytes, begins);
    this.#bytes += bytes.length;
    this.#n++;
    this.#prev = lineDigest(bytes.subarray(0, -1));
    if (begins || close) this.#name(begins ? "new" : "spool", close ? "done" : "spool");
  }

  /** Gives the segment the name that its state has. It is seen when it has its first line, and never empty. */
  #name(from: string, to: string): void {
    this.#try(() => renameSync(this.#path(from), this.#path(to)));
    this.#syncDirectory();
  }

  #head(): SpoolHead {
    const { stream } = this;
    return { stream, segment: this.#segment, pid: process.pid, start: this.#start, ...this.#space };
  }

  #path(ending: string): string {
    return join(this.#dir, `${this.stream}.${this.#segment}.${ending}`);
  }

  #open(): void {
    const free = this.#try(() => statfsSync(this.#dir, { bigint: true }));
    if (free.bavail * free.bsize < BigInt(LIMITS.spool_free_bytes)) throw this.#full();
    this.#close();
    this.#segment++;
    this.#bytes = 0;
    this.#fd = this.#try(() => {
      try {
        return openSync(this.#path("new"), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      } catch (error) {
        this.#segment--;
        throw error;
      }
    });
  }

  /** All bytes or none: what was written of a line that did not fit is taken back. */
  #append(bytes: Buffer, begins: boolean): void {
    const fd = this.#fd!;
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      if (this.#sync) fdatasyncSync(fd);
    } catch (error) {
      this.#takeBack(begins);
      throw this.#error(error);
    }
  }

  #takeBack(begins: boolean): void {
    try {
      if (begins) unlinkSync(this.#path("new"));
      else ftruncateSync(this.#fd!, this.#bytes);
    } catch {
      // The next line is told apart by the chain.
    }
    if (!begins) return;
    this.#close();
    this.#segment--;
  }

  #syncDirectory(): void {
    if (!this.#sync) return;
    this.#try(() => {
      const fd = openSync(this.#dir, constants.O_RDONLY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #try<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.#error(error);
    }
  }

  #full(): TaplineError {
    return new TaplineError("SPOOL_FULL", `no room for the spool ${this.#dir}`, {
      retry: true,
      remedy: REMEDY,
    });
  }

  #error(error: unknown): Error {
    if (error instanceof TaplineError) return error;
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOSPC", "EDQUOT", "EFBIG"].includes(String(error.code))
    )
      return this.#full();
    return new TaplineError("SPOOL_UNWRITABLE", `cannot write the spool ${this.#dir}: ${reasonOf(error)}`, {
      retry: true,
      remedy: REMEDY,
      cause: error,
    });
  }
}
