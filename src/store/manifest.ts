// The store's list of files: which Parquet file holds which entries. Replaced by rename, so that a reader sees the
// old list or the new one. Knows nothing of what is in the files.
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";

export const MANIFEST = "manifest.json";
export const PARQUET = "parquet";
export const ROLLUP = "rollup";
export const GRAMS = "grams";
const VERSION = 1;

/** Rows of entries [first, end) of the ledger. */
export interface StoreFile {
  /** Relative to the store's directory. */
  readonly path: string;
  readonly first: number;
  readonly end: number;
  readonly rows: number;
  /** Size of the file. */
  readonly bytes: number;
  /** Bytes of the entries in it. */
  readonly entry_bytes: number;
  /** Names the columns that it has; files of one digest have the same ones. */
  readonly columns: string;
  /** How many of the persons that were erased have no rows here any more, in the order of the erasures; 0 when not given. */
  readonly erased?: number;
  /** What was made of it, so that questions need not read it. Files that will be merged soon have none. */
  readonly aids?: Aids | undefined;
}

/** What is beside a file. Each can be removed: then the file itself is asked, and the writer makes it again at its next start. */
export interface Aids {
  /** Names how they are made. */
  readonly version: string;
  /** Summary rows (rollup.ts): how many, and their bytes. None when they would not be few. */
  readonly rollup?: { readonly rows: number; readonly bytes: number };
  /** Which runs of letters are in the entries (grams.ts); none when that could not be told. */
  readonly grams?: { readonly bytes: number };
}

export interface Manifest {
  readonly version: number;
  /** The first entry that retention has left; 0 when not given. */
  readonly first?: number;
  /** The store holds entries [first, end). */
  readonly end: number;
  /** Leaf hash of entry end - 1, in hex: a store belongs to one ledger. */
  readonly last_hash: string;
  /** In order, each beginning where the last ends. */
  readonly files: readonly StoreFile[];
  /** Replaced files that readers may still have open, and when they were replaced, ms since 1970. */
  readonly retired: readonly { readonly path: string; readonly at_ms: number }[];
}

export const EMPTY: Manifest = { version: VERSION, end: 0, last_hash: "", files: [], retired: [] };

/** Makes the directories. Only the owner may read them. */
export function makeStore(dir: string): void {
  for (const name of [PARQUET, ROLLUP, GRAMS]) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
}

const padded = (index: number): string => String(index).padStart(12, "0");
const rangeName = (first: number, end: number): string => `${padded(first)}-${padded(end)}`;

/** `parquet/<first>-<end>.parquet`, with leading zeros so that names sort as ranges do. */
export function parquetPath(first: number, end: number): string {
  return `${PARQUET}/${rangeName(first, end)}.parquet`;
}

/** Summary rows of the file of that range. */
export const rollupPath = (first: number, end: number): string =>
  `${ROLLUP}/${rangeName(first, end)}.parquet`;

/** Runs of letters in the file of that range: bits, nothing else. */
export const gramsPath = (first: number, end: number): string => `${GRAMS}/${rangeName(first, end)}.bits`;

/** Everything of a file, by path. */
export const pathsOf = ({ path, first, end }: StoreFile): string[] => [
  path,
  rollupPath(first, end),
  gramsPath(first, end),
];

/** The manifest; empty when there is none. Throws STORE_UNREADABLE, STORE_DAMAGED or STORE_NEWER. */
export function readManifest(dir: string): Manifest {
  const path = join(dir, MANIFEST);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return EMPTY;
    throw new TaplineError("STORE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      retry: true,
      cause,
    });
  }
  let manifest: Partial<Manifest> | null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    manifest = null;
  }
  if (typeof manifest?.version === "number" && manifest.version > VERSION) {
    throw new TaplineError("STORE_NEWER", `${path} was written by a newer version of Tapline`, {
      remedy: "use that version, or move the store's directory away: it is made again from the ledger",
    });
  }
  if (!isWhole(manifest)) {
    throw new TaplineError("STORE_DAMAGED", `${path} is not a manifest`, {
      remedy: "move the store's directory away: it is made again from the ledger",
    });
  }
  return manifest;
}

function isWhole(manifest: Partial<Manifest> | null): manifest is Manifest {
  if (manifest === null || !Array.isArray(manifest.files) || !Array.isArray(manifest.retired)) return false;
  let end = manifest.first ?? 0;
  for (const file of manifest.files) {
    if (file.first !== end || file.path !== parquetPath(file.first, file.end)) return false;
    end = file.end;
  }
  return manifest.version === VERSION && manifest.end === end && typeof manifest.last_hash === "string";
}

/** Resolves when the manifest is durable. */
export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const path = join(dir, MANIFEST);
  const file = await open(`${path}.tmp`, "w", 0o600);
  await file.writeFile(JSON.stringify(manifest));
  await file.sync();
  await file.close();
  await rename(`${path}.tmp`, path);
  await syncPath(dir);
}

/** Bytes of a file, or undefined when there is none. */
export function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** fsync of a file or a directory by name. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync();
  await file.close();
}
