// The sink for OpenSearch 2 and 3, over its official client, which only this file imports.
import { z } from "zod";
import { TaplineError } from "../core/errors.ts";
import { loaded } from "../core/loaded.ts";
import type { Component, Sink } from "../core/stage.ts";
import { ClientSink } from "./client-sink.ts";
import {
  type ConnectionOptions,
  EVERY_STATUS,
  type Server,
  checkCredentials,
  connectionShape,
  leave_out,
  readCredentials,
  unreachable,
  waitOf,
} from "./connection.ts";

const config = z
  .strictObject({ type: z.literal("opensearch"), ...connectionShape, leave_out })
  .superRefine(checkCredentials);
export type OpenSearchOptions = ConnectionOptions;

/** Connects: reads the secrets, checks nothing. */
export async function connectOpenSearch(options: OpenSearchOptions): Promise<Server> {
  const { Client, Connection, Serializer } = await loaded(
    "@opensearch-project/opensearch",
    () => import("@opensearch-project/opensearch"),
  );
  class Raw extends Serializer {
    override deserialize(text: string): string {
      return text;
    }
  }
  // The client prints errors that come after the head of an answer; they reach us by the body all the same.
  class Quiet extends Connection {
    override request(
      ...[params, callback]: Parameters<InstanceType<typeof Connection>["request"]>
    ): ReturnType<InstanceType<typeof Connection>["request"]> {
      const request = super.request(params, (error, response) => {
        callback(error, response);
        if (response === null || response === undefined) return;
        request.removeAllListeners("error");
        request.on("error", () => {});
      });
      return request;
    }
  }
  const { basic, ca } = await readCredentials(options);
  const client = new Client({
    nodes: [...options.url],
    maxRetries: 0,
    requestTimeout: options.timeout_s * 1000,
    resurrectStrategy: "optimistic",
    Serializer: Raw,
    Connection: Quiet,
    ...(basic === undefined ? {} : { auth: basic }),
    ...(ca === undefined ? {} : { ssl: { ca, rejectUnauthorized: true } }),
  });
  return {
    async request(method, path, querystring, body, signal) {
      const deadline = AbortSignal.timeout(options.timeout_s * 1000);
      const both = AbortSignal.any([signal, deadline]);
      const sent =
        body === undefined ? {} : body.type === "ndjson" ? { bulkBody: body.bytes } : { body: body.bytes };
      const params = { method, path, querystring: { ...querystring }, ...sent };
      let abort: (() => void) | undefined;
      try {
        both.throwIfAborted();
        const request = client.transport.request(params, { ignore: EVERY_STATUS });
        abort = () => {
          request.abort();
        };
        both.addEventListener("abort", abort, { once: true });
        const result = await request;
        if (result.headers?.["x-elastic-product"] !== undefined) throw notOpenSearch();
        const wait_ms = waitOf(result.headers?.["retry-after"]);
        return { status: result.statusCode ?? 0, text: String(result.body ?? ""), wait_ms };
      } catch (error) {
        if (error instanceof TaplineError) throw error;
        throw unreachable(error, signal.aborted, deadline.aborted, options.timeout_s);
      } finally {
        if (abort !== undefined) both.removeEventListener("abort", abort);
      }
    },
    close: () => client.close(),
  };
}

function notOpenSearch(): TaplineError {
  return new TaplineError("SINK_PRODUCT", "the server that answers is Elasticsearch", {
    retry: true,
    remedy: "check url; for Elasticsearch the sink's type is elasticsearch",
  });
}

export default {
  config,
  create: (options, context) => new ClientSink(() => connectOpenSearch(options), context, options.leave_out),
} satisfies Component<typeof config, Sink>;
