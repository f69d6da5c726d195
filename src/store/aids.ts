// What is made beside a file that stays, once, when the writer has nothing else to do: summary rows and runs of letters.
// Everything works without it, slower.
import { createHash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import { COLUMNS_DIGEST } from "./columns.ts";
import { type DuckDBConnection, firstLine } from "./duckdb.ts";
import { GRAMS_VERSION, GramSet } from "./grams.ts";
import { type Aids, type StoreFile, gramsPath, rollupPath } from "./manifest.ts";
import { isSmall } from "./merge.ts";
import { ROLLUPS, writeRollup } from "./rollup.ts";
import type { EntryReader } from "./entries.ts";

/** Changes when something else is made of the same file. */
export const AIDS_VERSION = createHash("sha256")
  .update(JSON.stringify([ROLLUPS, GRAMS_VERSION, COLUMNS_DIGEST]))
  .digest("hex")
  .slice(0, 16);

/** Summary rows of a file help when there are at most so many for each of its rows. */
const FEW = 0.5;

/** The newest file that stays and has no aids of today. */
export const lacksAids = (files: readonly StoreFile[]): StoreFile | undefined =>
  files.findLast((file) => !isSmall(file) && file.aids?.version !== AIDS_VERSION);

/** Whether what the manifest tells of is there; true of a file that has none. */
export function hasAids(dir: string, { first, end, aids }: StoreFile): boolean {
  const sizeOf = (path: string): number | undefined =>
    statSync(join(dir, path), { throwIfNoEntry: false })?.size;
  const { rollup, grams } = aids ?? {};
  return (
    (rollup === undefined || sizeOf(rollupPath(first, end)) === rollup.bytes) &&
    (grams === undefined || sizeOf(gramsPath(first, end)) === grams.bytes)
  );
}

/** The files without aids of which something is gone: they are made again. The same list when nothing is. */
export function withoutLost(dir: string, files: readonly StoreFile[]): readonly StoreFile[] {
  if (files.every((file) => hasAids(dir, file))) return files;
  return files.map((file) => (hasAids(dir, file) ? file : { ...file, aids: undefined }));
}

/** Removes what is beside a file, such as when rows of it had to go. */
export function removeAids(dir: string, { first, end }: StoreFile): void {
  for (const path of [rollupPath(first, end), gramsPath(first, end)])
    rmSync(join(dir, path), { force: true });
}

/** Makes them. What cannot be made is told to `warn`, and left out. */
export async function makeAids(
  connection: DuckDBConnection,
  dir: string,
  file: StoreFile,
  ledger: EntryReader,
  warn: (message: string) => void,
): Promise<Aids> {
  const rollup = await rollupOf(connection, dir, file, warn);
  const bits = await gramBitsOf(file, ledger);
  if (bits !== undefined) await writeGrams(dir, file, bits);
  return {
    version: AIDS_VERSION,
    ...(rollup !== undefined && { rollup }),
    ...(bits !== undefined && { grams: { bytes: bits.length } }),
  };
}

async function rollupOf(
  connection: DuckDBConnection,
  dir: string,
  file: StoreFile,
  warn: (message: string) => void,
): Promise<Aids["rollup"]> {
  // Columns of an earlier field table are others.
  if (file.columns !== COLUMNS_DIGEST) return undefined;
  try {
    const rollup = await writeRollup(connection, dir, file);
    if (rollup.rows <= FEW * file.rows) return rollup;
    rmSync(join(dir, rollupPath(file.first, file.end)), { force: true });
  } catch (error) {
    warn(`no summary of ${file.path}: ${firstLine(error)}`);
  }
  return undefined;
}

/** Undefined when the ledger does not hold the entries any more, or nothing can be ruled out by them. */
async function gramBitsOf({ first, end }: StoreFile, ledger: EntryReader): Promise<Uint8Array | undefined> {
  const grams = new GramSet();
  for (let at = first; at < end;) {
    const most = Math.min(end - at, LIMITS.store_chunk_entries);
    const batch = await ledger.read(at, most, LIMITS.store_chunk_bytes);
    if (batch === undefined) return undefined;
    grams.add(batch.run);
    at += batch.count;
  }
  const bits = grams.finish();
  return bits.length === 0 ? undefined : bits;
}

/** Bits of a file, durable under their name. */
export async function writeGrams(dir: string, { first, end }: StoreFile, bits: Uint8Array): Promise<void> {
  const path = join(dir, gramsPath(first, end));
  const file = await open(`${path}.tmp`, "w", 0o600);
  await file.writeFile(bits);
  await file.sync();
  await file.close();
  await rename(`${path}.tmp`, path);
}
