// Who was erased from a ledger: the file `erased` names the entries that tell of it. What these list may be missing; a blob
// that is gone and listed nowhere is missing all the same. The file alone excuses nothing.
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { validDigest } from "./blobs.ts";
import { placeFile } from "./files.ts";
import { ERASED } from "./paths.ts";
import { type TreeFiles, filesIn } from "./tree-files.ts";

/** One erasure, as an entry tells of it. */
export interface Erased {
  readonly entry: number;
  /** The person, as a keyed digest. */
  readonly subject: string;
}

/** What the file says, the oldest first; nothing where it says nothing that can be read. */
export async function readErased({ read }: Pick<TreeFiles, "read">): Promise<readonly Erased[]> {
  const bytes = await read(ERASED, LIMITS.checkpoint_bytes);
  if (bytes === undefined || bytes === "too long") return [];
  try {
    const { version, erased } = JSON.parse(bytes.toString()) as { version?: number; erased?: Erased[] };
    if (version !== 1 || !Array.isArray(erased)) return [];
    return erased.filter(
      ({ entry, subject }) => Number.isSafeInteger(entry) && entry >= 0 && validDigest(subject),
    );
  } catch {
    return [];
  }
}

export const erasedIn = (dir: string): Promise<readonly Erased[]> => readErased(filesIn(dir));

/** Resolves when it is durable. */
export async function addErased(dir: string, more: readonly Erased[]): Promise<void> {
  const erased = [...(await erasedIn(dir)), ...more];
  await placeFile(join(dir, ERASED), [Buffer.from(`${JSON.stringify({ version: 1, erased })}\n`)], {
    sync: true,
  });
}

/** What an entry tells of an erasure: whose, and which blobs were to go. Undefined when it tells of none. */
export function erasureOf(entry: Uint8Array): { subject: string; blobs: readonly string[] } | undefined {
  interface Said {
    event?: { action?: unknown };
    tapline?: { vantage?: unknown; erasure?: { subject?: unknown; blobs?: unknown } };
  }
  try {
    const said = JSON.parse(Buffer.from(entry).toString()) as Said | null;
    const { vantage, erasure } = said?.tapline ?? {};
    const subject = erasure?.subject;
    if (said?.event?.action !== "subject-erasure" || vantage !== "self" || !validDigest(subject))
      return undefined;
    const blobs = Array.isArray(erasure?.blobs) ? erasure.blobs.filter(validDigest) : [];
    return { subject, blobs };
  } catch {
    return undefined;
  }
}

interface Reads {
  first(): Promise<number>;
  read(from: number, entries: number, bytes: number): Promise<EntryBatch | undefined>;
}

/** Blobs that may be missing, each with the entry that says so, one of the first `size`: of entries before that one. */
export async function excused(
  dir: string,
  reader: Reads,
  size: number,
): Promise<ReadonlyMap<string, number>> {
  const blobs = new Map<string, number>();
  const [first, erased] = [await reader.first(), await erasedIn(dir)];
  for (const { entry } of erased) {
    const batch =
      entry < first || entry >= size ? undefined : await reader.read(entry, 1, LIMITS.entry_bytes + 2);
    const told = batch && erasureOf(batch.run.subarray(2));
    for (const digest of told?.blobs ?? []) blobs.set(digest, entry);
  }
  return blobs;
}
