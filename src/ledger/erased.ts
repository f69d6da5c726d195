// Who was erased from a ledger: the file `erased` names the entries that tell of it. What these list may be missing; a blob
// that is gone and listed nowhere is missing all the same. The file alone excuses nothing.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { takeLock } from "../core/lock.ts";
import type { EntryBatch } from "../core/stage.ts";
import { validDigest } from "./blobs.ts";
import { placeFile } from "./files.ts";
import { ownWord } from "./own-word.ts";
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
  const bytes = await read(ERASED, LIMITS.erased_bytes);
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

/** Resolves when it is durable. Throws ERASED_FULL, ERASED_BUSY. */
export async function addErased(dir: string, more: readonly Erased[]): Promise<void> {
  const release = await alone(join(dir, `${ERASED}.lock`));
  try {
    await writeErased(dir, more);
  } finally {
    release();
  }
}

/** Erasures are commands, of which two may run at once: each reads the file and writes it anew. */
async function alone(path: string): Promise<() => void> {
  const busy = (pid: string): TaplineError =>
    new TaplineError("ERASED_BUSY", `process ${pid} has ${path}: another erasure`, {
      retry: true,
      remedy: "ask again when it has ended",
    });
  for (const end_ms = performance.now() + LIMITS.erased_wait_ms; ;) {
    try {
      return takeLock(path, busy);
    } catch (error) {
      const waits = error instanceof TaplineError && performance.now() < end_ms;
      if (!waits) throw error;
      await sleep(LIMITS.erased_wait_ms / 500);
    }
  }
}

async function writeErased(dir: string, more: readonly Erased[]): Promise<void> {
  const erased = [...(await erasedIn(dir)), ...more];
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, erased })}\n`);
  if (bytes.length > LIMITS.erased_bytes)
    throw new TaplineError("ERASED_FULL", `${join(dir, ERASED)} lists as many erasures as it can`, {
      remedy: "begin a new ledger: move the state directory away",
    });
  await placeFile(join(dir, ERASED), [bytes], { sync: true });
}

/** What an entry tells of an erasure: whose, and which blobs were to go. Undefined when it tells of none. */
export function erasureOf(entry: Uint8Array): { subject: string; blobs: readonly string[] } | undefined {
  type Said = { subject?: unknown; blobs?: unknown } | null | undefined;
  const erasure = ownWord(entry, "subject-erasure")?.["erasure"] as Said;
  const subject = erasure?.subject;
  if (!validDigest(subject)) return undefined;
  const blobs = Array.isArray(erasure?.blobs) ? erasure.blobs.filter(validDigest) : [];
  return { subject, blobs };
}

interface Reads {
  read(from: number, entries: number, bytes: number): Promise<EntryBatch | undefined>;
}

/** Blobs that may be missing, each with the entry that says so, one of entries [first, size): of entries before that one. What
 * cannot be read excuses nothing; that it is damaged is for whoever checks the tiles to find. */
export async function excused(
  dir: string,
  reader: Reads,
  first: number,
  size: number,
): Promise<ReadonlyMap<string, number>> {
  const blobs = new Map<string, number>();
  for (const { entry } of await erasedIn(dir)) {
    if (entry < first || entry >= size) continue;
    const batch = await reader.read(entry, 1, LIMITS.entry_bytes + 2).catch((error: unknown) => {
      if (error instanceof TaplineError && error.code === "LEDGER_CORRUPT") return undefined;
      throw error;
    });
    const told = batch && erasureOf(batch.run.subarray(2));
    for (const digest of told?.blobs ?? []) blobs.set(digest, entry);
  }
  return blobs;
}
