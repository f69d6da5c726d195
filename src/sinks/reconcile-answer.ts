// Answers of servers to searches that have to see everything.
import { failure } from "./answer.ts";
import type { Answer } from "./connection.ts";
import { type Figure, parseExact } from "./exact-json.ts";

export interface Hit {
  readonly id: string;
  readonly backing_index: string;
  readonly source: unknown;
}
export interface Found {
  readonly total: number;
  readonly hits: readonly Hit[];
}

/** Throws SINK_FAILED when a shard did not answer. */
export function readHits(answer: Answer): Found {
  interface Search {
    timed_out?: boolean;
    _shards?: { failed?: Figure };
    hits?: { total?: { value?: Figure }; hits?: { _id: string; _index: string; _source: unknown }[] };
  }
  let search: Search;
  try {
    search = parseExact(answer.text) as Search;
  } catch {
    throw failure({ status: 200, text: "the answer to a search is not JSON" });
  }
  const total = Number(search.hits?.total?.value?.text);
  if (search.timed_out !== false || search._shards?.failed?.text !== "0" || Number.isNaN(total))
    throw failure({ status: 200, text: "a shard did not answer" });
  const hits = (search.hits?.hits ?? []).map((hit) => ({
    id: hit._id,
    backing_index: hit._index,
    source: hit._source,
  }));
  return { total, hits };
}
