// What commands on one ledger share: which one it is, and which of its entries somebody named.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { forEachEntry } from "../../core/entry.ts";
import { TaplineError } from "../../core/errors.ts";
import { type LedgerReader, openReader } from "../../ledger/reader.ts";
import { walk } from "../../ledger/walk.ts";
import { readConfig } from "../usage.ts";

/** The ledger in `named`, else that of the configuration. Throws NO_SUCH_PATH. */
export async function readerOf(
  named: string | undefined,
  config: string | undefined,
): Promise<{ reader: LedgerReader; dir: string }> {
  const dir = named ?? join((await readConfig(config)).state_dir, "ledger");
  if (existsSync(dir)) return { reader: openReader(dir), dir };
  throw new TaplineError("NO_SUCH_PATH", `${dir} does not exist`, {
    remedy: "name the directory of a ledger",
  });
}

/** Index of the event with this id or index; for an id the ledger is read from its beginning. Throws NO_SUCH_EVENT. */
export async function indexOf(reader: LedgerReader, named: string): Promise<number> {
  if (/^\d{1,15}$/.test(named)) return Number(named);
  const pattern = Buffer.from(`"event":{"id":${JSON.stringify(named)}`);
  for await (const batch of walk(reader)) {
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    let found: number | undefined;
    if (run.includes(pattern)) {
      forEachEntry(batch.run, (start, end, position) => {
        if (found === undefined && idOf(run.subarray(start, end)) === named) found = batch.first + position;
      });
    }
    if (found !== undefined) return found;
  }
  throw new TaplineError("NO_SUCH_EVENT", `the ledger has no event ${named}`);
}

function idOf(entry: Buffer): unknown {
  try {
    return (JSON.parse(entry.toString()) as { event?: { id?: unknown } } | null)?.event?.id;
  } catch {
    return undefined;
  }
}
