// Deletes documents of the data streams by their ids, with the rights of whoever is connected: the sink's own user can only
// create. Says how many were there.
import { LIMITS } from "../core/limits.ts";
import { type Answer, type Server } from "./connection.ts";
import { failure } from "./answer.ts";
import { type Hit, readHits } from "./reconcile-answer.ts";

const INDEXES = "/logs-tapline.*-*";
/** What servers return at most for one search: there may be copies of a document. */
const HITS = 10_000;
const AGAIN = "see the server's log, then ask for the erasure again: what is gone is left out";
const ANY = { ignore_unavailable: "true", allow_no_indices: "true" };
/** A search that did not see every shard fails, and says nothing of what is left. */
const ALL = { ...ANY, allow_partial_search_results: "false" };

interface Refreshed {
  readonly _shards?: { readonly failed?: number };
}
interface Deleted {
  readonly items?: readonly { readonly delete?: { readonly status?: number } }[];
}

/** Number of documents deleted. Throws SINK_UNAUTHORIZED, SINK_UNREACHABLE, SINK_FAILED. */
export async function deleteDocuments(
  server: Server,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const refreshed = await request(server, `${INDEXES}/_refresh`, ANY, undefined, signal);
  if ((JSON.parse(refreshed.text) as Refreshed)._shards?.failed !== 0) throw failure(refreshed, AGAIN);
  let deleted = 0;
  for (let at = 0; at < ids.length; at += LIMITS.lookup_ids) {
    const query = { ids: { values: ids.slice(at, at + LIMITS.lookup_ids) } };
    const search = JSON.stringify({ size: HITS, track_total_hits: true, _source: false, query });
    const body = { bytes: search, type: "json" } as const;
    const { hits, total } = readHits(await request(server, `${INDEXES}/_search`, ALL, body, signal));
    if (total > hits.length) throw failure({ status: 200, text: `${total} documents in one search` }, AGAIN);
    if (hits.length > 0) deleted += await deleteHits(server, hits, signal);
  }
  return deleted;
}

/** A stream takes no deletions: they go to the indices behind it, by name. */
async function deleteHits(server: Server, hits: readonly Hit[], signal: AbortSignal): Promise<number> {
  const lines = hits
    .map((hit) => `${JSON.stringify({ delete: { _index: hit.backing_index, _id: hit.id } })}\n`)
    .join("");
  const answer = await request(
    server,
    "/_bulk",
    { refresh: "true" },
    { bytes: lines, type: "ndjson" },
    signal,
  );
  const { items = [] } = JSON.parse(answer.text) as Deleted;
  const statuses = items.map((item) => item.delete?.status);
  const refusal = statuses.find((status) => status !== 200 && status !== 404);
  if (refusal !== undefined) throw failure({ status: refusal, text: answer.text }, AGAIN);
  if (items.length !== hits.length) throw failure(answer, AGAIN);
  return statuses.filter((status) => status === 200).length;
}

async function request(
  server: Server,
  path: string,
  query: Readonly<Record<string, string>>,
  body: Parameters<Server["request"]>[3],
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await server.request("POST", path, query, body, signal);
  // Servers answer 200 where there is no stream yet: whoever answers 404 is not one, or somebody in between.
  if (answer.status === 200) return answer;
  throw failure(answer, AGAIN);
}
