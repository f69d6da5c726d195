// MCP over HTTP: listens, and passes requests on to one server through the gate. Streamable HTTP, the older HTTP with
// server-sent events, and the revision without sessions. One slow connection holds up nobody else.
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Gate } from "./gate.ts";
import { Exchange } from "./http-exchange.ts";
import { foreign } from "./http-headers.ts";
import { HttpPeers } from "./http-peers.ts";
import { Upstream } from "./upstream.ts";

export interface HttpOptions {
  readonly address: string;
  readonly port: number;
  readonly upstream: URL;
  readonly gate: Gate;
  readonly warn: (message: string) => void;
}

export interface Listener {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens. Throws LISTEN_FAILED. */
export async function listenHttp({
  address,
  port,
  upstream: to,
  gate,
  warn,
}: HttpOptions): Promise<Listener> {
  const upstream = new Upstream(to);
  const peers = new HttpPeers(() => gate.decisions.server);
  const parts = { gate, peers, upstream, warn };
  const server = createServer(
    {
      maxHeaderSize: LIMITS.http_header_bytes,
      headersTimeout: LIMITS.http_head_ms,
      requestTimeout: LIMITS.http_body_ms,
      keepAlive: true,
    },
    (request, response) => {
      const wrong = foreign(request, address);
      if (wrong !== undefined) {
        const about = { reason: wrong, host: request.headers.host, origin: request.headers.origin };
        gate.violation(peers.fresh(), "c2s", "foreign_host", undefined, about, "block");
        response
          .writeHead(403, { "content-type": "text/plain", connection: "close" })
          .end(`Refused: ${wrong}.\n`);
        request.resume();
        return;
      }
      void new Exchange(parts, request, response).run().catch((error: unknown) => {
        if (!request.destroyed && !response.destroyed) warn(`a request failed: ${reasonOf(error)}`);
        response.destroy();
      });
    },
  );
  server.maxConnections = LIMITS.http_connections;
  await listening(server, address, port);
  const at = server.address() as AddressInfo;
  const host = at.family === "IPv6" ? `[${at.address}]` : at.address;
  return {
    url: `http://${host}:${at.port}${to.pathname}`,
    close: () => {
      upstream.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listening(server: Server, address: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error) =>
    reject(
      new TaplineError("LISTEN_FAILED", `cannot listen on ${address}:${port}: ${reasonOf(error)}`, {
        remedy: "choose another port, or stop what uses it",
      }),
    ),
  );
  server.listen(port, address.replace(/^\[(.*)\]$/, "$1"), resolve);
  return promise;
}
