// Ships batches through one official client until every entry has its fate: splits, retries items, looks ids up
// before a resend. Knows neither which client it is nor the ledger.
import { setTimeout as sleep } from "node:timers/promises";
import type PQueue from "p-queue";
import { backoffMs } from "../core/backoff.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Context, DeadLetter, EntryBatch, WriteResult } from "../core/stage.ts";
import { ANSWER_FILTER, type Fates, excerpt, failure, readAnswer } from "./answer.ts";
import { type BulkBody, BulkEncoder, itemOf, pick } from "./bulk.ts";
import type { Answer, Server } from "./connection.ts";

/** The index template that `setup` installs. Without it documents would get guessed mappings. */
export const TEMPLATE = "logs-tapline";

const BULK = { filter_path: ANSWER_FILTER };
const LOOKUP = {
  filter_path: "timed_out,_shards.failed,hits.hits._id",
  allow_partial_search_results: "false",
  ignore_unavailable: "true",
  allow_no_indices: "true",
};
const HITS = 10_000;

interface Tally {
  created: number;
  existing: number;
  readonly dead: DeadLetter[];
}

export class Shipper {
  readonly #server: Server;
  readonly #queue: PQueue;
  readonly #context: Context;
  readonly #encoder: BulkEncoder;

  /** Ships nothing of the datasets in `leave_out`. */
  constructor(server: Server, queue: PQueue, context: Context, leave_out: readonly string[]) {
    this.#server = server;
    this.#queue = queue;
    this.#context = context;
    this.#encoder = new BulkEncoder(leave_out);
  }

  /** See Sink.write. Trouble with a whole request (outcome unknown) throws, and the caller resends. */
  async write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    const tally: Tally = { created: 0, existing: 0, dead: [] };
    const bodies = this.#encoder.encode(batch);
    const done = await Promise.allSettled(bodies.map((body) => this.#ship(body, resent, tally, signal)));
    for (const one of done) if (one.status === "rejected") throw one.reason;
    tally.dead.sort((a, b) => a.index - b.index);
    let filtered = batch.count;
    for (const body of bodies) filtered -= body.items;
    return { created: tally.created, existing: tally.existing, dead: tally.dead, filtered };
  }

  async #ship(body: BulkBody, resent: boolean, tally: Tally, signal: AbortSignal): Promise<void> {
    if (resent) body = await this.#leaveOut(body, tally, signal);
    for (let attempt = 0; body.items > 0; attempt++) {
      const sent = body;
      const answer = await this.#request("POST", "/_bulk", BULK, sent.bytes, "ndjson", signal);
      if (answer.status === 413 || answer.status === 400) return this.#halve(sent, answer, tally, signal);
      if (answer.status === 200) {
        body = await this.#settle(sent, readAnswer(sent, answer.text), attempt, tally, signal);
        // All of it was answered, so that all of it was read; what is sent again was copied.
        this.#encoder.give(sent);
      } else if (answer.status !== 429) throw failed(answer);
      if (body.items > 0) await this.#pause(attempt, body.items, answer, signal);
    }
  }

