// Events of a ledger as rules saw them: entries in their order, with what moved to blobs put back.
import { join } from "node:path";
import { sinksOf } from "../../components.ts";
import type { Config } from "../../config.ts";
import { forEachEntry } from "../../core/entry.ts";
import type { Event } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { blobsOf, eventOfDocument } from "../../detect/document.ts";
import { PendingBlobs } from "../../ledger/blobs.ts";
import { openReader } from "../../ledger/reader.ts";
import { walk } from "../../ledger/walk.ts";
import { openStore } from "../../store/reader.ts";
import { UsageError } from "../usage.ts";

/** Texts of the blobs that a document names, those that are there. */
async function blobTexts(blobs: PendingBlobs, digests: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const digest of digests) {
    const bytes = await blobs.get(digest);
    if (bytes !== undefined) texts.set(digest, Buffer.from(bytes).toString("utf8"));
  }
  return texts;
}

/** Batches of entries as text, in their order. */
export async function* entryTexts(dir: string): AsyncGenerator<string[]> {
  const reader = openReader(dir);
  try {
    for await (const batch of walk(reader)) {
      const bytes = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
      const texts: string[] = [];
      forEachEntry(batch.run, (start, end) => texts.push(bytes.toString("utf8", start, end)));
      yield texts;
    }
  } finally {
    await reader.close();
  }
}

/** One entry as an event, or undefined when it is not JSON. */
export async function eventOfEntry(blobs: PendingBlobs, text: string): Promise<Event | undefined> {
  let document: object;
  try {
    document = JSON.parse(text) as object;
  } catch {
    return undefined;
  }
  const moved = text.includes('"blob":{') ? blobsOf(document) : [];
  return eventOfDocument(document, moved.length === 0 ? undefined : await blobTexts(blobs, moved));
}

export function openBlobs(dir: string): PendingBlobs {
  return new PendingBlobs(dir);
}

/** The event of that id in a ledger. */
export async function findEvent(dir: string, id: string): Promise<Event | undefined> {
  const quoted = JSON.stringify(id);
  for await (const texts of entryTexts(dir)) {
    for (const text of texts) {
      if (!text.includes(quoted)) continue;
      const event = await eventOfEntry(openBlobs(dir), text);
      if (event?.["event.id"] === id) return event;
    }
  }
  return undefined;
}

/** The same entries from the store of the configuration, which finds a range of time without reading all of them. */
export async function* storedTexts(config: Config, from: string, to: string): AsyncGenerator<string[]> {
  const [name, options] = sinksOf(config).find(([, sink]) => sink.type === "store") ?? [];
  if (name === undefined) throw new UsageError("the configuration has no sink of type store");
  const dir = (options as { path?: string }).path ?? join(config.state_dir, name);
  const ledger = openReader(join(config.state_dir, "ledger"));
  const store = await openStore(dir, { ledger });
  const page = `SELECT entry, "event.sequence" AS at FROM events WHERE "event.sequence" >= ? AND "@timestamp" >= ? AND "@timestamp" <= ?
    ORDER BY "event.sequence" LIMIT ${LIMITS.sink_batch_entries}`;
  try {
    for (let at = 0; ;) {
      const rows = await store.query(page, [at, from, to]);
      if (rows.length === 0) return;
      yield rows.map((row) => String(row["entry"]));
      at = Number(rows.at(-1)!["at"]) + 1;
    }
  } finally {
    await store.close();
    await ledger.close();
  }
}
