// Reads a store, in any process and while its writer runs: SQL over the view `events`, which is the files of the
// manifest and the ledger's entries after them. Writes nothing, and SQL can reach nothing but the store.
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { InOrder } from "../core/in-order.ts";
import { type Duckdb, firstLine, openDuckdb } from "./duckdb.ts";
import { EMPTY, MANIFEST, type Manifest, PARQUET, readManifest } from "./manifest.ts";
import { quoted } from "./parquet.ts";
import { Tail } from "./tail.ts";
import type { EntryReader } from "./entries.ts";

type Parameter = string | number | boolean | null;
/** A BIGINT is a number where it is safe, else a bigint; a TIMESTAMP is a Date; a list is an array. */
export type Row = Record<string, unknown>;

export interface Store {
  /** Rows of one SQL statement with `$1` or `?` parameters, on the entries there now. Throws STORE_QUERY (what is
   * wrong with the statement) or STORE_ANSWER_TOO_LONG; not both at once with another call: calls queue. */
  query(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>;
  /** What is in files now. */
  manifest(): Manifest;
  /** Paths of the Parquet files, in the order of the ledger. They stay for store_grace_ms after a merge. */
  files(): string[];
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Without it `events` ends where the files end. */
  readonly ledger?: EntryReader;
  readonly memory_mb?: number;
}

/** Opens the store in `dir` for reading; it may be empty. */
export async function openStore(dir: string, options: StoreOptions = {}): Promise<Store> {
  const duckdb = await openDuckdb(":memory:", options.memory_mb ?? LIMITS.store_memory_mb, "");
  return await StoreReader.open(resolve(dir), duckdb, options.ledger);
}

class StoreReader implements Store {
  readonly #dir: string;
  readonly #duckdb: Duckdb;
  readonly #tail: Tail;
  #manifest: Manifest = EMPTY;
  #stamp = "";
  readonly #turns = new InOrder();

  private constructor(dir: string, duckdb: Duckdb, tail: Tail) {
    this.#dir = dir;
    this.#duckdb = duckdb;
    this.#tail = tail;
  }

  static async open(dir: string, duckdb: Duckdb, ledger: EntryReader | undefined): Promise<StoreReader> {
    const { connection } = duckdb;
    const tail = await Tail.create(connection, ledger);
    await connection.run(`CREATE VIEW events AS FROM tail`);
    await connection.run(`SET allowed_directories = [${quoted(join(dir, PARQUET))}]`);
    await connection.run("SET enable_external_access = false");
    await connection.run("SET lock_configuration = true");
    return new StoreReader(dir, duckdb, tail);
  }

  query(sql: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.#turns.take(async () => {
      try {
        await this.#refresh();
        return await this.#run(sql, parameters);
      } catch (error) {
        if (error instanceof TaplineError) throw error;
        // A file may have been replaced longer ago than the grace period.
        if (this.#stamp !== stampOf(this.#dir)) {
          await this.#refresh();
          return await this.#run(sql, parameters).catch(refuse);
        }
        return refuse(error);
      }
    });
  }

  manifest(): Manifest {
    return readManifest(this.#dir);
  }

  files(): string[] {
    return this.manifest().files.map((file) => join(this.#dir, file.path));
  }

  close(): Promise<void> {
    return this.#turns.take(async () => this.#duckdb.close());
  }

  async #run(sql: string, parameters: readonly Parameter[]): Promise<Row[]> {
    const reader = await this.#duckdb.connection.streamAndReadUntil(sql, LIMITS.store_query_rows + 1, [
      ...parameters,
    ]);
    if (reader.currentRowCount > LIMITS.store_query_rows) {
      throw new TaplineError(
        "STORE_ANSWER_TOO_LONG",
        `the answer has more than ${LIMITS.store_query_rows} rows`,
        {
          remedy: "ask for less: LIMIT, WHERE or GROUP BY",
        },
      );
    }
    const rows = reader.getRowObjectsJS() as Row[];
    for (const row of rows) for (const name in row) row[name] = plainValue(row[name]);
    return rows;
  }

  /** Makes `events` the files of the manifest and the ledger after them. */
  async #refresh(): Promise<void> {
    const { connection } = this.#duckdb;
    const stamp = stampOf(this.#dir);
    if (stamp !== this.#stamp) {
      this.#manifest = readManifest(this.#dir);
      const { files, end } = this.#manifest;
      const list = files.map((file) => quoted(join(this.#dir, file.path))).join(", ");
      const alike = files.every((file) => file.columns === files[0]!.columns);
      const from = `FROM read_parquet([${list}], union_by_name = ${!alike})`;
      // What was taken at once may be in files in part.
      const tail = `FROM tail WHERE "event.sequence" >= ${end}`;
      const both = `${from} UNION ALL BY NAME ${tail}`;
      await connection.run(`CREATE OR REPLACE VIEW events AS ${files.length === 0 ? tail : both}`);
      await this.#tail.forget(end);
      this.#stamp = stamp;
    }
    await this.#tail.fill(this.#manifest.end);
  }
}

/** Changes when the manifest does. */
export function stampOf(dir: string): string {
  const found = statSync(join(dir, MANIFEST), { throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.ino} ${found.mtimeMs} ${found.size}`;
}

export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function refuse(error: unknown): never {
  if (error instanceof TaplineError) throw error;
  throw new TaplineError("STORE_QUERY", `the query failed: ${firstLine(error)}`, { cause: error });
}
