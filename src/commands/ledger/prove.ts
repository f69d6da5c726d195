// `tapline ledger prove`: writes a C2SP tlog-proof of one entry, under the newest checkpoint that covers it, a cosigned one
// if there is one. What it writes has been checked.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { forEachEntry } from "../../core/entry.ts";
import { TaplineError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { placeFile } from "../../ledger/files.ts";
import { proveEntry } from "../../ledger/prove.ts";
import { type LedgerReader, openReader } from "../../ledger/reader.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";

export async function prove(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, out: { type: "string" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  // An id that begins with a dash comes last, wherever it stood.
  const [named, dir = join((await readConfig(values.config)).state_dir, "ledger")] =
    positionals[1]?.startsWith("-") === true ? positionals.toReversed() : positionals;
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
  for (let at = 0; ;) {
    const batch = await reader.read(at, LIMITS.sink_batch_entries, LIMITS.sink_batch_bytes);
    if (batch === undefined) break;
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    let found: number | undefined;
    if (run.includes(pattern)) {
      forEachEntry(batch.run, (start, end, position) => {
        if (found === undefined && idOf(run.subarray(start, end)) === id) found = at + position;
      });
    }
    if (found !== undefined) return found;
    at += batch.count;
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
