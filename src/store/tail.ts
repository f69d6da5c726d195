// The ledger's entries after a store's files, as rows of a table `tail` in the reader's own database. Knows no files.
import { forEachEntry } from "../core/entry.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { parseable, selectColumns } from "./columns.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import type { EntryReader } from "./entries.ts";

export class Tail {
  /** Entries before this one are in files, or in the table. */
  end = 0;
  readonly #connection: DuckDBConnection;
  readonly #ledger: EntryReader | undefined;

  private constructor(connection: DuckDBConnection, ledger: EntryReader | undefined) {
    this.#connection = connection;
    this.#ledger = ledger;
  }

  static async create(connection: DuckDBConnection, ledger: EntryReader | undefined): Promise<Tail> {
    await connection.run("CREATE TABLE raw (sequence BIGINT, hash VARCHAR, entry VARCHAR, doc VARCHAR)");
    await connection.run(`CREATE TABLE tail AS ${selectColumns("raw", "doc")}`);
    return new Tail(connection, ledger);
  }

  /** Forgets rows of entries before `index`. */
  async forget(index: number): Promise<void> {
    await this.#connection.run(`DELETE FROM tail WHERE "event.sequence" < ${index}`);
  }

  /** Takes what is new from the ledger; the files end at `end`. */
  async fill(end: number): Promise<void> {
    this.end = Math.max(this.end, end);
    const room = LIMITS.store_tail_entries - (this.end - end);
    for (const batch of await this.entries(this.end, room)) await this.#load(batch);
  }

  async entries(from: number, max: number): Promise<EntryBatch[]> {
    const batches: EntryBatch[] = [];
    for (let left = max, at = from; this.#ledger !== undefined && left > 0;) {
      const batch = await this.#ledger.read(at, left, LIMITS.store_chunk_bytes);
      if (batch === undefined) break;
      batches.push(batch);
      at += batch.count;
      left -= batch.count;
    }
    return batches;
  }

  async #load(batch: EntryBatch): Promise<void> {
    const source = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.byteLength);
    const appender = await this.#connection.createAppender("raw");
    forEachEntry(batch.run, (start, end, position) => {
      const entry = source.toString("utf8", start, end);
      const doc = parseable(entry);
      const hash = batch.hashes.subarray(position * 32, position * 32 + 32);
      appender.appendBigInt(BigInt(batch.first + position));
      appender.appendVarchar(`sha256:${Buffer.from(hash).toString("hex")}`);
      appender.appendVarchar(entry);
      if (doc === undefined) appender.appendNull();
      else appender.appendVarchar(doc);
      appender.endRow();
    });
    appender.closeSync();
    await this.#connection.run(
      `INSERT INTO tail ${selectColumns("raw", "CASE WHEN json_valid(doc) THEN doc END")}`,
    );
    await this.#connection.run("DELETE FROM raw");
    this.end = batch.first + batch.count;
  }
}
