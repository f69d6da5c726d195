// The anchors that add each checkpoint to an index of Elasticsearch or OpenSearch, best one of somebody else's, with a
// credential that can add and read: `tapline setup --checkpoints` makes the index and the role. Never changes a document.
import { z } from "zod";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { excerpt } from "../../sinks/answer.ts";
import { type Answer, type Server, checkCredentials, connectionShape } from "../../sinks/connection.ts";
import { checkElasticsearch, connectElasticsearch, elasticsearchShape } from "../../sinks/elasticsearch.ts";
import { connectOpenSearch } from "../../sinks/opensearch.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { type Anchor, Contradiction, type Held, type Published } from "./contract.ts";
import { holdAgainst } from "./held.ts";

const shape = {
  index: z.string().min(1).default("tapline-checkpoints").describe("Index that they are added to"),
  every_s: z.int().min(1).max(86_400).default(300).describe("Seconds between two checkpoints"),
};
const ABOUT = "Adds checkpoints to an index, with a credential that can add and neither change nor remove";

interface Hit {
  readonly _id: string;
  readonly sort?: readonly unknown[];
  readonly _source?: { readonly tapline?: { readonly integrity?: { readonly checkpoint?: unknown } } };
}

class ClusterAnchor implements Anchor {
  readonly #connect: () => Promise<Server>;
  readonly #index: string;

  constructor(connect: () => Promise<Server>, index: string) {
    this.#connect = connect;
    this.#index = index;
  }

  async take(published: Published, signal: AbortSignal): Promise<string> {
    const server = await this.#connect();
    const said = `in the index ${this.#index}`;
    try {
      const size = await this.#newest(server, published, signal);
      if (size === published.size) return said;
      const integrity = {
        origin: published.origin,
        tree_size: published.size,
        root_hash: Buffer.from(published.root).toString("base64"),
        checkpoint: published.text,
      };
      const document = { "@timestamp": new Date().toISOString(), tapline: { integrity } };
      const answer = await this.#ask(server, "/_doc", { refresh: "true" }, document, signal);
      if (answer.status !== 201) throw this.#refused(answer);
      return said;
    } catch (cause) {
      if (cause instanceof Contradiction || (cause instanceof TaplineError && cause.code === "ANCHOR_FAILED"))
        throw cause;
      throw new TaplineError("ANCHOR_FAILED", reasonOf(cause), { retry: true, cause });
    } finally {
      await server.close();
    }
  }

  /** Size of the newest checkpoint that is there, held against the one that comes; 0 when there is none. */
  async #newest(server: Server, published: Published, signal: AbortSignal): Promise<number> {
    const hits = await this.#search(server, published.origin, "desc", undefined, signal);
    for (const hit of hits) {
      const held = openCheckpoint(textOf(hit), published.verifier);
      if (typeof held === "string") continue; // whoever may add may add what no key has signed
      await holdAgainst(held, `${this.#index}/${hit._id}`, published);
      return held.size;
    }
    if (hits.length < LIMITS.anchor_page) return 0;
    throw new TaplineError(
      "ANCHOR_FAILED",
      `none of the ${hits.length} newest documents of ${published.origin} in ${this.#index} is a checkpoint that its key signed`,
      { remedy: "find out who writes there" },
    );
  }

  async *held(origin: string, signal: AbortSignal): AsyncGenerator<Held> {
    const server = await this.#connect();
    try {
      let after: readonly unknown[] | undefined;
      for (;;) {
        const hits = await this.#search(server, origin, "asc", after, signal);
        for (const hit of hits) yield { place: `${this.#index}/${hit._id}`, text: textOf(hit) };
        after = hits.at(-1)?.sort;
        if (hits.length < LIMITS.anchor_page || after === undefined) return;
      }
    } finally {
      await server.close();
    }
  }

  /** A page of documents under an origin, by size, and by time of arrival within one. */
  async #search(
    server: Server,
    origin: string,
    order: "asc" | "desc",
    after: readonly unknown[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly Hit[]> {
    const answer = await this.#ask(
      server,
      "/_search",
      {},
      {
        size: LIMITS.anchor_page,
        query: { term: { "tapline.integrity.origin": origin } },
        sort: [{ "tapline.integrity.tree_size": order }, { "@timestamp": order }],
        ...(after === undefined ? {} : { search_after: after }),
      },
      signal,
    );
    if (answer.status !== 200) throw this.#refused(answer);
    return (JSON.parse(answer.text) as { hits: { hits: Hit[] } }).hits.hits;
  }

  #ask(
    server: Server,
    path: string,
    query: Record<string, string>,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Answer> {
    const sent = { bytes: JSON.stringify(body), type: "json" } as const;
    return server.request("POST", `/${encodeURIComponent(this.#index)}${path}`, query, sent, signal);
  }

  #refused(answer: Answer): TaplineError {
    const remedy =
      answer.status === 404
        ? "have `tapline setup --checkpoints` make the index, as a user who may"
        : "check the credential: it needs the role tapline_checkpoint_writer";
    return new TaplineError(
      "ANCHOR_FAILED",
      `the index ${this.#index}: ${answer.status} ${excerpt(answer)}`,
      {
        retry: true,
        remedy,
      },
    );
  }
}

function textOf(hit: Hit): string {
  const text = hit._source?.tapline?.integrity?.checkpoint;
  return typeof text === "string" ? text : "";
}

const elasticConfig = z
  .strictObject({ type: z.literal("elasticsearch"), ...elasticsearchShape, ...shape })
  .superRefine(checkElasticsearch)
  .describe(ABOUT);
const openConfig = z
  .strictObject({ type: z.literal("opensearch"), ...connectionShape, ...shape })
  .superRefine(checkCredentials)
  .describe(ABOUT);

export const elasticsearch = {
  config: elasticConfig,
  create: (options: z.output<typeof elasticConfig>): Anchor =>
    new ClusterAnchor(() => connectElasticsearch(options), options.index),
};
export const opensearch = {
  config: openConfig,
  create: (options: z.output<typeof openConfig>): Anchor =>
    new ClusterAnchor(() => connectOpenSearch(options), options.index),
};
