// From durable entries to tiles: feeds the tree, cuts entries into bundles of 256, and writes full bundles and hash
// tiles in the background. Files appear first and become durable later; until then the write-ahead log has them.
import { dirname, join } from "node:path";
import type { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { syncDir } from "../core/durable.ts";
import { makeDir, placeFile, syncFile, syncFileSystem, writeError } from "./files.ts";
import { offsetOf } from "./frame.ts";
import { MerkleTree, TILE_WIDTH } from "./merkle.ts";
import { type TileRef, partialsOf, tilePath } from "./paths.ts";

/** A full bundle and the hash tiles that it completes, on their way to files. */
interface Job {
  readonly index: number;
  readonly bytes: number;
  readonly files: { path: string; buffers: readonly Uint8Array[] }[];
}

/** What the tree's right edge is at one moment: enough to publish a checkpoint. */
export interface Edge {
  readonly size: number;
  readonly root: Uint8Array;
  readonly files: readonly { ref: TileRef; path: string; buffers: readonly Uint8Array[] }[];
}

export class Tiles {
  /** Called when more entries are in files or durable, and when writing has failed. */
  onProgress: () => void = () => undefined;
  readonly #dir: string;
  readonly #tree: MerkleTree;
  readonly #made = new Set<string>();
  #bundle: Uint8Array[] = [];
  #bundleBytes = 0;
  #queue: Job[] = [];
  #queuedBytes = 0;
  #written: number;
  #synced: number;
  #writing = false;
  #syncing = false;
  #failure: TaplineError | undefined;
  #waiting: (() => void)[] = [];

  /** `size`, a multiple of 256: where the tree continues; all below is in durable tiles. */
  constructor(dir: string, size: number, edges: readonly Uint8Array[]) {
    this.#dir = dir;
    this.#tree = new MerkleTree((level, index, hashes) => this.#full(level, index, hashes));
    this.#tree.restore(size, edges);
    this.#written = size;
    this.#synced = size;
  }

  /** Entries in the tree. */
  get size(): number {
    return this.#tree.size;
  }
  /** Entries in bundle files, a multiple of 256. */
  get written(): number {
    return this.#written;
  }
  /** Entries whose bundles and hash tiles are durable, a multiple of 256. */
  get synced(): number {
    return this.#synced;
  }
  get failure(): TaplineError | undefined {
    return this.#failure;
  }

  /** Takes `hashes.length / 32` durable entries. `run` must not change until they are `written`. */
  accept(run: Uint8Array, hashes: Uint8Array): void {
    const count = hashes.length / 32;
    for (let done = 0, at = 0; done < count;) {
      const take = Math.min(TILE_WIDTH - (this.#tree.size % TILE_WIDTH), count - done);
      const rest = run.subarray(at);
      const part = done + take === count ? rest : rest.subarray(0, offsetOf(rest, take));
      this.#bundle.push(part);
      this.#bundleBytes += part.length;
      this.#tree.append(hashes.subarray(done * 32, (done + take) * 32));
      at += part.length;
      done += take;
    }
    if (!this.#writing) void this.#write();
  }

  root(): Uint8Array {
    return this.#tree.root();
  }

  /** The right edge now. */
  edge(): Edge {
    const edges = this.#tree.edges();
    const files = partialsOf(this.#tree.size).map((ref) => ({
      ref,
      path: tilePath(ref.level, ref.index, ref.width),
      // A copy: before it is written, the entries may be in a full bundle and their memory given back.
      buffers: [ref.level === "entries" ? Buffer.concat(this.#bundle) : edges[ref.level]!],
    }));
    return { size: this.#tree.size, root: this.#tree.root(), files };
  }

  /** Writes one of the edge's files, durably. */
  async place(path: string, buffers: readonly Uint8Array[], sync: boolean): Promise<void> {
    const full = join(this.#dir, path);
    const parent = dirname(full);
    if (!this.#made.has(parent)) {
      await makeDir(this.#dir, parent);
      if (this.#made.size > 10_000) this.#made.clear();
      this.#made.add(parent);
    }
    await placeFile(full, buffers, { sync });
  }

  /** Forgets that a directory exists, because the caller removed it. */
  forget(path: string): void {
    this.#made.delete(join(this.#dir, path));
  }

  /** Resolves when the queue has room and what is not durable is within its bound, or writing has failed. */
  room(): Promise<void> {
    return this.#until(
      () =>
        this.#queuedBytes <= LIMITS.tile_queue_bytes &&
        this.#written - this.#synced <= LIMITS.tile_unsynced_entries,
    );
  }
  /** Resolves when full bundles up to `size` are in files, or writing has failed. */
  untilWritten(size: number): Promise<void> {
    return this.#until(() => this.#written >= size - (size % TILE_WIDTH));
  }
  /** Resolves when everything full is durable, or writing has failed. */
  untilSynced(): Promise<void> {
    return this.#until(() => this.#synced >= this.#tree.size - (this.#tree.size % TILE_WIDTH));
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done() && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #full(level: number, index: number, hashes: Uint8Array): void {
    if (level === 0) {
      const files = [{ path: tilePath("entries", index), buffers: this.#bundle }];
      this.#queue.push({ index, bytes: this.#bundleBytes + hashes.length, files });
      this.#queuedBytes += this.#bundleBytes + hashes.length;
      this.#bundle = [];
      this.#bundleBytes = 0;
    }
    // A tile of a higher level is completed by the bundle that was queued just before.
    this.#queue.at(-1)!.files.push({ path: tilePath(level, index), buffers: [hashes] });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#queue.length > 0 && this.#failure === undefined) {
        const jobs = this.#queue.slice(0, LIMITS.tile_writes);
        await Promise.all(jobs.map((job) => this.#writeJob(job)));
        this.#queue = this.#queue.slice(jobs.length);
        for (const job of jobs) this.#queuedBytes -= job.bytes;
        this.#written = (jobs.at(-1)!.index + 1) * TILE_WIDTH;
        this.#progress();
        if (!this.#syncing) void this.#sync();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#writing = false;
  }

  async #writeJob(job: Job): Promise<void> {
    for (const file of job.files) await this.place(file.path, file.buffers, false);
  }

  /** Makes written files durable, in order: a backlog with one call, a few one by one, so that the log's own syncs
   * come first. */
  async #sync(): Promise<void> {
    this.#syncing = true;
    try {
      while (this.#synced < this.#written && this.#failure === undefined) {
        const end = this.#written;
        const backlog = (end - this.#synced) / TILE_WIDTH;
        if (backlog < LIMITS.tile_syncs || !(await syncFileSystem(this.#dir)))
          await this.#syncEach(this.#synced, end);
        this.#synced = end;
        this.#progress();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#syncing = false;
  }

  async #syncEach(from: number, end: number): Promise<void> {
    const dirs = new Set<string>();
    for (let at = from; at < end; at += TILE_WIDTH) {
      for (const path of completedBy(at / TILE_WIDTH)) {
        await syncFile(join(this.#dir, path));
        for (let dir = dirname(path); dir !== "."; dir = dirname(dir)) dirs.add(dir);
      }
    }
    for (const dir of dirs) await syncDir(join(this.#dir, dir));
  }

  #fail(error: unknown): void {
    this.#failure ??= writeError(`writing tiles of the ledger in ${this.#dir}`, error);
    this.#progress();
  }

  #progress(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    this.onProgress();
  }
}

/** Paths of bundle `index` and of the hash tiles that it completes. */
function completedBy(index: number): string[] {
  const paths = [tilePath("entries", index), tilePath(0, index)];
  for (let level = 1, n = index + 1; n % TILE_WIDTH === 0; level++) {
    n /= TILE_WIDTH;
    paths.push(tilePath(level, n - 1));
  }
  return paths;
}
