// Connections for statements that run beside each other, and what becomes of DuckDB's errors.
import { TaplineError } from "../core/errors.ts";
import { type DuckDBConnection, firstLine } from "../store/duckdb.ts";

/** Statements at once; those that wait are in order. */
export class Pool {
  readonly #free: DuckDBConnection[];
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];

  constructor(connections: DuckDBConnection[]) {
    this.#free = connections;
  }

  take(): Promise<DuckDBConnection> {
    const connection = this.#free.pop();
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((give) => {
      this.#waiting.push(give);
    });
  }

  give(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
  }

  close(): void {
    for (const connection of this.#free) connection.closeSync();
  }
}

/** Nobody waits for the answer any more, or it took too long. */
export const stopped = (): TaplineError =>
  new TaplineError("TOO_SLOW", "the answer took too long", {
    retry: true,
    remedy: "ask for a shorter period",
  });

/** What DuckDB quotes after the first line may be an event's content: it is left out. */
export function refusal(error: unknown): TaplineError {
  const reason = firstLine(error);
  if (/out of memory/i.test(reason)) {
    return new TaplineError("STORE_TOO_MUCH", "the answer needs more memory than the viewer may use", {
      remedy: "ask for a shorter period or fewer values, or give the viewer more (viewer.memory_mb)",
      cause: error,
    });
  }
  return new TaplineError("STORE_QUERY", `the store could not be asked: ${reason}`, {
    retry: true,
    cause: error,
  });
}
