// A ledger that retention is to prune: entries with a time and blobs, snapshots that need none of the old ones, and the
// entry that tells of the removal.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDigest } from "../../src/core/digest.ts";
import type { Ledger } from "../../src/ledger/log.ts";
import type { Pruned } from "../../src/ledger/pruned.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { ORIGIN, openLedger, runOf } from "./helpers.ts";

export const DAY_MS = 86_400_000;
export const START_MS = Date.parse("2026-01-01T00:00:00.000Z");
/** Entries of one day. */
export const A_DAY = 100;

export const DIGEST_KEY = "5".repeat(64);
export const digestOf = createDigest(DIGEST_KEY);
/** Every 50th entry has a text of its own in a blob, and every 70th one that it shares with many. */
export const SHARED = "shared ".repeat(900);
export const ownText = (index: number): string => `own ${index} `.repeat(700);

function textOf(index: number): string | undefined {
  if (index % 50 === 7) return ownText(index);
  return index % 70 === 9 ? SHARED : undefined;
}

export function entryOf(index: number): string {
  const created = new Date(START_MS + Math.floor(index / A_DAY) * DAY_MS).toISOString();
  const text = textOf(index);
  const blob =
    text === undefined ? {} : { tapline: { blob: { digests: [digestOf(text)], bytes: [text.length] } } };
  return JSON.stringify({ n: index, ...blob, event: { created } });
}

/** Appends entries as they are above, and makes them durable. */
export async function append(ledger: Ledger, count: number, header = "{}"): Promise<void> {
  const entries: Buffer[] = [];
  for (let index = ledger.size; entries.length < count; index++) {
    const text = textOf(index);
    if (text !== undefined) ledger.putBlob(digestOf(text), Buffer.from(text));
    entries.push(Buffer.from(entryOf(index)));
  }
  const run = runOf(entries);
  ledger.append({ run, count, hashes: leafHashes(run), header });
  await ledger.commit();
}

export async function say(ledger: Ledger, entry: object): Promise<number> {
  const run = runOf([Buffer.from(JSON.stringify(entry))]);
  const at = ledger.append({ run, count: 1, hashes: leafHashes(run), header: "{}" });
  await ledger.commit();
  await ledger.publish();
  return at;
}

export const pruneEntry = (from: number, to: number) => ({
  event: { action: "ledger-prune" },
  tapline: { vantage: "self", prune: { from, to } },
});
/** What a central collector's entries have that another one recorded first. */
export const UPSTREAM = { origin: "tapline/laptop-7", sequence: 99 };

/** What a collector finds in a ledger beside its entries. */
interface Kept {
  readonly origin: string;
  readonly header: string;
  readonly state: string;
}

/** A ledger of `entries` in `dir`, open, of which the first `prunable` are in tiles alone. */
export async function grown(
  dir: string,
  entries: number,
  prunable: number,
  { origin, header, state }: Kept = { origin: ORIGIN, header: "{}", state: "{}" },
): Promise<Ledger> {
  const { ledger } = await openLedger(dir, { origin });
  await append(ledger, prunable, header);
  await ledger.snapshot(state);
  ledger.pruner.turnLog();
  await append(ledger, 256, header);
  await ledger.snapshot(state);
  await append(ledger, entries - ledger.size, header);
  await ledger.snapshot(state);
  // The log's first segment goes when its tiles are written, which a busy machine may do after the snapshot.
  for (let tries = 0; tries < 100 && (await ledger.pruner.limit()) === 0; tries++) {
    await sleep(20);
    await ledger.snapshot(state);
  }
  return ledger;
}

/** Records that the entries before `first` go. */
export async function announced(ledger: Ledger, first: number): Promise<Pruned> {
  const from = ledger.first;
  return { first, from, entry: await say(ledger, pruneEntry(from, first)) };
}

/** Every file of a directory, relative to it. */
export function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .toSorted();
}
