// The store as the viewer asks it: Parquet files that never change, each with the span of its times, and what is fresh
// (files that will be merged soon, and the ledger after the files). Statements run beside each other, are given up when
// nobody waits for them, and can reach nothing but the store.
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { COLUMNS_DIGEST, columnTypes } from "../store/columns.ts";
import { type Duckdb, type DuckDBConnection, openDuckdb } from "../store/duckdb.ts";
import { EMPTY, type Manifest, PARQUET, ROLLUP, type StoreFile, readManifest } from "../store/manifest.ts";
import { isSmall } from "../store/merge.ts";
import { quoted } from "../store/parquet.ts";
import { plainValue, stampOf } from "../store/reader.ts";
import { Tail } from "../store/tail.ts";
import type { EntryReader } from "../store/entries.ts";
import { aidsOf } from "./aided.ts";
import { Pool, refusal, stopped } from "./pool.ts";
import type { Row } from "./rows.ts";
import type { Span } from "./times.ts";
import type { Parameter } from "./where.ts";

/** Rows that are asked together. */
export interface Part {
  /** Names what is in it: the same key, the same rows. */
  readonly key: string;
  /** After FROM in a statement. */
  readonly from: string;
  readonly first: number;
  readonly end: number;
  readonly rows: number;
  /** Times of its events, both ends within; `from` above `to` when it is empty. */
  readonly times: Span;
  /** It stays, so that what was found out about it may be kept. */
  readonly stays: boolean;
  /** Summary rows of all its events: their file, and how many they are. */
  readonly rollup?: undefined | { readonly path: string; readonly rows: number };
  /** Which runs of letters are in it. */
  readonly grams?: { readonly path: string; readonly bytes: number };
}

/** Runs one statement: its text, its parameters, the most rows that are wanted. */
export type Run = (sql: string, values: readonly Parameter[], max: number) => Promise<Row[]>;

/** What there is at one moment: all parts together are entries [0, end). */
export interface View {
  readonly parts: readonly Part[];
  readonly end: number;
  readonly manifest: Manifest;
}

/** A file without the rows of persons that were erased takes the place of the one with them, under its name: it has fewer. */
const keyOf = ({ path, rows }: StoreFile): string => `${path} of ${rows} rows`;

const NOTHING: Span = { from: Infinity, to: -Infinity };

export interface DatabaseOptions {
  readonly dir: string;
  readonly ledger?: EntryReader;
  readonly memory_mb?: number;
}

export class Database {
  /** Questions that a part that stays has no answer to, by part and question. */
  readonly nothing = new Set<string>();
  readonly #dir: string;
  readonly #duckdb: Duckdb;
  readonly #pool: Pool;
  readonly #tail: Tail;
  readonly #times = new Map<string, Span>();
  readonly #lacking = new Map<string, string>();
  /** Where the files ended, and when: rows before that go when no statement can need them. */
  #ends: { readonly at_ms: number; readonly end: number }[] = [];
  #manifest: Manifest = EMPTY;
  #stamp = "";
  #view: Promise<View> | undefined;
  #looked_ms = -Infinity;

  private constructor(dir: string, duckdb: Duckdb, pool: Pool, tail: Tail) {
    this.#dir = dir;
    this.#duckdb = duckdb;
    this.#pool = pool;
    this.#tail = tail;
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const dir = resolve(options.dir);
    const threads = Math.min(availableParallelism(), LIMITS.viewer_threads);
    const memory = options.memory_mb ?? LIMITS.viewer_memory_mb;
    const duckdb = await openDuckdb(":memory:", memory, "", threads);
    const { connection } = duckdb;
    const tail = await Tail.create(connection, options.ledger);
    await connection.run("SET parquet_metadata_cache = true");
    const allowed = [PARQUET, ROLLUP].map((name) => quoted(join(dir, name))).join(", ");
    await connection.run(`SET allowed_directories = [${allowed}]`);
    await connection.run("SET enable_external_access = false");
    await connection.run("SET lock_configuration = true");
    const connections: DuckDBConnection[] = [];
    for (let i = 0; i < LIMITS.viewer_queries; i++) connections.push(await duckdb.connect());
    return new Database(dir, duckdb, new Pool(connections), tail);
  }

