// Reads full entry bundles and their hashes from files. Proves nothing: verify.ts does.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EntryBatch } from "../core/stage.ts";
import { TaplineError, systemCode } from "../core/errors.ts";
import { countEntries } from "./frame.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { TILE_BYTES, tilePath } from "./paths.ts";
import { joinBatches, part } from "./recent.ts";
import { corrupt } from "./wal.ts";

/** The file's bytes, or undefined when it is not there. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The 256 entries of a full bundle, or undefined when it is not (yet) in files. Throws LEDGER_CORRUPT. */
async function readBundle(dir: string, index: number): Promise<EntryBatch | undefined> {
  const path = join(dir, tilePath("entries", index));
  const tile = join(dir, tilePath(0, index));
  const [run, hashes] = await Promise.all([readIfThere(path), readIfThere(tile)]);
  if (run === undefined || hashes === undefined) return undefined;
  if (countEntries(run) !== TILE_WIDTH) throw corrupt(path, 0, "not 256 entries");
  if (hashes.length !== TILE_BYTES) throw corrupt(tile, 0, "not 256 hashes");
  return { first: index * TILE_WIDTH, count: TILE_WIDTH, run, hashes };
}

/** Entries from index `from` out of full bundles below index `end`; at least one, then as many as both bounds allow.
 * Undefined when the bundle of `from` is not in files. */
export async function readBundles(
  dir: string,
  from: number,
  end: number,
  maxEntries: number,
  maxBytes: number,
): Promise<EntryBatch | undefined> {
  const parts: EntryBatch[] = [];
  let count = 0;
  let bytes = 0;
  while (count < maxEntries && from + count < end && (count === 0 || bytes < maxBytes)) {
    const bundle = await readBundle(dir, Math.floor((from + count) / TILE_WIDTH));
    if (bundle === undefined) break;
    const next = part(
      bundle,
      from + count,
      Math.min(maxEntries - count, end - from - count),
      maxBytes - bytes,
    );
    if (count > 0 && bytes + next.run.length > maxBytes) break;
    parts.push(next);
    count += next.count;
    bytes += next.run.length;
    if (next.first + next.count < bundle.first + TILE_WIDTH) break;
  }
  return parts.length === 0 ? undefined : joinBatches(parts);
}

/** The same where the bundle has to be there. Throws LEDGER_CORRUPT when it is not. */
export async function readWritten(
  ...[dir, from, ...rest]: Parameters<typeof readBundles>
): Promise<EntryBatch> {
  const batch = await readBundles(dir, from, ...rest);
  if (batch !== undefined) return batch;
  throw new TaplineError("LEDGER_CORRUPT", `the bundle with entry ${from} is missing in ${dir}`);
}
