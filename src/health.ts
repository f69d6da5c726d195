// Whether the collector lives and takes records, and its figures for Prometheus, over HTTP for who looks after it: /healthz, /readyz,
// /metrics. Only gives, and nothing that was recorded.
import type { IncomingMessage } from "node:http";
import { type Address, listenAddress } from "./core/own-hosts.ts";
import { ReadServer, type Reply, said } from "./core/read-server.ts";
import { metricsText } from "./metrics.ts";
import type { Status } from "./status.ts";

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
      this.#server.send(req, res, this.#reply(req)),
    );
  }

  /** Throws HEALTH_LISTEN. */
  open(): Promise<void> {
    return this.#server.open("HEALTH_LISTEN", "choose another address: health.listen of the configuration");
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #reply(req: IncomingMessage): Reply {
    const refusal = this.#server.refusal(req);
    if (refusal !== undefined) return refusal;
    if (req.url === "/healthz") return said(200, "alive");
    if (req.url === "/readyz") {
      const why = unready(this.#status());
      return why === undefined ? said(200, "ready") : said(503, why);
    }
    if (req.url !== "/metrics") return said(404, "no such path: /healthz, /readyz, /metrics");
    const status = this.#status();
    if (status === undefined) return said(503, "the collector is starting");
    const { user, system } = process.cpuUsage();
    const figures = {
      rss_bytes: process.memoryUsage.rss(),
      cpu_s: (user + system) / 1e6,
      started_s: Math.round(Date.now() / 1_000 - process.uptime()),
    };
    const type = "text/plain; version=0.0.4; charset=utf-8";
    return { status: 200, type, body: Buffer.from(metricsText(status, figures)) };
  }
}
