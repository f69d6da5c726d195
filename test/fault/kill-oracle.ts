// Where the lines of the loop of kills have to be, and whether each is there once: ledger, store, cluster, and in a topic at
// least once.
import { hash } from "node:crypto";
import { forEachEntry } from "../../src/core/entry.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { openStore } from "../../src/store/reader.ts";
import { eachMessage, headersOf } from "../kafka/topics.ts";

export interface Recorded {
  /** How often each call is there. */
  readonly calls: Map<string, number>;
  /** `event.id` of every entry, in order. */
  readonly ids: readonly string[];
}

export async function inLedger(dir: string): Promise<Recorded> {
  const calls = new Map<string, number>();
  const ids: string[] = [];
  const reader = openReader(dir);
  const size = await reader.size();
  for (let at = 0; at < size;) {
    const batch = (await reader.read(at, 4096, 8 << 20))!;
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    forEachEntry(batch.run, (start, end) => {
      const document = JSON.parse(run.toString("utf8", start, end)) as {
        event: { id: string; action: string };
        gen_ai?: { tool?: { call?: { id?: string } } };
      };
      ids.push(document.event.id);
      const id = document.gen_ai?.tool?.call?.id;
      if (document.event.action === "tool-call" && id !== undefined) calls.set(id, (calls.get(id) ?? 0) + 1);
    });
    at += batch.count;
  }
  await reader.close();
  return { calls, ids };
}

/** Calls `call-0` to `call-<written - 1>` that are missing, and what is there more than once; five of each at most. */
export function exactlyOnce(
  found: ReadonlyMap<string, number>,
  written: number,
): { missing: string[]; doubled: string[] } {
  const missing = Array.from({ length: written }, (_, n) => `call-${n}`).filter((id) => !found.has(id));
  const doubled = [...found].filter(([, count]) => count !== 1).map(([id]) => id);
  return { missing: missing.slice(0, 5), doubled: doubled.slice(0, 5) };
}

/** Calls in the cluster, and how many documents there are in all. */
export async function inCluster(
  url: string,
  namespace: string,
): Promise<{ calls: Map<string, number>; documents: number }> {
  const index = `logs-tapline.activity-${namespace}`;
  const every = `logs-tapline.*-${namespace}`;
  await fetch(`${url}/${every}/_refresh`, { method: "POST" });
  const { count } = (await (await fetch(`${url}/${every}/_count`)).json()) as { count: number };
  const calls = new Map<string, number>();
  let after: unknown[] | undefined;
  for (;;) {
    const body = {
      size: 5000,
      query: { term: { "event.action": "tool-call" } },
      _source: ["gen_ai.tool.call.id"],
      sort: [{ "event.sequence": "asc" }],
      ...(after === undefined ? {} : { search_after: after }),
    };
    const answer = await fetch(`${url}/${index}/_search`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { hits } = (await answer.json()) as {
      hits: { hits: { _source: { gen_ai: { tool: { call: { id: string } } } }; sort: unknown[] }[] };
    };
    for (const hit of hits.hits) {
      const { id } = hit._source.gen_ai.tool.call;
      calls.set(id, (calls.get(id) ?? 0) + 1);
    }
    if (hits.hits.length === 0) return { calls, documents: count };
    after = hits.hits.at(-1)!.sort;
  }
}

/** Rows of calls in the store, ids among them, and the greatest number. */
export async function inStore(dir: string): Promise<number[]> {
  const store = await openStore(dir);
  const [row] = (await store.query(
    `SELECT count(*) AS n, count(DISTINCT id) AS ids, max(CAST(substr(id, 6) AS BIGINT)) AS last FROM
       (SELECT "gen_ai.tool.call.id" AS id FROM events WHERE "event.action" = 'tool-call')`,
  )) as Record<"n" | "ids" | "last", bigint>[];
  await store.close();
  return [row!.n, row!.ids, row!.last].map(Number);
}

export interface InTopic {
  readonly messages: number;
  /** Entries that are there more than once. */
  readonly repeated: number;
  /** Most that one is there. */
  readonly most: number;
  /** What a reader that drops repeats by id does not get. */
  readonly missing: readonly number[];
  /** What is in no ledger, or under another id than there, or differs from what was there before under its id. */
  readonly wrong: readonly string[];
  /** What such a reader gets before an entry that precedes it in the same session. */
  readonly disordered: readonly string[];
}

/** What is in the topic, against the ids of the ledger. */
export async function inTopic(broker: string, topic: string, ids: readonly string[]): Promise<InTopic> {
  const times = new Uint32Array(ids.length);
  const digests = new Map<number, string>();
  const last = new Map<string, number>();
  const wrong: string[] = [];
  const disordered: string[] = [];
  let messages = 0;
  await eachMessage(broker, topic, (message) => {
    const { "tapline-id": id, "tapline-index": text } = headersOf(message);
    const index = Number(text);
    messages++;
    const digest = hash("sha1", message.value!, "base64");
    if (ids[index] !== id || (digests.get(index) ?? digest) !== digest) wrong.push(`${index} ${id}`);
    digests.set(index, digest);
    if (times[index]!++ > 0) return;
    const key = String(message.key);
    const before = last.get(key) ?? -1;
    if (index < before) disordered.push(`${index} after ${before}`);
    last.set(key, index);
  });
  let repeated = 0;
  let most = 0;
  const missing: number[] = [];
  for (const [index, count] of times.entries()) {
    if (count === 0) missing.push(index);
    if (count > 1) repeated++;
    most = Math.max(most, count);
  }
  const some = <T>(all: T[]): T[] => all.slice(0, 5);
  return {
    messages,
    repeated,
    most,
    missing: some(missing),
    wrong: some(wrong),
    disordered: some(disordered),
  };
}
