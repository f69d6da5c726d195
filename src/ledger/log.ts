// The ledger: append, make durable, then tiles, checkpoints, readers. The only writer; knows nothing of events.
import assert from "node:assert";
import { resolve as absolute } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Context, EntryBatch } from "../core/stage.ts";
import type { AppendFrame, LedgerOptions, Recovered, SignerStatus } from "./contract.ts";
import { readWritten } from "./bundles.ts";
import { makeDirs } from "../core/durable.ts";
import { writeError } from "./files.ts";
import { countEntries, newHead } from "./frame.ts";
import { lockLedger } from "./lock.ts";
import { prunedError } from "./pruned.ts";
import { type Keeping, type Pruner, keep } from "./pruner.ts";
import { Publisher, readCheckpoint } from "./publish.ts";
import { type Parts, recover } from "./recover.ts";
import type { Recent } from "./recent.ts";
import { openSigner } from "./signing.ts";
import type { Tiles } from "./tiles.ts";
import { Waiters } from "./waiters.ts";
import type { NewFrame, WalWriter } from "./wal.ts";

export type { AppendFrame, LedgerOptions, Recovered } from "./contract.ts";

type Pending = NewFrame & { readonly hashes: Uint8Array };

export class Ledger {
  readonly #dir: string;
  readonly #log: Context["log"];
  readonly #release: () => void;
  readonly #tiles: Tiles;
  readonly #recent: Recent;
  readonly #wal: WalWriter;
  readonly #publisher: Publisher;
  readonly #keeping: Keeping;
  #size: number;
  #durable: number;
  #frames: number;
  #pending: Pending[] = [];
  readonly #waiters = new Waiters();
  #failure: TaplineError | undefined;
  #committing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(
    options: LedgerOptions,
    dir: string,
    parts: Parts,
    publisher: Publisher,
    release: () => void,
    keeping: Keeping,
  ) {
    this.#dir = dir;
    this.#log = options.log;
    this.#release = release;
    this.#tiles = parts.tiles;
    this.#tiles.onProgress = () => this.#progress();
    this.#recent = parts.recent;
    this.#wal = parts.wal;
    this.#publisher = publisher;
    this.#keeping = keeping;
    this.#size = parts.tiles.size;
    this.#durable = parts.tiles.size;
    this.#frames = parts.frames;
  }

  /** Opens or begins the ledger of a directory. Throws LEDGER_LOCKED, LEDGER_KEY, LEDGER_SIGNER, LEDGER_CORRUPT (damaged files),
   * LEDGER_MISMATCH (not what was signed), LEDGER_NEWER, LEDGER_FULL, LEDGER_WRITE. */
  static async open(options: LedgerOptions): Promise<{ ledger: Ledger; recovered: Recovered }> {
    const dir = absolute(options.dir);
    await makeDirs(dir);
    const release = lockLedger(dir);
    try {
      const signer = await openSigner(dir, options.origin, options.signer);
      const signed = await readCheckpoint(dir, signer.verifier);
      const parts = await recover(dir, signed, options);
      const publisher = new Publisher(dir, signer, parts.tiles, signed?.size ?? 0, options.signing);
      const keeping = await keep(dir, parts, publisher);
      const ledger = new Ledger(options, dir, parts, publisher, release, keeping);
      // Partial tiles may have been lost with the power: they are written again, with the same checkpoint or a newer.
      if (ledger.size > 0) await publisher.publish(true);
      await publisher.sweep(ledger.size);
      publisher.start(options.checkpoint_ms ?? LIMITS.checkpoint_ms, (error) =>
        ledger.#fail("publishing a checkpoint", error),
      );
      return { ledger, recovered: parts.recovered };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Removes what retention no longer keeps. */
  get pruner(): Pruner {
    return this.#keeping.pruner;
  }
  /** The first entry that was not removed. */
  get first(): number {
    return this.pruner.first;
  }
  /** Entries appended. */
  get size(): number {
    return this.#size;
  }
  /** Entries that survive a crash. */
  get durable(): number {
    return this.#durable;
  }
  /** Entries covered by the newest published checkpoint. */
  get published(): number {
    return this.#publisher.size;
  }
  /** Entries covered by the newest snapshot. */
  get snapshotted(): number {
    return this.#keeping.snapshots.newest;
  }
  /** Undefined when the key is beside the ledger. */
  get signer(): SignerStatus | undefined {
    return this.#publisher.signer;
  }

  /** Takes a frame and returns the index of its first entry. Durable only after the next `commit`. Throws what made
   * the ledger fail. */
  append(frame: AppendFrame): number {
    this.#check();
    const { run, count, hashes } = frame;
    assert(
      countEntries(run) === count && hashes.length === count * 32,
      "run, count and hashes of a frame agree",
    );
    const head = newHead(frame.header);
    assert(head.length + run.length <= LIMITS.frame_bytes, "a frame is within its bound");
    const first = this.#size;
    this.#pending.push({ number: this.#frames++, first, count, head, run, hashes });
    this.#size += count;
    return first;
  }

  /** Keeps a text that is too large for its entry; durable before any entry appended after it. */
  putBlob(digest: string, bytes: Uint8Array): void {
    this.#check();
    this.#keeping.blobs.put(digest, bytes);
  }

  /** The bytes of a blob, or undefined when there is none of this name. */
  getBlob(digest: string): Promise<Uint8Array | undefined> {
    return this.#keeping.blobs.get(digest);
  }

  /** Resolves when every frame appended so far is durable. A failure ends this instance: it is thrown by every later
   * call, and the directory has to be opened again. Throws LEDGER_WRITE, LEDGER_FULL. */
  commit(): Promise<void> {
    return (this.#committing = this.#committing.then(() => this.#commit()));
  }

  /** Stores the caller's state, which covers every frame appended so far; commits first. Returns what an entry should
   * name. Older snapshots and write-ahead segments that nobody needs are removed. */
  async snapshot(state: string): Promise<{ index: number; digest: string }> {
    const [index, frames] = [this.#size, this.#frames];
    await this.commit();
    await this.publish(); // recovery starts at what is signed: the less lies after it the better
    const tiled = Math.min(index, this.#publisher.size, this.#tiles.synced);
    try {
      return { index, digest: await this.#keeping.snapshots.take({ index, frames, tiled }, state) };
    } catch (error) {
      throw this.#fail("writing a snapshot", error);
    }
  }

  /** Durable entries from index `from` on: at least one, then as many as both bounds allow; undefined when there are
   * none yet. Throws LEDGER_CORRUPT when their files are damaged. */
  async read(from: number, maxEntries: number, maxBytes: number): Promise<EntryBatch | undefined> {
    if (from >= this.#durable) return undefined;
    if (from < this.first) throw prunedError(from, this.first);
    const held = this.#recent.first;
    if (from >= held) return this.#recent.read(from, maxEntries, maxBytes);
    return readWritten(this.#dir, from, held, maxEntries, maxBytes);
  }

  /** Resolves when there are durable entries beyond index `beyond` (more than `beyond` of them), the signal aborts, the
   * time is over, or the ledger is closed or has failed. Never rejects. */
  waitDurable(beyond: number, signal: AbortSignal, most_ms?: number): Promise<void> {
    if (this.#durable > beyond || signal.aborted || this.#failure || this.#closing) return Promise.resolve();
    return this.#waiters.wait(beyond, signal, most_ms);
  }

  /** Publishes a checkpoint over the durable entries: when there are more than at the last one, or `anew`. False when nothing
   * is signed at present. */
  async publish(anew = false): Promise<boolean> {
    this.#check();
    try {
      return await this.#publisher.publish(anew);
    } catch (error) {
      throw this.#fail("publishing a checkpoint", error);
    }
  }

  /** Commits, finishes tiles, publishes, gives the lock back. Safe twice. Throws what made the ledger fail. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.commit();
      await this.publish();
      await this.#tiles.untilSynced();
      this.#check();
    } finally {
      await this.#publisher.stop();
      await this.#tiles.untilSynced();
      await this.#wal.close();
      this.#release();
      this.#waiters.letGo();
    }
  }

  async #commit(): Promise<void> {
    const frames = this.#pending;
    this.#check();
    if (frames.length === 0 && this.#keeping.blobs.size === 0) return;
    this.#pending = [];
    const withBlobs = this.#keeping.blobs.take();
    try {
      await this.#tiles.room();
      this.#check();
      await withBlobs(() => this.#wal.write(frames));
    } catch (error) {
      throw this.#fail("writing the log", error);
    }
    for (const frame of frames) {
      if (frame.count === 0) continue;
      this.#recent.push(frame);
      this.#tiles.accept(frame.run, frame.hashes);
      this.#durable += frame.count;
    }
    this.#progress();
  }

  /** More is durable, more is in files, or writing tiles has failed. */
  #progress(): void {
    this.#recent.shrink(this.#tiles.written);
    if (this.#tiles.failure !== undefined) this.#fail("writing tiles", this.#tiles.failure);
    else this.#waiters.wake(this.#durable);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(doing: string, cause: unknown): TaplineError {
    if (this.#failure === undefined) {
      this.#failure = writeError(`${doing} of the ledger in ${this.#dir}`, cause);
      const { code, message: reason } = this.#failure;
      this.#log("error", "the ledger has stopped", { code, reason });
      this.#waiters.letGo();
    }
    return this.#failure;
  }
}
