// What a store reads of a ledger. Types only.
import type { EntryBatch } from "../core/stage.ts";
import type { Erased } from "../ledger/erased.ts";

/** The ledger's files, read only. */
export interface EntryReader {
  /** Entries that are there. */
  size(): number | Promise<number>;
  /** The first that was not removed by retention. */
  first(): number | Promise<number>;
  /** Persons that were erased, the first one first. */
  erased(): readonly Erased[] | Promise<readonly Erased[]>;
  /** Entries from `from` on, at least one; undefined when there are none yet. */
  read(
    from: number,
    max_entries: number,
    max_bytes: number,
  ): EntryBatch | undefined | Promise<EntryBatch | undefined>;
}
