// `tapline ledger prove`: writes a C2SP tlog-proof of one entry, under the newest checkpoint that covers it, a cosigned one
// if there is one. What it writes has been checked.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { forEachEntry } from "../../core/entry.ts";
import { TaplineError } from "../../core/errors.ts";
import { placeFile } from "../../ledger/files.ts";
import { proveEntry } from "../../ledger/prove.ts";
import { type LedgerReader, openReader } from "../../ledger/reader.ts";
import { walk } from "../../ledger/walk.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";

export async function prove(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, out: { type: "string" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [named, dir = join((await readConfig(values.config)).state_dir, "ledger")] = positionals;
  if (named === undefined || positionals.length > 2)
    throw new UsageError("name one event, by its id or its index");
  if (!existsSync(dir)) {
    throw new TaplineError("NO_SUCH_PATH", `${dir} does not exist`, {
      remedy: "name the directory of a ledger",
    });
  }
  const reader = openReader(dir);
  try {
    const index = /^\d{1,15}$/.test(named) ? Number(named) : await indexOf(reader, named);
    const text = await proveEntry(dir, reader, index);
    if (values.out === undefined) process.stdout.write(text);
    else {
      await placeFile(values.out, [Buffer.from(text)], { sync: true });
      console.error(`proof of entry ${index} in ${values.out}`);
    }
    return 0;
  } finally {
    await reader.close();
  }
}

/** Index of the event with this id; the ledger is read from its beginning. Throws NO_SUCH_EVENT. */
async function indexOf(reader: LedgerReader, id: string): Promise<number> {
  const pattern = Buffer.from(`"event":{"id":${JSON.stringify(id)}`);
  for await (const batch of walk(reader)) {
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    let found: number | undefined;
    if (run.includes(pattern)) {
      forEachEntry(batch.run, (start, end, position) => {
        if (found === undefined && idOf(run.subarray(start, end)) === id) found = batch.first + position;
      });
    }
    if (found !== undefined) return found;
  }
  throw new TaplineError("NO_SUCH_EVENT", `the ledger has no event ${id}`);
}

function idOf(entry: Buffer): unknown {
  try {
    return (JSON.parse(entry.toString()) as { event?: { id?: unknown } } | null)?.event?.id;
  } catch {
    return undefined;
  }
}
