// Opens what a report counts in: the store's files and the ledger's entries after them. Refuses where that would be a part, which
// would count too little. Without a store all entries are read into memory, which has its bound.
import { join } from "node:path";
import { storeDirOf } from "../components.ts";
import type { Config } from "../config.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { n } from "../core/words.ts";
import type { LedgerReader } from "../ledger/reader.ts";
import { type Store, openStore } from "../store/reader.ts";

const MIB = 2 ** 20;

/** With every entry before `end`; to be closed. Throws STORE_BEHIND and what the store throws. */
export async function openEvents(config: Config, ledger: LedgerReader, end: number): Promise<Store> {
  const dir = storeDirOf(config) ?? join(config.state_dir, "local");
  const store = await openStore(dir, { ledger, memory_mb: LIMITS.report_memory_mb });
  try {
    await refuseLag(store, end);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function refuseLag(store: Store, end: number): Promise<void> {
  const { end: filed } = store.manifest();
  // Told before anything is read into memory.
  if (end - filed > LIMITS.store_tail_entries) throw behind(filed, end);
  const [row] = await store.query(`SELECT max("event.sequence") + 1 AS n FROM events`);
  const known = Number(row?.["n"] ?? 0);
  if (known < end) throw behind(known, end);
}

function behind(known: number, end: number): TaplineError {
  const most = `${n(LIMITS.store_tail_entries)} entries, or ${LIMITS.store_tail_bytes / MIB} MiB of them`;
  return new TaplineError(
    "STORE_BEHIND",
    `the store has ${n(known)} of ${n(end)} entries of the ledger, and after it a report reads ${most}`,
    {
      retry: true,
      remedy:
        "give the configuration a sink of type store, run the collector, and wait until `tapline status` shows it caught up",
    },
  );
}
