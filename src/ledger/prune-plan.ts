// Looks for what retention is to remove: up to which bundle every entry was recorded before a time, and which blobs nothing
// later names. Reads, in a process of its own; changes nothing.
import { forEachEntry } from "../core/entry.ts";
import { blobsNamed } from "./check-blobs.ts";
import { TILE_WIDTH } from "./merkle.ts";
import type { LedgerReader } from "./reader.ts";
import { walk, walkLeft } from "./walk.ts";

export interface PruneAsk {
  /** First entry that is there. */
  readonly from: number;
  /** Not beyond this one. */
  readonly max: number;
  /** Entries recorded before this time are to go, ms since 1970. */
  readonly before_ms: number;
}

export interface PrunePlan {
  /** First entry to keep, a multiple of 256; `from` when nothing is to go. */
  readonly to: number;
  /** Where age alone would end: beyond `max` when that holds it back. */
  readonly aged: number;
  /** Blobs to remove with them. */
  readonly blobs: readonly string[];
}

export async function planPrune(
  reader: LedgerReader,
  { from, max, before_ms }: PruneAsk,
): Promise<PrunePlan> {
  const aged = await agedUntil(reader, from, before_ms);
  const to = Math.max(from, whole(Math.min(aged, max)));
  return { to, aged, blobs: await blobsOnlyBefore(reader, from, to) };
}

/** The first entry of the bundle that an entry is in. */
const whole = (index: number): number => index - (index % TILE_WIDTH);

/** First bundle with an entry that was recorded at `before_ms` or later, as the index of its first entry. */
async function agedUntil(reader: LedgerReader, from: number, before_ms: number): Promise<number> {
  let end = from;
  for await (const { run, first, count } of walk(reader, from)) {
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
    let young: number | undefined;
    forEachEntry(run, (start, stop, position) => {
      if (young === undefined && !(recorded(bytes.toString("utf8", start, stop)) < before_ms))
        young = first + position;
    });
    if (young !== undefined) return Math.max(from, whole(young));
    end = first + count;
  }
  return Math.max(from, whole(end));
}

/** When an entry was recorded; one that does not say counts as new. */
function recorded(entry: string): number {
  try {
    const { event, ...e } = JSON.parse(entry) as { event?: { created?: string }; "@timestamp"?: string };
    return Date.parse(event?.created ?? e["@timestamp"] ?? "");
  } catch {
    return Number.NaN;
  }
}

/** Blobs that entries [from, to) name, as far as these are still there, without those that a later one names too. Blobs go before
 * the bundles that name them, so that those of a bundle that is gone are gone. */
export async function blobsOnlyBefore(reader: LedgerReader, from: number, to: number): Promise<string[]> {
  const found = new Set<string>();
  if (from >= to) return [];
  for await (const { run } of walkLeft(reader, from, to))
    for (const digest of blobsNamed(run)) found.add(digest);
  if (found.size === 0) return [];
  for await (const { run } of walk(reader, to)) {
    for (const digest of blobsNamed(run)) found.delete(digest);
    if (found.size === 0) break;
  }
  return [...found];
}
