// The sink for Elasticsearch 8 and 9, over its official client, which only this file imports.
import { z } from "zod";
import { readSecret } from "../core/secrets.ts";
import { TaplineError } from "../core/errors.ts";
import { loaded } from "../core/loaded.ts";
import { LIMITS } from "../core/limits.ts";
import type { Component, Sink } from "../core/stage.ts";
import { ClientSink } from "./client-sink.ts";
import {
  EVERY_STATUS,
  type Server,
  checkCredentials,
  connectionShape,
  leave_out,
  readCredentials,
  unreachable,
  waitOf,
} from "./connection.ts";

const api_key_file = z
  .string()
  .min(1)
  .optional()
  .describe("File that holds an API key, base64 as the server gives it");
export const elasticsearchShape = { ...connectionShape, api_key_file };
export type ElasticsearchOptions = z.output<z.ZodObject<typeof elasticsearchShape>>;

/** Checks that options which need each other are there. For `superRefine`. */
export function checkElasticsearch(
  options: ElasticsearchOptions,
  context: { addIssue(message: string): void },
): void {
  checkCredentials(options, context);
  if (options.username !== undefined && options.api_key_file !== undefined)
    context.addIssue("username and api_key_file exclude each other");
}

const config = z
  .strictObject({ type: z.literal("elasticsearch"), ...elasticsearchShape, leave_out })
  .superRefine(checkElasticsearch);

/** Connects: reads the secrets, checks nothing. */
export async function connectElasticsearch(options: ElasticsearchOptions): Promise<Server> {
  const { Client, Serializer } = await loaded(
    "@elastic/elasticsearch",
    () => import("@elastic/elasticsearch"),
  );
  class Raw extends Serializer {
    // The client's own signature: whoever calls says what comes back.
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    override deserialize<T = unknown>(text: string): T {
      return text as T;
    }
  }
  const { basic, ca } = await readCredentials(options);
  const apiKey = options.api_key_file === undefined ? undefined : await readSecret(options.api_key_file);
  const auth = apiKey === undefined ? basic : { apiKey };
  const client = new Client({
    nodes: options.url,
    maxRetries: 0,
    requestTimeout: options.timeout_s * 1000,
    resurrectStrategy: "optimistic",
    maxResponseSize: LIMITS.answer_bytes,
    Serializer: Raw,
    ...(auth === undefined ? {} : { auth }),
    ...(ca === undefined ? {} : { tls: { ca, rejectUnauthorized: true } }),
  });
  return {
    async request(method, path, querystring, body, signal) {
      const deadline = AbortSignal.timeout(options.timeout_s * 1000);
      const sent =
        body === undefined ? {} : body.type === "ndjson" ? { bulkBody: body.bytes } : { body: body.bytes };
      const headers = body?.type === "json" ? { "content-type": JSON_TYPE, accept: JSON_TYPE } : {};
      const params = { method, path, querystring: { ...querystring }, ...sent };
      try {
        const result = await client.transport.request<string>(params, {
          meta: true,
          ignore: EVERY_STATUS,
          headers,
          signal: AbortSignal.any([signal, deadline]),
        });
        const wait_ms = waitOf(result.headers?.["retry-after"]);
        return { status: result.statusCode ?? 0, text: result.body ?? "", wait_ms };
      } catch (error) {
        if (error instanceof Error && error.name === "ProductNotSupportedError") throw notElasticsearch();
        throw unreachable(error, signal.aborted, deadline.aborted, options.timeout_s);
      }
    },
    close: () => client.close(),
  };
}

const JSON_TYPE = "application/vnd.elasticsearch+json; compatible-with=8";

function notElasticsearch(): TaplineError {
  return new TaplineError("SINK_PRODUCT", "the server that answers is not Elasticsearch", {
    retry: true,
    remedy: "check url and proxies; for OpenSearch the sink's type is opensearch",
  });
}

export default {
  config,
  create: (options, context) =>
    new ClientSink(() => connectElasticsearch(options), context, options.leave_out),
} satisfies Component<typeof config, Sink>;
