// The one place that loads DuckDB. Always with a memory limit, and nothing fetched from anywhere.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

export type { DuckDBConnection } from "@duckdb/node-api";

export interface Duckdb {
  readonly connection: DuckDBConnection;
  /** One more, for a statement beside others. */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** Opens a database, ":memory:" or a file (which is locked against other processes while it is open).
 * Throws DUCKDB_MISSING when the package is not there; what DuckDB itself throws goes through. */
export async function openDuckdb(
  path: string,
  memoryMb: number,
  tempDir: string,
  threads = 1, // less CPU an event than two, and the collector's workers need the cores
): Promise<Duckdb> {
  let api: typeof import("@duckdb/node-api");
  try {
    api = await import("@duckdb/node-api");
  } catch (cause) {
    throw new TaplineError(
      "DUCKDB_MISSING",
      `the package @duckdb/node-api cannot be loaded: ${firstLine(cause)}`,
      {
        remedy: "run npm ci on this machine, or use the file sink in place of the store",
        cause,
      },
    );
  }
  const instance = await api.DuckDBInstance.create(path, {
    threads: String(threads),
    memory_limit: `${memoryMb}MiB`,
    temp_directory: tempDir,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  return { connection, connect: () => instance.connect(), close };
}

/** What went wrong, without what DuckDB quotes after the first line: that may be an event's content. */
export function firstLine(error: unknown): string {
  return reasonOf(error).split("\n", 1)[0]!.slice(0, 200);
}

/** A database whose file is the lock of a store: DuckDB locks it, and the system lets go of the lock however the
 * process ends. Nothing is kept in it. Throws STORE_LOCKED (retry) when it is still held after store_wait_ms. */
export async function openLocked(dir: string, memoryMb: number): Promise<Duckdb> {
  const path = join(dir, "writer.lock");
  for (let waited_ms = 0; ; waited_ms += 100) {
    try {
      return await openDuckdb(path, memoryMb, join(dir, "tmp"));
    } catch (cause) {
      if (cause instanceof TaplineError) throw cause;
      const reason = firstLine(cause);
      if (!/lock/i.test(reason) || waited_ms >= LIMITS.store_wait_ms) {
        throw new TaplineError(
          "STORE_LOCKED",
          `the store in ${dir} cannot be opened for writing: ${reason}`,
          {
            retry: true,
            remedy: "a store has one writer: stop the other collector, or give this one a path of its own",
            cause,
          },
        );
      }
      await sleep(100);
    }
  }
}
