// Holds a range of the ledger against the documents in a cluster, both ways: what is missing, what was altered, what is
// there and not in the ledger. Keeps one batch in memory, whatever the range. Changes nothing in the cluster.
import { OWN_FIELDS, USER_FIELDS } from "../core/erasure.ts";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import type { Server } from "./connection.ts";
import { type BulkBody, BulkEncoder, itemOf } from "./bulk.ts";
import { Figure, compareExact, ownValue, parseExact } from "./exact-json.ts";
import { failure } from "./answer.ts";
import { type Found, type Hit, readHits } from "./reconcile-answer.ts";

export interface ReconcileOptions {
  /** The documents of this host are the ledger's. */
  readonly host: string;
  readonly from: number;
  readonly to: number;
  /** Whether `outside` will be called. */
  readonly whole: boolean;
  /** Entries that the server refused, which are not there for a known reason. */
  readonly dead: ReadonlySet<number>;
  /** How a text begins that is ciphertext under a key which is gone: what it was cannot be compared. */
  readonly sealed: string;
  /** How text begins that was sealed for persons who were erased: their documents were deleted. */
  readonly erased: readonly string[];
  /** Datasets that the sink leaves out; what it shipped of them before is compared like the rest. */
  readonly leave_out: readonly string[];
}

export interface Difference {
  readonly kind: "missing" | "altered" | "extra";
  readonly id: string;
  /** Of the entry; where the document says it is, for one that is not in the ledger. */
  readonly index: number | undefined;
  readonly backing_index?: string;
  readonly fields?: readonly string[];
}

export interface Reconciled {
  /** entries = same + unsealed + altered + missing + dead + erased + filtered. */
  readonly entries: number;
  readonly same: number;
  /** Documents that hold in plain what the ledger holds under a key that is gone; otherwise the same. */
  readonly unsealed: number;
  readonly altered: number;
  readonly missing: number;
  /** Not there, and among the sink's dead letters. */
  readonly dead: number;
  /** Not there, and of a person who was erased. */
  readonly erased: number;
  /** Not there, and of a dataset that the sink leaves out. */
  readonly filtered: number;
  /** Documents that no entry is behind, and copies beyond the first. */
  readonly extra: number;
  /** The first of each kind; the counts are exact. */
  readonly differences: readonly Difference[];
}

const INDEXES = "/logs-tapline.*-*";
const ANY = { ignore_unavailable: "true", allow_no_indices: "true", allow_partial_search_results: "false" };
const FIELDS = 5;
const SEALED_FIELDS: ReadonlySet<string> = new Set(USER_FIELDS);