  /** Takes over what is settled; returns the items to be sent again. */
  async #settle(
    body: BulkBody,
    fates: Fates,
    attempt: number,
    tally: Tally,
    signal: AbortSignal,
  ): Promise<BulkBody> {
    tally.created += fates.created;
    tally.existing += fates.existing;
    for (const letter of fates.dead) tally.dead.push(letter);
    if (fates.missing.length > 0) {
      await this.checkTemplate(signal);
      if (attempt + 1 >= LIMITS.not_found_tries) {
        for (const item of fates.missing.splice(0))
          tally.dead.push(letterOf(body, item, 404, "the index is missing"));
      }
    }
    const again = [...fates.retry, ...fates.missing].toSorted((a, b) => a - b);
    return pick(body, again);
  }

  /** A request that is refused as a whole is halved until the item at fault stands alone. */
  async #halve(body: BulkBody, answer: Answer, tally: Tally, signal: AbortSignal): Promise<void> {
    if (answer.status === 400 && !blamesItem(answer.text)) throw failed(answer);
    if (body.items === 1) {
      tally.dead.push(letterOf(body, 0, answer.status, excerpt(answer)));
      return;
    }
    const items = Array.from({ length: body.items }, (_, i) => i);
    const half = body.items >> 1;
    await this.#ship(pick(body, items.slice(0, half)), false, tally, signal);
    await this.#ship(pick(body, items.slice(half)), false, tally, signal);
  }

  /** Leaves out the items that are in their data stream, in whichever backing index. */
  async #leaveOut(body: BulkBody, tally: Tally, signal: AbortSignal): Promise<BulkBody> {
    const streams = new Map<string, Map<string, number[]>>();
    for (let i = 0; i < body.items; i++) {
      const { stream, id } = itemOf(body, i);
      let ids = streams.get(stream);
      if (ids === undefined) streams.set(stream, (ids = new Map()));
      const same = ids.get(id);
      if (same === undefined) ids.set(id, [i]);
      else same.push(i);
    }
    const there = new Set<number>();
    for (const [stream, ids] of streams) {
      for (const id of await this.#lookUp(stream, [...ids.keys()], signal)) {
        for (const item of ids.get(id) ?? []) there.add(item);
      }
    }
    tally.existing += there.size;
    const rest: number[] = [];
    for (let i = 0; i < body.items; i++) if (!there.has(i)) rest.push(i);
    return there.size === 0 ? body : pick(body, rest);
  }

  async #lookUp(stream: string, ids: readonly string[], signal: AbortSignal): Promise<string[]> {
    // A search sees what was refreshed; what only the write index holds is found by create, as 409.
    const refreshed = await this.#request("POST", `/${stream}/_refresh`, LOOKUP_REFRESH, "", "json", signal);
    if (refreshed.status === 404) return [];
    if (refreshed.status === 403)
      this.#context.log("warn", `may not refresh ${stream}: a rollover just now is not seen`);
    else if (refreshed.status !== 200) throw failed(refreshed);
    const found: string[] = [];
    for (let at = 0; at < ids.length; at += LIMITS.lookup_ids) {
      const values = ids.slice(at, at + LIMITS.lookup_ids);
      const search = {
        size: HITS,
        _source: false,
        track_total_hits: false,
        sort: ["_doc"],
        query: { ids: { values } },
      };
      const answer = await this.#request(
        "POST",
        `/${stream}/_search`,
        LOOKUP,
        JSON.stringify(search),
        "json",
        signal,
      );
      if (answer.status === 404) return [];
      if (answer.status !== 200) throw failed(answer);
      found.push(...readLookup(answer.text));
    }
    return found;
  }

  /** Throws SINK_NO_TEMPLATE when `setup` was not run. A user who may not read templates is not stopped. */
  async checkTemplate(signal: AbortSignal): Promise<void> {
    const path = `/_index_template/${TEMPLATE}`;
    const answer = await this.#request(
      "GET",
      path,
      { filter_path: "index_templates.name" },
      undefined,
      "json",
      signal,
    );
    if (answer.status === 403 || answer.status === 200) return;
    if (answer.status !== 404) throw failed(answer);
    throw new TaplineError("SINK_NO_TEMPLATE", `the server has no index template ${TEMPLATE}`, {
      retry: true,
      remedy: "run `tapline setup`",
    });
  }

  #request(
    method: string,
    path: string,
    query: Readonly<Record<string, string>>,
    bytes: Buffer | string | undefined,
    type: "json" | "ndjson",
    signal: AbortSignal,
  ): ReturnType<Server["request"]> {
    const body = bytes === undefined || bytes.length === 0 ? undefined : { bytes, type };
    return this.#queue.add(() => this.#server.request(method, path, query, body, signal));
  }

  async #pause(attempt: number, items: number, answer: Answer, signal: AbortSignal): Promise<void> {
    // Said at doubling distances: a server that is busy for a day does not fill the log.
    if (attempt >= 3 && (attempt & (attempt - 1)) === 0) {
      this.#context.log("warn", `the server puts off ${items} items, attempt ${attempt}: ${excerpt(answer)}`);
    }
    const wait_ms = Math.max(answer.wait_ms ?? 0, backoffMs(attempt));
    await sleep(wait_ms, undefined, { signal }).catch(() => {});
    if (signal.aborted)
      throw new TaplineError("SINK_STOPPED", "stopped while the server put items off", { retry: true });
  }
}

const LOOKUP_REFRESH = {
  ignore_unavailable: "true",
  allow_no_indices: "true",
  filter_path: "_shards.failed",
};

function readLookup(text: string): string[] {
  let answer: { timed_out?: boolean; _shards?: { failed?: number }; hits?: { hits?: { _id: string }[] } };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw failed({ status: 200, text: "the lookup's answer is not JSON" });
  }
  if (answer.timed_out !== false || answer._shards?.failed !== 0)
    throw failed({ status: 200, text: "a shard did not answer" });
  return (answer.hits?.hits ?? []).map((hit) => hit._id);
}

function letterOf(body: BulkBody, item: number, status: number, reason: string): DeadLetter {
  return { index: body.indexes[item]!, id: itemOf(body, item).id, status, reason };
}

/** False when the server does not understand the request at all: no item is at fault then. */
function blamesItem(text: string): boolean {
  return text.startsWith('{"error":{') && !text.includes("unrecognized parameter");
}

function failed(answer: Answer): TaplineError {
  return failure(answer, answer.status === 404 ? "check the path in url" : undefined);
}
