// Whether the collector lives and takes records, and its figures for Prometheus, over HTTP for who looks after it: /healthz, /readyz,
// /metrics. Only gives, and nothing that was recorded.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Address, listenAddress } from "./core/own-hosts.ts";
import { ReadServer } from "./core/read-server.ts";
import { metricsText } from "./metrics.ts";
import type { Status } from "./status.ts";

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a collector is not ready: what stops it from recording. A sink that is down does not, the ledger is its buffer. */
function unready(status: Status | undefined): string | undefined {
  if (status === undefined) return "the collector is starting";
  return status.broken[0];
}

export class HealthServer {
  readonly #server: ReadServer;
  readonly #status: () => Status | undefined;

  /** `listen` is `host:port`; `status` tells how things stand now, and nothing until the ledger is open. */
  constructor(listen: string, status: () => Status | undefined) {
    const address = listenAddress(listen) as Address;
    const unnamed = "the Host header does not name this server";
    this.#status = status;
    this.#server = new ReadServer({ listen: address, hosts: [], unnamed }, (req, res) =>
      this.#request(req, res),
    );
  }

  /** Throws HEALTH_LISTEN. */
  open(): Promise<void> {
    return this.#server.open("HEALTH_LISTEN");
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    const { status, type = "text/plain; charset=utf-8", text, headers } = this.#reply(req);
    const body = Buffer.from(`${text}\n`);
    res.writeHead(status, {
      "content-type": type,
      "content-length": body.length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    });
    res.end(req.method === "HEAD" ? undefined : body);
  }

  #reply(req: IncomingMessage): Reply {
    const refusal = this.#server.refusal(req);
    if (refusal !== undefined) return refusal;
    if (req.url === "/healthz") return { status: 200, text: "alive" };
    if (req.url === "/readyz") {
      const why = unready(this.#status());
      return why === undefined ? { status: 200, text: "ready" } : { status: 503, text: why };
    }
    if (req.url !== "/metrics") return { status: 404, text: "no such path: /healthz, /readyz, /metrics" };
    const status = this.#status();
    if (status === undefined) return { status: 503, text: "the collector is starting" };
    const { user, system } = process.cpuUsage();
    const figures = {
      rss_bytes: process.memoryUsage.rss(),
      cpu_s: (user + system) / 1e6,
      started_s: Math.round(Date.now() / 1_000 - process.uptime()),
    };
    const type = "text/plain; version=0.0.4; charset=utf-8";
    return { status: 200, type, text: metricsText(status, figures).trimEnd() };
  }
}