  /** What there is now, or was a moment ago. Throws STORE_UNREADABLE and the like. */
  view(): Promise<View> {
    const now_ms = performance.now();
    if (this.#view === undefined || now_ms - this.#looked_ms >= LIMITS.viewer_refresh_ms) {
      this.#looked_ms = now_ms;
      const before = this.#view ?? Promise.resolve();
      this.#view = before.then(
        () => this.#look(),
        () => this.#look(),
      );
    }
    return this.#view;
  }

  /** Rows of one statement, at most `max`. Throws as `use` does. */
  run(sql: string, values: readonly Parameter[], max: number, signal: AbortSignal): Promise<Row[]> {
    return this.use(signal, (run) => run(sql, values, max));
  }

  /** Several statements on one connection. Throws TOO_SLOW when `signal` aborts, STORE_TOO_MUCH, STORE_QUERY. */
  async use<T>(signal: AbortSignal, work: (run: Run) => Promise<T>): Promise<T> {
    if (signal.aborted) throw stopped();
    const connection = await this.#pool.take();
    const interrupt = (): void => connection.interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await work(async (sql, values, max) => {
        if (signal.aborted) throw stopped();
        const reader = await connection.streamAndReadUntil(sql, max, [...values]);
        const rows = reader.getRowObjectsJS() as Record<string, unknown>[];
        for (const row of rows) for (const name in row) row[name] = plainValue(row[name]);
        return rows.length > max ? rows.slice(0, max) : rows;
      });
    } catch (error) {
      if (signal.aborted || error instanceof TaplineError) throw signal.aborted ? stopped() : error;
      throw refusal(error);
    } finally {
      signal.removeEventListener("abort", interrupt);
      this.#pool.give(connection);
    }
  }

  close(): void {
    this.#pool.close();
    this.#duckdb.close();
  }

  async #look(): Promise<View> {
    const stamp = stampOf(this.#dir);
    if (stamp !== this.#stamp) {
      this.#manifest = readManifest(this.#dir);
      this.#stamp = stamp;
      this.#ends.push({ at_ms: performance.now(), end: this.#manifest.end });
    }
    await this.#forget();
    await this.#tail.fill(this.#manifest.end);
    return await this.#viewOf(this.#manifest, this.#tail.end);
  }

  /** Rows of the tail that have been in files for long. */
  async #forget(): Promise<void> {
    const old = this.#ends.findLastIndex(({ at_ms }) => at_ms < performance.now() - LIMITS.viewer_keep_ms);
    if (old <= 0) return;
    await this.#tail.forget(this.#ends[old]!.end);
    this.#ends = this.#ends.slice(old);
  }

  async #viewOf(manifest: Manifest, end: number): Promise<View> {
    const parts: Part[] = [];
    const fresh: StoreFile[] = [];
    for (const file of manifest.files) {
      if (isSmall(file) && file.aids === undefined) fresh.push(file);
      else {
        const aids = aidsOf(this.#dir, file);
        for (const part of await this.#partsOf([file], keyOf(file), true))
          parts.push({ ...part, ...(part.rows === file.rows ? aids : { ...aids, rollup: undefined }) });
      }
    }
    // Small files of one set of columns are asked as one.
    for (const columns of new Set(fresh.map((file) => file.columns))) {
      const alike = fresh.filter((file) => file.columns === columns);
      const key = `${columns} ${alike.map(keyOf).join(" ")}`;
      parts.push(...(await this.#partsOf(alike, key, false)));
    }
    if (end > manifest.end) parts.push(await this.#slice("tail", "tail", manifest.end, end, false));
    return { parts, end, manifest };
  }

  /** Files as parts of a size that is worked on at once. */
  async #partsOf(files: readonly StoreFile[], key: string, stays: boolean): Promise<Part[]> {
    const list = files.map((file) => quoted(join(this.#dir, file.path))).join(", ");
    const from = await this.#withAllColumns(`read_parquet([${list}])`, files[0]!.columns);
    const [first, end] = [files[0]!.first, files.at(-1)!.end];
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    // Between files of one set of columns there may be others: then rows are fewer than indexes.
    const slices = Math.max(1, Math.round((end - first) / LIMITS.viewer_part_rows));
    if (slices === 1) return [{ key, from, first, end, rows, stays, times: await this.#timesOf(key, from) }];
    const parts: Part[] = [];
    for (let i = 0; i < slices; i++) {
      const [a, b] = [i, i + 1].map((n) => first + Math.floor(((end - first) * n) / slices)) as [
        number,
        number,
      ];
      parts.push(await this.#slice(key, from, a, b, stays));
    }
    return parts;
  }

  async #slice(name: string, rows: string, first: number, end: number, stays: boolean): Promise<Part> {
    const from = `(FROM ${rows} WHERE "event.sequence" >= ${first} AND "event.sequence" < ${end})`;
    const key = `${name} ${first} ${end}`;
    return { key, from, first, end, rows: end - first, stays, times: await this.#timesOf(key, from) };
  }

  /** Files of an earlier field table lack columns: they are null there. */
  async #withAllColumns(from: string, columns: string): Promise<string> {
    if (columns === COLUMNS_DIGEST) return from;
    let lacking = this.#lacking.get(columns);
    if (lacking === undefined) {
      const { connection } = this.#duckdb;
      const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
      const there = new Set(described.getColumnsJS()[0] as string[]);
      const nulls = Object.entries(columnTypes()).filter(([name]) => !there.has(name));
      lacking = nulls.map(([name, type]) => `, NULL::${type} AS "${name}"`).join("");
      this.#lacking.set(columns, lacking);
    }
    return lacking === "" ? from : `(SELECT *${lacking} FROM ${from})`;
  }

  async #timesOf(key: string, from: string): Promise<Span> {
    const known = this.#times.get(key);
    if (known !== undefined) return known;
    const sql = `SELECT epoch_ms(min("@timestamp")) AS a, epoch_ms(max("@timestamp")) AS b FROM ${from}`;
    const [row] = await this.run(sql, [], 1, new AbortController().signal);
    const times =
      row === undefined || row["a"] === null ? NOTHING : { from: Number(row["a"]), to: Number(row["b"]) };
    this.#times.set(key, times);
    // Those that are asked all the time stay; the others are of a moment.
    for (const old of this.#times.keys()) {
      if (this.#times.size <= 2 * this.#manifest.files.length + LIMITS.viewer_times) break;
      if (!this.#manifest.files.some((file) => old.startsWith(keyOf(file)))) this.#times.delete(old);
    }
    return times;
  }
}

/** Whether events of a part may be within a span. */
export function mayHold({ times }: Part, span: Span): boolean {
  return times.from < span.to && times.to >= span.from;
}

/** Whether all events of a part are within a span. */
export function holdsAll({ times }: Part, span: Span): boolean {
  return times.from >= span.from && times.to < span.to;
}
