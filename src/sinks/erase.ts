// Deletes documents of the data streams by their ids, with the rights of whoever is connected: the sink's own user can only
// create. Says how many were there.
import { LIMITS } from "../core/limits.ts";
import { type Answer, type Server } from "./connection.ts";
import { failure } from "./answer.ts";

const INDEXES = "/logs-tapline.*-*";
/** What servers return at most for one search: there may be copies of a document. */
const HITS = 10_000;
const AGAIN = "see the server's log, then ask for the erasure again: what is gone is left out";
const ANY = { ignore_unavailable: "true", allow_no_indices: "true" };

interface Hits {
  readonly hits?: { readonly hits?: readonly { readonly _index: string; readonly _id: string }[] };
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
  await request(server, `${INDEXES}/_refresh`, undefined, signal);
  let deleted = 0;
  for (let at = 0; at < ids.length; at += LIMITS.lookup_ids) {
    const query = { ids: { values: ids.slice(at, at + LIMITS.lookup_ids) } };
    const search = JSON.stringify({ size: HITS, _source: false, query });
    const found = await request(server, `${INDEXES}/_search`, { bytes: search, type: "json" }, signal);
    const { hits = [] } = (JSON.parse(found.text) as Hits).hits ?? {};
    if (hits.length > 0) deleted += await deleteHits(server, hits, signal);
  }
  return deleted;
}

/** A stream takes no deletions: they go to the indices behind it, by name. */
async function deleteHits(
  server: Server,
  hits: readonly { readonly _index: string; readonly _id: string }[],
  signal: AbortSignal,
): Promise<number> {
  const lines = hits.map(({ _index, _id }) => `${JSON.stringify({ delete: { _index, _id } })}\n`).join("");
  const answer = await request(server, "/_bulk", { bytes: lines, type: "ndjson" }, signal);
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
  body: Parameters<Server["request"]>[3],
  signal: AbortSignal,
): Promise<Answer> {
  const query = path === "/_bulk" ? { refresh: "true" } : ANY;
  const answer = await server.request("POST", path, query, body, signal);
  if (answer.status === 200) return answer;
  if (answer.status === 404) return { status: 200, text: "{}" }; // no stream yet
  throw failure(answer, AGAIN);
}
