// What has to be found before a person can be erased, and how it is removed: entries with fields sealed under their key, the
// blobs that these alone name, the key. Decides nothing and records nothing.
import { readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { forEachEntry } from "./core/entry.ts";
import { systemCode } from "./core/errors.ts";
import { blobPath } from "./ledger/blobs.ts";
import { blobsNamed } from "./ledger/check-blobs.ts";
import { syncDir } from "./core/durable.ts";
import { syncDirIfThere } from "./ledger/files.ts";
import type { LedgerReader } from "./ledger/reader.ts";
import { walk } from "./ledger/walk.ts";
import { SEALED } from "./normalise/seal.ts";

/** What of a ledger belongs to a person. */
export interface Belongings {
  /** Entries that hold fields sealed under their key. */
  readonly entries: number;
  /** Ids of the events of which they are the user. */
  readonly ids: readonly string[];
  /** Blobs of these events that no other one names. */
  readonly blobs: readonly string[];
  /** Index after the last entry that holds such fields; 0 when none does. */
  readonly until: number;
  /** Entries that were looked at. */
  readonly end: number;
}

/** How text sealed for a person begins. */
export const tagOf = (subject: string): string => `${SEALED}${subject}:`;

/** Looks through all entries that are there. */
export async function belongingsOf(reader: LedgerReader, subject: string): Promise<Belongings> {
  const tag = tagOf(subject);
  const ids: string[] = [];
  const own = new Set<string>();
  const others = new Set<string>();
  let [entries, until, end] = [0, 0, 0];
  for await (const { run, first, count } of walk(reader)) {
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
    forEachEntry(run, (start, stop, position) => {
      const named = blobsNamed(run.subarray(start - 2, stop));
      const text = bytes.subarray(start, stop);
      const sealed = text.includes(tag);
      if (sealed) {
        entries++;
        until = first + position + 1;
      }
      const id = sealed ? ownerOf(text, tag) : undefined;
      if (id !== undefined) ids.push(id);
      for (const digest of named) (id === undefined ? others : own).add(digest);
    });
    end = first + count;
  }
  return { entries, ids, blobs: [...own].filter((digest) => !others.has(digest)), until, end };
}

/** Index after the last entry from `from` on that holds fields sealed for a person; 0 when none does. */
export async function sealedUntil(reader: LedgerReader, subject: string, from: number): Promise<number> {
  const tag = tagOf(subject);
  let until = 0;
  for await (const { run, first } of walk(reader, from)) {
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
    forEachEntry(run, (start, stop, position) => {
      if (bytes.subarray(start, stop).includes(tag)) until = first + position + 1;
    });
  }
  return until;
}

/** Id of an event whose user is the person, and not whoever decided or was changed in it. */
function ownerOf(entry: Buffer, tag: string): string | undefined {
  interface Known {
    event?: { id?: string };
    user?: { id?: string; name?: string; email?: string };
  }
  const { event, user } = JSON.parse(entry.toString()) as Known;
  const theirs = [user?.id, user?.name, user?.email].some((value) => value?.startsWith(tag) === true);
  return theirs ? event?.id : undefined;
}

/** Destroys a person's key, and what was left of the making of it. False when there was none. */
export async function destroyKey(directory: string, subject: string): Promise<boolean> {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.startsWith(`${subject}.key`));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
  for (const name of names) rmSync(join(directory, name), { force: true });
  await syncDir(directory);
  return names.length > 0;
}

const ASIDE = ".erasing";

/** Removes blobs, except those that an entry from `since` on names: the same text may have been recorded meanwhile. Blobs
 * of an erasure that was cut short are found again. Returns how many are gone. */
export async function removeBlobs(
  dir: string,
  blobs: readonly string[],
  reader: LedgerReader,
  since: number,
): Promise<number> {
  // Put aside first: whoever puts such a text from now on writes the file anew.
  for (const digest of blobs) rename(blobPath(dir, digest), blobPath(dir, digest) + ASIDE);
  const needed = new Set<string>();
  for await (const { run } of walk(reader, since)) for (const digest of blobsNamed(run)) needed.add(digest);
  let removed = 0;
  for (const digest of blobs) {
    const path = blobPath(dir, digest);
    if (needed.has(digest)) rename(path + ASIDE, path);
    else if (remove(path + ASIDE)) removed++;
  }
  for (const path of new Set(blobs.map((digest) => dirname(blobPath(dir, digest)))))
    await syncDirIfThere(path);
  return removed;
}

const ignoring = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return false;
  }
};
const rename = (from: string, to: string): boolean => ignoring(() => renameSync(from, to));
const remove = (path: string): boolean => ignoring(() => rmSync(path));
