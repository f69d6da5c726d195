// Entries to one Parquet file: a table of text that DuckDB reads back, parses and writes as columns. The text is
// made by copying bytes; an entry that DuckDB cannot read so takes the whole file through the careful way.
import { closeSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import assert from "node:assert";
import { forEachEntry } from "../core/entry.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { parseable, selectColumns } from "./columns.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { type StoreFile, parquetPath, syncPath } from "./manifest.ts";

const HASH = Buffer.from("\tsha256:", "latin1");
const ROW_BYTES = 128; // most that a row adds to its entry: sequence, hash, tabs, newline
const TAB = 0x09;
const NEWLINE = 0x0a;

const CSV = `delim = '\t', header = false, auto_detect = false, new_line = '\\n', compression = 'none', buffer_size = ${LIMITS.store_text_buffer_bytes}`;
const PLAIN = `quote = '', escape = '', max_line_size = ${LIMITS.entry_bytes + 1024}`;
// Every character doubled, twice: once as text, once as what can be parsed.
const QUOTED = `quote = '"', escape = '"', allow_quoted_nulls = false, max_line_size = ${LIMITS.entry_bytes * 8}`;

/** A table of text being written: rows of sequence, hash, entry. */
export class TextTable {
  readonly path: string;
  rows = 0;
  entry_bytes = 0;
  readonly #file: number;
  readonly #careful: boolean;

  constructor(path: string, careful: boolean) {
    this.path = path;
    this.#careful = careful;
    this.#file = openSync(path, "w", 0o600);
  }

  add(batch: EntryBatch): void {
    const bytes = this.#careful ? carefulRows(batch) : plainRows(batch);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    this.rows += batch.count;
    this.entry_bytes += batch.run.length - 2 * batch.count;
  }

  /** SQL for the rows as the store's columns. */
  select(): string {
    const columns = `'sequence': 'BIGINT', 'hash': 'VARCHAR', 'entry': 'VARCHAR'`;
    const path = quoted(this.path);
    if (!this.#careful)
      return selectColumns(`read_csv(${path}, ${CSV}, ${PLAIN}, columns = {${columns}})`, "entry");
    const table = `read_csv(${path}, ${CSV}, ${QUOTED}, columns = {${columns}, 'doc': 'VARCHAR'})`;
    return selectColumns(table, "CASE WHEN json_valid(doc) THEN doc END");
  }

  close(): void {
    closeSync(this.#file);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** A text as SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function plainRows(batch: EntryBatch): Buffer {
  const { run, hashes, first } = batch;
  const source = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
  const hex = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength).toString("hex");
  const rows = Buffer.allocUnsafe(run.length + batch.count * ROW_BYTES);
  let to = 0;
  let at = 0;
  let position = 0;
  while (at < run.length) {
    const start = at + 2;
    const end = start + ((run[at]! << 8) | run[at + 1]!);
    to += rows.write(String(first + position), to, "latin1");
    to += HASH.copy(rows, to);
    to += rows.write(hex.slice(position * 64, position * 64 + 64), to, "latin1");
    rows[to++] = TAB;
    to += source.copy(rows, to, start, end);
    rows[to++] = NEWLINE;
    at = end;
    position++;
  }
  assert(position === batch.count, "a run holds as many entries as its batch says");
  return rows.subarray(0, to);
}

const field = (text: string): string => `"${text.replaceAll('"', '""').replaceAll("\u0000", "\ufffd")}"`;

function carefulRows(batch: EntryBatch): Buffer {
  const { run, hashes, first } = batch;
  const source = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
  let rows = "";
  forEachEntry(run, (start, end, position) => {
    const entry = source.toString("utf8", start, end);
    const hash = Buffer.from(hashes.subarray(position * 32, position * 32 + 32)).toString("hex");
    rows += `${first + position}\tsha256:${hash}\t${field(entry)}\t${field(parseable(entry) ?? "")}\n`;
  });
  return Buffer.from(rows);
}

/** Rows of a row group so that one fits in memory, for entries of this many bytes: a power of two. */
export function groupRows(entryBytes: number): number {
  let rows: number = LIMITS.store_group_rows;
  while (rows > LIMITS.store_group_rows_min && rows * entryBytes > LIMITS.store_group_bytes) rows /= 2;
  return rows;
}

/** Writes what a SELECT gives to a Parquet file, which is whole and durable before it has its name.
 * Returns its size in bytes. Throws when it has not the expected number of rows. */
export async function writeParquet(
  connection: DuckDBConnection,
  select: string,
  path: string,
  rows: number,
  rowsAGroup: number,
): Promise<number> {
  const unfinished = `${path}.tmp`;
  const options = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${rowsAGroup}`;
  const result = await connection.run(`COPY (${select}) TO ${quoted(unfinished)} (${options})`);
  if (result.rowsChanged !== rows) throw new Error(`${result.rowsChanged} rows written, ${rows} expected`);
  await syncPath(unfinished);
  await rename(unfinished, path);
  await syncPath(dirname(path));
  return statSync(path).size;
}

/** The text table's place in a store. */
export function textPath(dir: string): string {
  return join(dir, "tmp", "rows.tsv");
}

/** Writes neighbours of the same columns as one file, in order. They stay where they are. */
export async function mergeFiles(
  connection: DuckDBConnection,
  dir: string,
  run: readonly StoreFile[],
): Promise<StoreFile> {
  const [first, end] = [run[0]!.first, run.at(-1)!.end];
  const rows = run.reduce((sum, file) => sum + file.rows, 0);
  const entry_bytes = run.reduce((sum, file) => sum + file.entry_bytes, 0);
  const longest = Math.max(...run.map((file) => (file.rows === 0 ? 0 : file.entry_bytes / file.rows)));
  const list = run.map((file) => quoted(join(dir, file.path))).join(", ");
  const erased = Math.min(...run.map((file) => file.erased ?? 0));
  const path = parquetPath(first, end);
  const select = `SELECT * FROM read_parquet([${list}])`;
  const bytes = await writeParquet(connection, select, join(dir, path), rows, groupRows(longest));
  return { path, first, end, rows, bytes, entry_bytes, columns: run[0]!.columns, erased };
}
