// The ledger's minimum index (C2SP tlog-tiles): entries before it were removed by a retention policy, their hashes stay, so
// that proofs stay valid. Kept in the file `pruned`, which names the entry that says so; without that entry it is no excuse.
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { placeFile } from "./files.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { ownWord } from "./own-word.ts";
import { PRUNED } from "./paths.ts";
import { type TreeFiles, filesIn } from "./tree-files.ts";
import { corrupt } from "./wal.ts";

export interface Pruned {
  /** First entry that is kept, a multiple of 256. */
  readonly first: number;
  /** Index of the entry that tells of the removal. */
  readonly entry: number;
  /** First entry that may still be in files: less than `first` while the removal is under way. */
  readonly from: number;
}

/** What was pruned, undefined when nothing was. Throws LEDGER_CORRUPT for a file that says nothing. */
export async function readPruned({
  read,
  place,
}: Pick<TreeFiles, "read" | "place">): Promise<Pruned | undefined> {
  const bytes = await read(PRUNED, LIMITS.checkpoint_bytes);
  if (bytes === undefined) return undefined;
  const found = bytes === "too long" ? undefined : parsed(bytes.toString());
  if (found !== undefined) return found;
  throw corrupt(`${place}/${PRUNED}`, 0, "not the file of what was pruned");
}

function parsed(text: string): Pruned | undefined {
  let value: Partial<Pruned & { version: number }> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  const { version, first = -1, entry = -1, from = -1 } = value ?? {};
  const whole = [first, entry, from].every((index) => Number.isSafeInteger(index) && index >= 0);
  if (version !== 1 || !whole || first % TILE_WIDTH !== 0 || from > first || entry < first) return undefined;
  return { first, entry, from };
}

/** First entry that is kept in a ledger's directory: 0 where nothing was pruned. */
export async function firstIn(dir: string): Promise<number> {
  return (await readPruned(filesIn(dir)))?.first ?? 0;
}

/** Resolves when it is durable. */
export async function writePruned(dir: string, { first, entry, from }: Pruned): Promise<void> {
  const text = `${JSON.stringify({ version: 1, first, entry, from })}\n`;
  await placeFile(join(dir, PRUNED), [Buffer.from(text)], { sync: true });
}

export function prunedError(index: number, first: number): TaplineError {
  return new TaplineError(
    "ENTRY_PRUNED",
    `entry ${index} was removed by retention: the ledger begins at entry ${first}`,
    {
      remedy: "name a later one; proofs of it that were made before stay valid",
    },
  );
}

/** Whether an entry says that the entries before `first` were removed from this ledger. */
export function tellsOfPrune(entry: Uint8Array, first: number): boolean {
  const prune = ownWord(entry, "ledger-prune")?.["prune"] as { to?: unknown } | null | undefined;
  return prune?.to === first;
}
