// An HTTP server that only gives: its bounds, where it listens, and who is not answered. What is given is the caller's.
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { TaplineError, reasonOf } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { type Address, OwnHosts } from "./own-hosts.ts";

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  /** Beside, or in place of, those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const TEXT = "text/plain; charset=utf-8";

/** A line of text as an answer. */
export const said = (status: number, text: string, headers: Reply["headers"] = {}): Reply => ({
  status,
  type: TEXT,
  body: Buffer.from(`${text}\n`),
  headers,
});

export interface ReadServerOptions {
  readonly listen: Address;
  /** Names beside loopback's and that of `listen`, by which it may be called. */
  readonly hosts: readonly string[];
  /** What who calls it by another name is told. */
  readonly unnamed: string;
}

export class ReadServer {
  readonly #options: ReadServerOptions;
  readonly #hosts: OwnHosts;
  readonly #server: Server;

  constructor(options: ReadServerOptions, answer: (req: IncomingMessage, res: ServerResponse) => void) {
    this.#options = options;
    this.#hosts = new OwnHosts([options.listen.host, ...options.hosts]);
    this.#server = createServer(
      {
        headersTimeout: LIMITS.serve_request_ms,
        requestTimeout: LIMITS.serve_request_ms,
        keepAliveTimeout: LIMITS.serve_idle_ms,
        requireHostHeader: false, // refused here, with an answer
      },
      (req, res) => {
        req.resume(); // nobody has a body to send
        answer(req, res);
      },
    );
    this.#server.maxConnections = LIMITS.serve_connections;
  }

  /** Throws `code`, with what to do. */
  async open(
    code: "LEDGER_LISTEN" | "PACK_LISTEN" | "HEALTH_LISTEN",
    remedy = "choose another port with --listen",
  ): Promise<void> {
    const { host, port } = this.#options.listen;
    try {
      this.#server.listen(port, host);
      await once(this.#server, "listening");
    } catch (cause) {
      throw new TaplineError(code, `cannot listen on ${host}:${port}: ${reasonOf(cause)}`, {
        remedy,
        cause,
      });
    }
  }

  /** Where it listens; the port is there when any was asked for. */
  get url(): string {
    const { host } = this.#options.listen;
    const { port } = this.#server.address() as AddressInfo;
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Why a request is not answered, whatever it asks for. */
  refusal(req: IncomingMessage): Reply | undefined {
    if (!this.#hosts.named(req)) return said(403, this.#options.unnamed);
    if (req.headers.origin !== undefined) return said(403, "requests of web pages (Origin) are refused");
    if (req.method !== "GET" && req.method !== "HEAD") return said(405, "GET only", { allow: "GET, HEAD" });
    return undefined;
  }

  /** Answers: nothing is kept, and taken for nothing but its type, unless `headers` say so. */
  send(req: IncomingMessage, res: ServerResponse, { status, type, body, headers }: Reply): void {
    res.writeHead(status, {
      "content-type": type,
      "content-length": body.length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    });
    res.end(req.method === "HEAD" ? undefined : body);
  }
}
