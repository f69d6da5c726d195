// Deletes documents of the data streams by their ids, with the rights of whoever is connected: the sink's own user can only
// create. Says how many were there.
import { LIMITS } from "../core/limits.ts";
import { TaplineError } from "../core/errors.ts";
import { type Answer, type Server } from "./connection.ts";
import { excerpt, refused } from "./answer.ts";

const INDEXES = "/logs-tapline.*-*";
const ANY = { ignore_unavailable: "true", allow_no_indices: "true" };

/** Number of documents deleted. Throws SINK_UNAUTHORIZED, SINK_UNREACHABLE, SINK_FAILED. */
export async function deleteDocuments(
  server: Server,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  await request(server, "_refresh", ANY, undefined, signal);
  let deleted = 0;
  for (let at = 0; at < ids.length; at += LIMITS.lookup_ids) {
    const query = { ids: { values: ids.slice(at, at + LIMITS.lookup_ids) } };
    const how = { ...ANY, refresh: "true", conflicts: "proceed" };
    const answer = await request(server, "_delete_by_query", how, { query }, signal);
    const {
      deleted: some = 0,
      failures = [],
      version_conflicts = 0,
    } = JSON.parse(answer.text) as {
      deleted?: number;
      failures?: unknown[];
      version_conflicts?: number;
    };
    deleted += some;
    if (failures.length + version_conflicts > 0) throw failed(answer);
  }
  return deleted;
}

async function request(
  server: Server,
  what: string,
  query: Readonly<Record<string, string>>,
  body: object | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const sent = body === undefined ? undefined : ({ bytes: JSON.stringify(body), type: "json" } as const);
  const answer = await server.request("POST", `${INDEXES}/${what}`, query, sent, signal);
  if (answer.status === 200) return answer;
  if (answer.status === 404) return { status: 200, text: "{}" }; // no stream yet
  throw failed(answer);
}

function failed(answer: Answer): TaplineError {
  if (answer.status === 401 || answer.status === 403) return refused(answer.status, excerpt(answer));
  return new TaplineError("SINK_FAILED", `the server answered ${answer.status}: ${excerpt(answer)}`, {
    retry: true,
    remedy: "see the server's log, then ask for the erasure again: what is gone is left out",
  });
}
