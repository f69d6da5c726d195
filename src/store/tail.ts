// The ledger's entries after a store's files, as rows of a table `tail` in the reader's own database. Knows no files.
import { forEachEntry } from "../core/entry.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { parseable, selectColumns } from "./columns.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import type { EntryReader } from "./entries.ts";

const NEW_RAW = "CREATE OR REPLACE TABLE raw (sequence BIGINT, hash VARCHAR, entry VARCHAR, doc VARCHAR)";

export class Tail {
  /** Entries before this one are in files, or in the table. */
  end = 0;
  /** All entries from this one up to `end` are in the table. Those before it may be, for who began before. */
  #first = 0;
  /** What was taken and is in the table still, oldest first. */
  #held: { readonly end: number; readonly entries: number; readonly bytes: number }[] = [];
  readonly #connection: DuckDBConnection;
  readonly #ledger: EntryReader | undefined;

  private constructor(connection: DuckDBConnection, ledger: EntryReader | undefined) {
    this.#connection = connection;
    this.#ledger = ledger;
  }

  static async create(connection: DuckDBConnection, ledger: EntryReader | undefined): Promise<Tail> {
    // A checkpoint of a table in memory takes some hundred MB for its columns, however few rows there are; what it would
    // free goes with the tables that are replaced.
    await connection.run("SET checkpoint_threshold = '1TiB'");
    await connection.run(NEW_RAW);
    await connection.run(`CREATE TABLE tail AS ${selectColumns("raw", "doc")}`);
    return new Tail(connection, ledger);
  }

  /** Forgets rows of entries before `index`. */
  async forget(index: number): Promise<void> {
    const held = this.#held.filter((one) => one.end > index);
    if (held.length === this.#held.length) return;
    // Rows that are deleted would stay in memory.
    await this.#connection.run(
      `CREATE OR REPLACE TABLE tail AS FROM tail WHERE "event.sequence" >= ${index}`,
    );
    this.#held = held;
    this.#first = Math.max(this.#first, index);
  }

  /** Takes what is new from the ledger, as far as there is room; the files end at `end`. */
  async fill(end: number): Promise<void> {
    if (end < this.#first || end > this.end) await this.#begin(end);
    let entries = LIMITS.store_tail_entries;
    let bytes = LIMITS.store_tail_bytes;
    for (const one of this.#held) {
      entries -= one.entries;
      bytes -= one.bytes;
    }
    while (this.#ledger !== undefined && entries > 0 && bytes > 0) {
      const batch = await this.#ledger.read(
        this.end,
        entries,
        Math.min(bytes, LIMITS.store_tail_chunk_bytes),
      );
      if (batch === undefined) return;
      await this.#load(batch);
      entries -= batch.count;
      bytes -= batch.run.length;
    }
  }

  /** The next entry that is taken is this one. */
  async #begin(at: number): Promise<void> {
    if (at < this.#first) {
      // Files were lost or taken away: what was in them comes from the ledger again, and all after it once more.
      await this.#connection.run("CREATE OR REPLACE TABLE tail AS FROM tail LIMIT 0");
      this.#held = [];
    }
    this.#first = at;
    this.end = at;
  }

  async #load(batch: EntryBatch): Promise<void> {
    // Of a batch that failed on its way rows may be left: it comes again.
    await this.#connection.run(NEW_RAW);
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
    this.end = batch.first + batch.count;
    this.#held.push({ end: this.end, entries: batch.count, bytes: batch.run.length });
    await this.#connection.run(NEW_RAW);
  }
}
