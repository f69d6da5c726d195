// Rows that are to go from a store: a file that has some is written again without them, one of nothing else is left out.
// Gives the manifest that then holds; replaced files stay until their grace period is over.
import { join } from "node:path";
import type { Erased } from "../ledger/erased.ts";
import { SEALED } from "../normalise/seal.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { removeAids } from "./aids.ts";
import { type Manifest, type StoreFile, parquetPath, pathsOf } from "./manifest.ts";
import { groupRows, quoted, writeParquet } from "./parquet.ts";

interface Store {
  readonly connection: DuckDBConnection;
  readonly dir: string;
  readonly now: () => number;
}

/** Without rows of entries before `first`; undefined when there are none. */
export async function withoutPruned(
  store: Store,
  manifest: Manifest,
  first: number,
): Promise<Manifest | undefined> {
  const { files, end, retired } = manifest;
  const gone = files.filter((file) => file.first < first);
  if (gone.length === 0 && end >= first) return undefined;
  const kept = files.slice(gone.length);
  const last = gone.at(-1);
  if (last !== undefined && last.end > first) {
    const path = parquetPath(first, last.end);
    kept.unshift({ ...(await rewritten(store, last, path, `"event.sequence" >= ${first}`)), first });
  }
  const at_ms = store.now();
  const replaced = gone.flatMap(pathsOf).map((path) => ({ path, at_ms }));
  return { ...manifest, first, files: kept, end: Math.max(end, first), retired: [...retired, ...replaced] };
}

/** Without rows of events whose user is one of the persons that were erased; undefined when every file was looked through.
 * Such a file is replaced under its name, at once: what is to be gone is not kept for readers. */
export async function withoutErased(
  store: Store,
  manifest: Manifest,
  erased: readonly Erased[],
): Promise<Manifest | undefined> {
  const files: StoreFile[] = [];
  let any = false;
  for (const file of manifest.files) {
    const due = erased.slice(file.erased ?? 0).filter(({ entry }) => file.first < entry);
    if (due.length === 0) {
      files.push(file);
      continue;
    }
    any = true;
    const where = due.map(({ subject }) => theirs(subject)).join(" OR ");
    const found = await countRows(store, file, where);
    const left = found === 0 ? file : await rewritten(store, file, file.path, `NOT (${where})`);
    if (left !== file) removeAids(store.dir, file);
    files.push({ ...left, erased: erased.length });
  }
  return any ? { ...manifest, files } : undefined;
}

const theirs = (subject: string): string =>
  ["user.id", "user.name", "user.email"]
    .map((column) => `coalesce(starts_with("${column}", ${quoted(`${SEALED}${subject}:`)}), false)`)
    .join(" OR ");

async function countRows({ connection, dir }: Store, file: StoreFile, where: string): Promise<number> {
  const from = `FROM read_parquet([${quoted(join(dir, file.path))}]) WHERE ${where}`;
  const [found] = (
    await connection.runAndReadAll(`SELECT count(*)::INTEGER AS rows ${from}`)
  ).getRowObjectsJS();
  return Number(found!["rows"]);
}

/** The rows of a file for which `where` holds, as a file at `path`, without aids. It stays where it is. */
async function rewritten(
  { connection, dir }: Store,
  file: StoreFile,
  path: string,
  where: string,
): Promise<StoreFile> {
  const from = `FROM read_parquet([${quoted(join(dir, file.path))}]) WHERE ${where}`;
  const sums = `SELECT count(*)::INTEGER AS rows, coalesce(sum(strlen(entry)), 0)::BIGINT AS bytes ${from}`;
  const [found] = (await connection.runAndReadAll(sums)).getRowObjectsJS() as {
    rows: number;
    bytes: bigint;
  }[];
  const [rows, entry_bytes] = [found!.rows, Number(found!.bytes)];
  const group = groupRows(rows === 0 ? 1 : entry_bytes / rows);
  const bytes = await writeParquet(connection, `SELECT * ${from}`, join(dir, path), rows, group);
  return { ...file, path, rows, bytes, entry_bytes, aids: undefined };
}
