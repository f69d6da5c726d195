// Writes ledger ranges into a store: Parquet files, then the manifest that lists them; merges small neighbours.
// Runs in a process of its own (sinks/store-writer.ts). What the manifest does not list does not exist.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import assert from "node:assert";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { lacksAids, makeAids, withoutLost } from "./aids.ts";
import { COLUMNS_DIGEST } from "./columns.ts";
import type { EntryReader } from "./entries.ts";
import { type Duckdb, firstLine, openLocked } from "./duckdb.ts";
import * as manifests from "./manifest.ts";
import type { Manifest, StoreFile } from "./manifest.ts";
import { chooseMerge } from "./merge.ts";
import { removeOrphans } from "./orphans.ts";
import { TextTable, groupRows, mergeFiles, textPath, writeParquet } from "./parquet.ts";
import { withoutErased, withoutPruned } from "./rewrite.ts";

export interface Written {
  readonly created: number;
  readonly existing: number;
}

export interface WriterParts {
  readonly dir: string;
  readonly ledger: EntryReader;
  readonly memory_mb: number;
  now(): number;
  warn(message: string): void;
}

/** The one writer of a store. Calls must not overlap. */
export class StoreWriter {
  readonly #parts: WriterParts;
  #duckdb: Duckdb | undefined;
  #manifest: Manifest = manifests.EMPTY;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Resolves when a durable manifest covers [0, end): what is missing before `first` is written too, so that a
   * store that was deleted comes back. Throws TaplineError. */
  async write(first: number, end: number): Promise<Written> {
    try {
      const { connection } = (this.#duckdb ??= await this.#open());
      const there = Math.min(Math.max(this.#manifest.end - first, 0), end - first);
      await this.#remove(this.#duckdb);
      while (this.#manifest.end < end) {
        const { file, last } = await this.#writeFile(connection, this.#manifest.end, end);
        const files = [...this.#manifest.files, file];
        await this.#publish({ ...this.#manifest, files, end: file.end, last_hash: lastHash(last) });
      }
      return { created: end - first - there, existing: there };
    } catch (cause) {
      if (cause instanceof TaplineError) throw cause;
      const message = `the store in ${this.#parts.dir} cannot be written: ${firstLine(cause)}`;
      throw new TaplineError("STORE_WRITE", message, { retry: true, cause });
    }
  }

  /** One piece of upkeep: removes replaced files whose time is over, merges one run of small files, or makes what helps to ask
   * one that stays. True when there may be more to do. What fails is warned of and left for the next time: the store is whole without it. */
  async tidy(): Promise<boolean> {
    if (this.#duckdb === undefined) return false;
    try {
      await this.#removeRetired();
      await this.#remove(this.#duckdb);
      const run = chooseMerge(this.#manifest.files);
      if (run !== undefined) await this.#replace(this.#duckdb, run);
      return run !== undefined || (await this.#aid(this.#duckdb));
    } catch (error) {
      this.#parts.warn(`small files are not merged: ${firstLine(error)}`);
      return false;
    }
  }

  /** Takes the rows out that the ledger has no entries for any more, and those of persons that were erased. */
  async #remove({ connection }: Duckdb): Promise<void> {
    const [store, { ledger }] = [{ ...this.#parts, connection }, this.#parts];
    const kept = await withoutPruned(store, this.#manifest, await ledger.first());
    if (kept !== undefined) await this.#publish(kept);
    const left = await withoutErased(store, this.#manifest, await ledger.erased());
    if (left !== undefined) await this.#publish(left);
  }

  /** Makes what helps to ask one file; false when none lacks it. */
  async #aid({ connection }: Duckdb): Promise<boolean> {
    const { dir, ledger } = this.#parts;
    const file = lacksAids(this.#manifest.files);
    if (file === undefined) return false;
    const aids = await makeAids(connection, dir, file, ledger, (message) => this.#parts.warn(message));
    const files = this.#manifest.files.map((one) => (one === file ? { ...one, aids } : one));
    await this.#publish({ ...this.#manifest, files });
    return true;
  }

  async #replace(duckdb: Duckdb, run: readonly StoreFile[]): Promise<void> {
    const { files, retired } = this.#manifest;
    const merged = await mergeFiles(duckdb.connection, this.#parts.dir, run);
    const at = files.indexOf(run[0]!);
    const at_ms = this.#parts.now();
    await this.#publish({
      ...this.#manifest,
      files: files.toSpliced(at, run.length, merged),
      retired: [...retired, ...run.map(({ path }) => ({ path, at_ms }))],
    });
  }

  close(): void {
    this.#duckdb?.close();
    this.#duckdb = undefined;
  }

  async #open(): Promise<Duckdb> {
    const { dir, memory_mb } = this.#parts;
    manifests.makeStore(dir);
    const duckdb = await openLocked(dir, memory_mb);
    try {
      // Only now, with the lock held: another writer's files are not touched.
      rmSync(join(dir, "tmp"), { recursive: true, force: true });
      mkdirSync(join(dir, "tmp"), { mode: 0o700 });
      this.#manifest = manifests.readManifest(dir);
      await this.#checkLedger();
      await this.#dropMissing();
      const files = withoutLost(dir, this.#manifest.files);
      if (files !== this.#manifest.files) await this.#publish({ ...this.#manifest, files });
      removeOrphans(dir, this.#manifest);
    } catch (error) {
      duckdb.close();
      throw error;
    }
    return duckdb;
  }

  /** A store belongs to one ledger; with another it would hold rows that never happened. */
  async #checkLedger(): Promise<void> {
    const { end, last_hash } = this.#manifest;
    if (end === 0) return;
    const { dir, ledger } = this.#parts;
    // An entry that was pruned cannot be compared.
    if (end <= (await ledger.first())) return;
    const size = await ledger.size();
    const last = size < end ? undefined : await ledger.read(end - 1, 1, LIMITS.store_chunk_bytes);
    if (size >= end && (last === undefined || lastHash(last) === last_hash)) return;
    throw new TaplineError("STORE_OTHER_LEDGER", `the store in ${dir} was not made from this ledger`, {
      remedy: "move the store's directory away: it is made again from the ledger",
    });
  }

  /** A file that was removed or cut takes all that follow with it: they are written again. */
  async #dropMissing(): Promise<void> {
    const { files } = this.#manifest;
    const { dir, ledger } = this.#parts;
    const whole = files.findIndex((file) => manifests.sizeOf(join(dir, file.path)) !== file.bytes);
    if (whole === -1) return;
    const kept = files.slice(0, whole);
    const pruned = await ledger.first();
    const first = kept[0]?.first ?? pruned;
    const end = kept.at(-1)?.end ?? first;
    this.#parts.warn(`${files[whole]!.path} is missing or cut: the store is made again from entry ${end}`);
    const last = end <= pruned ? undefined : await ledger.read(end - 1, 1, LIMITS.store_chunk_bytes);
    const last_hash = last === undefined ? this.#manifest.last_hash : lastHash(last);
    await this.#publish({ ...this.#manifest, first, files: kept, end, last_hash });
  }

  async #removeRetired(): Promise<void> {
    const { files, retired } = this.#manifest;
    const before_ms = this.#parts.now() - LIMITS.store_grace_ms;
    const due = retired.filter((file) => file.at_ms <= before_ms);
    if (due.length === 0) return;
    const listed = new Set(files.map((file) => file.path));
    await this.#publish({ ...this.#manifest, retired: retired.filter((file) => file.at_ms > before_ms) });
    for (const { path } of due) if (!listed.has(path)) rmSync(join(this.#parts.dir, path), { force: true });
  }

  async #publish(manifest: Manifest): Promise<void> {
    await manifests.writeManifest(this.#parts.dir, manifest);
    this.#manifest = manifest;
  }

  async #writeFile(
    connection: Duckdb["connection"],
    first: number,
    limit: number,
  ): Promise<{ file: StoreFile; last: EntryBatch }> {
    try {
      return await this.#writeRows(connection, first, limit, false);
    } catch (error) {
      if (error instanceof TaplineError) throw error;
      // One odd entry fails the whole file; when it is the disk, the careful way fails too.
      this.#parts.warn(`entries from ${first} are written the careful way: ${firstLine(error)}`);
      return await this.#writeRows(connection, first, limit, true);
    }
  }

  async #writeRows(
    connection: Duckdb["connection"],
    first: number,
    limit: number,
    careful: boolean,
  ): Promise<{ file: StoreFile; last: EntryBatch }> {
    const { dir } = this.#parts;
    const table = new TextTable(textPath(dir), careful);
    try {
      let last: EntryBatch;
      let longest = 0; // bytes of an entry, in the chunk where they are longest
      let at = first;
      do {
        last = await this.#read(at, Math.min(limit, first + LIMITS.store_file_rows) - at);
        table.add(last);
        longest = Math.max(longest, last.run.length / last.count);
        at += last.count;
      } while (
        at < limit &&
        table.rows < LIMITS.store_file_rows &&
        table.entry_bytes < LIMITS.store_file_bytes
      );
      table.close();
      const path = manifests.parquetPath(first, at);
      const { rows, entry_bytes } = table;
      const bytes = await writeParquet(connection, table.select(), join(dir, path), rows, groupRows(longest));
      return { file: { path, first, end: at, rows, bytes, entry_bytes, columns: COLUMNS_DIGEST }, last };
    } finally {
      table.remove();
    }
  }

  async #read(from: number, max: number): Promise<EntryBatch> {
    const { ledger } = this.#parts;
    const entries = Math.min(max, LIMITS.store_chunk_entries);
    for (let waited_ms = 0; ; waited_ms += 20) {
      const batch = await ledger.read(from, entries, LIMITS.store_chunk_bytes);
      if (batch !== undefined) {
        assert(
          batch.first === from && batch.count > 0 && batch.count <= max,
          "the ledger gives what was asked",
        );
        return batch;
      }
      if (waited_ms >= LIMITS.store_wait_ms) {
        throw new TaplineError("STORE_NO_ENTRY", `entry ${from} is not in the ledger's files`, {
          retry: true,
        });
      }
      await sleep(20);
    }
  }
}

function lastHash(batch: EntryBatch): string {
  return Buffer.from(batch.hashes.subarray(batch.count * 32 - 32)).toString("hex");
}