export class Reconciler {
  readonly #server: Server;
  readonly #options: ReconcileOptions;
  readonly #encoder = new BulkEncoder();
  readonly #differences: Difference[] = [];
  readonly #counts = {
    entries: 0,
    same: 0,
    unsealed: 0,
    altered: 0,
    missing: 0,
    dead: 0,
    erased: 0,
    filtered: 0,
    extra: 0,
  };
  /** Altered documents that claim another place, where they were or will be met as extra ones. */
  #displaced = 0;
  /** Places beyond the range that altered documents claim. */
  #beyond: number[] = [];

  constructor(server: Server, options: ReconcileOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Makes what was written visible to searches. */
  async open(signal: AbortSignal): Promise<void> {
    const answer = await this.#server.request("POST", `${INDEXES}/_refresh`, REFRESH, undefined, signal);
    if (answer.status !== 200 && answer.status !== 403) throw failure(answer);
  }

  /** Compares one batch of the range. */
  async compare(batch: EntryBatch, signal: AbortSignal): Promise<void> {
    for (const body of this.#encoder.encode(batch, LIMITS.bulk_bytes, LIMITS.reconcile_items)) {
      await this.#body(body, signal);
      this.#encoder.give(body);
    }
  }

  /** Looks for documents that no place in the ledger could be meant by: for a range that is the whole ledger, of which
   * there are `size` entries by now. */
  async outside(size: number, signal: AbortSignal): Promise<void> {
    this.#displaced += this.#beyond.filter((sequence) => sequence >= size).length;
    this.#beyond = [];
    const place = { field: "event.sequence" };
    const nowhere = [
      { range: { "event.sequence": { lt: 0 } } },
      { range: { "event.sequence": { gte: size } } },
      { bool: { must_not: { exists: place } } },
    ];
    await this.#extra({ filter: [this.#ours, { bool: { should: nowhere } }] }, signal);
    await this.#extra({ must_not: { exists: { field: "host.name" } } }, signal);
  }

  result(): Reconciled {
    const altered = new Set(
      this.#differences
        .filter((one) => one.kind === "altered")
        .map((one) => `${one.backing_index} ${one.id}`),
    );
    const differences = this.#differences.filter(
      (one) => one.kind !== "extra" || !altered.has(`${one.backing_index} ${one.id}`),
    );
    return { ...this.#counts, extra: Math.max(0, this.#counts.extra - this.#displaced), differences };
  }

  get #ours(): object {
    return { term: { "host.name": this.#options.host } };
  }

  async #body(body: BulkBody, signal: AbortSignal): Promise<void> {
    const ids = Array.from({ length: body.items }, (_, i) => itemOf(body, i).id);
    const { hits } = await this.#search({ filter: { ids: { values: ids } } }, HITS, signal);
    const byId = Map.groupBy(hits, (hit) => hit.id);
    const [first, end] = [body.indexes[0]!, body.indexes[body.items - 1]! + 1];
    for (let i = 0; i < body.items; i++) {
      this.#entry(body, i, ids[i]!, byId.get(ids[i]!) ?? [], [first, end]);
    }
    const range = { range: { "event.sequence": { gte: first, lt: end } } };
    await this.#extra({ filter: [this.#ours, range], must_not: { ids: { values: ids } } }, signal);
  }

  #entry(
    body: BulkBody,
    item: number,
    id: string,
    hits: readonly Hit[],
    range: readonly [number, number],
  ): void {
    const counts = this.#counts;
    const index = body.indexes[item]!;
    counts.entries++;
    const compared = hits.map((hit) => ({ hit, ...this.#differ(documentOf(body, item), hit.source) }));
    const best =
      compared.find((one) => one.fields.length === 0 && !one.unsealed) ??
      compared.find((one) => one.fields.length === 0) ??
      compared[0];
    for (const { hit } of compared.filter((one) => one !== best)) {
      counts.extra++;
      this.#list({ kind: "extra", id, index, backing_index: hit.backing_index });
    }
    if (best === undefined) {
      const why = this.#whyAway(body, item, index);
      counts[why]++;
      if (why === "missing") this.#list({ kind: why, id, index });
    } else if (best.fields.length > 0) {
      counts.altered++;
      if (this.#isDisplaced(best.hit.source, range)) this.#displaced++;
      const { backing_index } = best.hit;
      this.#list({ kind: "altered", id, index, backing_index, fields: best.fields });
    } else counts[best.unsealed ? "unsealed" : "same"]++;
  }

  #whyAway(body: BulkBody, item: number, index: number): "dead" | "erased" | "filtered" | "missing" {
    const { dead, erased, leave_out } = this.#options;
    if (dead.has(index)) return "dead";
    const user = ownValue(documentOf(body, item), "user");
    const own = OWN_FIELDS.map((name) => ownValue(user, name));
    if (erased.some((tag) => own.some((value) => begins(value, tag)))) return "erased";
    const { stream } = itemOf(body, item);
    return leave_out.some((dataset) => stream.startsWith(`logs-${dataset}-`)) ? "filtered" : "missing";
  }

  /** The first fields in which a document differs from what its entry makes. */
  #differ(expected: unknown, actual: unknown): { fields: string[]; unsealed: boolean } {
    const fields: string[] = [];
    let unsealed = false;
    compareExact(expected, actual, (path, was, is) => {
      // Nowhere else: content that holds the marker is somebody's text.
      const may = SEALED_FIELDS.has(path) && typeof is === "string";
      if (may && begins(was, this.#options.sealed)) return (unsealed = true);
      fields.push(path);
      return fields.length < FIELDS;
    });
    return { fields, unsealed };
  }

  /** Whether the searches for extra documents meet this one, by what it says of its place and host. */
  #isDisplaced(source: unknown, [first, end]: readonly [number, number]): boolean {
    const { from, to, host, whole } = this.#options;
    const named = ownValue(ownValue(source, "host"), "name");
    const place = ownValue(ownValue(source, "event"), "sequence");
    const sequence = place instanceof Figure ? Math.trunc(Number(place.text)) : Number.NaN;
    if (named === undefined || named === null) return whole;
    if (named !== host) return false;
    if (sequence >= first && sequence < end) return false;
    if (sequence >= to && this.#beyond.length < LIMITS.reconcile_displaced) this.#beyond.push(sequence);
    return sequence >= from && sequence < to ? true : whole && !(sequence >= 0);
  }

  async #extra(query: object, signal: AbortSignal): Promise<void> {
    const { total, hits } = await this.#search(query, LIMITS.reconcile_listed, signal);
    this.#counts.extra += total;
    for (const { id, backing_index, source } of hits) {
      const place = ownValue(ownValue(source, "event"), "sequence");
      const index = place instanceof Figure ? Number(place.text) : undefined;
      this.#list({ kind: "extra", id, index, backing_index });
    }
  }

  #list(difference: Difference): void {
    const listed = this.#differences.filter((one) => one.kind === difference.kind).length;
    if (listed < LIMITS.reconcile_listed) this.#differences.push(difference);
  }

  async #search(bool: object, size: number, signal: AbortSignal): Promise<Found> {
    const text = JSON.stringify({ size, track_total_hits: true, sort: ["_doc"], query: { bool } });
    const body = { bytes: text, type: "json" } as const;
    const answer = await this.#server.request("POST", `${INDEXES}/_search`, ANY, body, signal);
    if (answer.status === 404) return { total: 0, hits: [] };
    if (answer.status !== 200) throw failure(answer);
    const found = readHits(answer);
    if (size === HITS && found.hits.length < found.total)
      throw failure({ status: 200, text: "there are too many copies of one document" });
    return found;
  }
}

/** What the servers return at most for one search. */
const HITS = 10_000;
const REFRESH = { ignore_unavailable: "true", allow_no_indices: "true", filter_path: "_shards.failed" };

/** The document of an item, as it was to be sent. */
const begins = (value: unknown, text: string): boolean => typeof value === "string" && value.startsWith(text);

const documentOf = (body: BulkBody, item: number): unknown => parseExact(textOf(body, item));

function textOf(body: BulkBody, item: number): string {
  const start = body.bytes.indexOf(0x0a, body.starts[item]) + 1;
  return body.bytes.toString("utf8", start, body.starts[item + 1]);
}
