// Documents as NDJSON, appended to one file and synced. Each entry is in it once: the last document's sequence says
// where the file stands, and a line that a crash cut is removed. Rotation is left to others; a file moved away is
// replaced by a new one. One writer a file, since each goes by what it finds at the end: a lock file says who.
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { takeLock } from "../core/lock.ts";
import { syncDir } from "../core/durable.ts";
import type { Component, EntryBatch, Sink, WriteResult } from "../core/stage.ts";
import { InOrder } from "../core/in-order.ts";
import { documentLines } from "./document.ts";

const config = z
  .strictObject({
    type: z.literal("file"),
    path: z.string().min(1).describe("File to append to; it is made when it is not there"),
  })
  .describe("NDJSON: one document a line, exactly as the search engines get them");

const NEWLINE = 0x0a;
const OURS = /,"sequence":(\d{1,16}),"hash":"sha256:[0-9a-f]{64}"\}\}$/;
const START = '{"@timestamp":"';

interface Opened {
  readonly handle: FileHandle;
  readonly device: number;
  readonly inode: number;
  /** Bytes of whole lines. */
  size: number;
}

class FileSink implements Sink {
  readonly #path: string;
  #file: Opened | undefined;
  /** Index of the first entry that is not in the file, or in one before it. */
  #next = 0;
  readonly #turns = new InOrder();
  #unlock: (() => void) | undefined;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#turns.take(() => this.#ready());
  }

  write(batch: EntryBatch): Promise<WriteResult> {
    return this.#turns.take(() => this.#append(batch));
  }

  async close(): Promise<void> {
    await this.#turns.take(() => this.#drop()).catch(() => {});
    this.#release();
  }

  #release(): void {
    this.#unlock?.();
    this.#unlock = undefined;
  }

  async #append(batch: EntryBatch): Promise<WriteResult> {
    const file = await this.#ready();
    const existing = Math.min(Math.max(this.#next - batch.first, 0), batch.count);
    const created = batch.count - existing;
    if (created > 0) {
      const bytes = documentLines(batch, existing);
      try {
        await file.handle.appendFile(bytes);
        await file.handle.datasync();
      } catch (cause) {
        // Nothing is known of what was written; opened again, the file tells.
        await file.handle.truncate(file.size).catch(() => {});
        await this.#drop();
        throw trouble("FILE_WRITE", `cannot write ${this.#path}`, cause);
      }
      file.size += bytes.length;
      this.#next = batch.first + batch.count;
    }
    return { created, existing, dead: [], filtered: 0 };
  }

  async #ready(): Promise<Opened> {
    try {
      if (this.#file !== undefined && !(await isAt(this.#file, this.#path))) await this.#drop();
      return (this.#file ??= await this.#openFile());
    } catch (cause) {
      if (cause instanceof TaplineError) throw cause;
      throw trouble("FILE_OPEN", `cannot open ${this.#path}`, cause);
    }
  }

  async #openFile(): Promise<Opened> {
    const found = await stat(this.#path).catch(() => undefined);
    if (found !== undefined && !found.isFile()) {
      throw new TaplineError("FILE_NOT_REGULAR", `${this.#path} is not a regular file`, {
        remedy: "give the path of a file; standard output is `tapline scan`",
      });
    }
    if (found === undefined) await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    this.#unlock ??= takeLock(`${this.#path}.lock`, (pid) => locked(this.#path, pid));
    const handle = await open(this.#path, "a+", 0o600);
    try {
      const { dev, ino, size } = await handle.stat();
      const file: Opened = { handle, device: dev, inode: ino, size };
      if (size > 0) await this.#findEnd(file);
      if (found === undefined) await syncDir(dirname(this.#path));
      return file;
    } catch (error) {
      await handle.close();
      this.#release();
      throw error;
    }
  }

  /** Cuts a torn last line and takes the sequence of the last whole one. Touches no file that is not ours. */
  async #findEnd(file: Opened): Promise<void> {
    const length = Math.min(file.size, LIMITS.file_tail_bytes);
    const tail = Buffer.alloc(length);
    await file.handle.read(tail, 0, length, file.size - length);
    const whole = tail.lastIndexOf(NEWLINE) + 1;
    if (whole > 0) {
      const line = tail.lastIndexOf(NEWLINE, whole - 2) + 1;
      const sequence = OURS.exec(tail.toString("latin1", line, whole - 1))?.[1];
      if (sequence === undefined) throw foreign(this.#path);
      this.#next = Math.max(this.#next, Number(sequence) + 1);
    } else if (
      length < file.size ||
      !tail.toString("latin1", 0, START.length).startsWith(START.slice(0, length))
    ) {
      throw foreign(this.#path);
    }
    if (whole === length) return;
    file.size -= length - whole;
    await file.handle.truncate(file.size);
    await file.handle.sync();
  }

  async #drop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => {});
  }
}

async function isAt(file: Opened, path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.ino === file.inode && found.dev === file.device && found.size === file.size;
}

function trouble(code: string, what: string, cause: unknown): TaplineError {
  return new TaplineError(code, `${what}: ${reasonOf(cause)}`, { retry: true, cause });
}

function locked(path: string, pid: string): TaplineError {
  return new TaplineError("FILE_LOCKED", `${path} is being written by process ${pid}`, {
    retry: true,
    remedy: "a file has one writer: stop the collector for the time of a replay into it",
  });
}

function foreign(path: string): TaplineError {
  return new TaplineError("FILE_FOREIGN", `${path} does not end with a document of Tapline`, {
    remedy: "give the sink a file of its own",
  });
}

export default {
  config,
  create: (options) => new FileSink(options.path),
} satisfies Component<typeof config, Sink>;
