// Goes through a ledger in order, a batch at a time, as large as sinks take them. Knows nothing of what is in it.
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { prunedError } from "./pruned.ts";
import type { LedgerReader } from "./reader.ts";

/** Batches of the entries [from, to), from the first that was not removed by retention; ends early where the ledger does. */
export async function* walk(reader: LedgerReader, from = 0, to = Infinity): AsyncGenerator<EntryBatch> {
  for (let at = Math.max(from, await reader.first()); at < to;) {
    const most = Math.min(LIMITS.sink_batch_entries, to - at);
    const batch = await reader.read(at, most, LIMITS.sink_batch_bytes);
    if (batch === undefined) return;
    yield batch;
    at += batch.count;
  }
}

/** Batches of what files still have of the entries [from, to): bundles that a removal took before it was cut short are passed over. */
export async function* walkLeft(reader: LedgerReader, from: number, to: number): AsyncGenerator<EntryBatch> {
  for (let at = from; at < to;) {
    const most = Math.min(LIMITS.sink_batch_entries, to - at);
    const batch = await reader.read(at, most, LIMITS.sink_batch_bytes).catch((error: unknown) => {
      if (error instanceof TaplineError && error.code === "ENTRY_PRUNED") return "gone" as const;
      throw error;
    });
    if (batch === undefined) return;
    if (batch !== "gone") yield batch;
    at = batch === "gone" ? at - (at % TILE_WIDTH) + TILE_WIDTH : at + batch.count;
  }
}

/** Batches of the entries [from, to), each of which has to be there. Throws NO_SUCH_ENTRY, ENTRY_PRUNED. */
export async function* walkAll(reader: LedgerReader, from: number, to: number): AsyncGenerator<EntryBatch> {
  const first = await reader.first();
  if (from < to && from < first) throw prunedError(from, first);
  let at = from;
  for await (const batch of walk(reader, from, to)) {
    yield batch;
    at = batch.first + batch.count;
  }
  if (at >= to) return;
  throw new TaplineError("NO_SUCH_ENTRY", `the ledger has no entry ${at}`, {
    remedy: "see `tapline status`",
  });
}
