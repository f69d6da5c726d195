// The HTTP end of the OTLP receiver: who may ask, for what, in which form, and how much at once. Reads bodies and hands
// them over; what is in them is not its business.
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Bearer } from "../core/bearer.ts";
import { type Address, OwnHosts } from "../core/own-hosts.ts";
import { TYPES, send, statusBody, successBody } from "./otlp-answer.ts";
import { type Packing, readBody } from "./otlp-body.ts";
import { LOGS, type Signal, TRACES } from "./otlp-messages.ts";
import type { Encoding } from "./otlp-records.ts";
import { Busy, Refusal, type RefusalStatus } from "./otlp-refusal.ts";

/** What a client sends. Without a signal it is metrics, which are answered and counted. */
export interface Exported {
  readonly signal: Signal | undefined;
  readonly encoding: Encoding;
  readonly body: Buffer;
}

export interface ServerOptions {
  readonly listen: Address;
  /** Names of this host beside loopback's, by which clients may call it. */
  readonly hosts: readonly string[];
  readonly bearer: Bearer | undefined;
  /** Resolves with the records that were not kept when all others are durable. Throws Refusal. */
  take(exported: Exported): Promise<number>;
  /** Told of requests that are let in and whose body is refused before it is whole. */
  tooLarge(bytes: number | undefined): void;
  /** Told of a fault in the program; what the client is told. */
  failed(error: unknown): Refusal;
  /** Bytes that are held, beside those of bodies that arrive. */
  held(): number;
  count(what: string): void;
}

const PATHS: Readonly<Record<string, Signal | undefined>> = {
  "/v1/logs": LOGS,
  "/v1/traces": TRACES,
  "/v1/metrics": undefined,
};
const PACKINGS: readonly string[] = ["identity", "gzip", "deflate"] satisfies Packing[];

function encodingOf(req: IncomingMessage): Encoding | undefined {
  const type = (req.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  return type === TYPES.json ? "json" : type === TYPES.protobuf ? "protobuf" : undefined;
}

/** Status line, headers and Status for a connection whose request could not be read. */
function rawAnswer(status: RefusalStatus, message: string): string {
  const body = statusBody("json", status, message).toString();
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status} Refused\r\ncontent-type: ${TYPES.json}\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`;
}

export class OtlpServer {
  readonly #options: ServerOptions;
  readonly #hosts: OwnHosts;
  readonly #server: Server;
  /** Bytes of bodies that arrive. */
  #arriving = 0;
  #closing = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#hosts = new OwnHosts([options.listen.host, ...options.hosts]);
    this.#server = createServer({
      headersTimeout: LIMITS.otlp_header_ms,
      requestTimeout: LIMITS.otlp_request_ms,
      keepAliveTimeout: LIMITS.otlp_idle_ms,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: LIMITS.otlp_header_bytes,
      // Without a Host it is refused here, with an answer that clients understand.
      requireHostHeader: false,
    });
    this.#server.maxConnections = LIMITS.otlp_connections;
    this.#server
      .on("request", (req, res) => void this.#request(req, res))
      .on("drop", () => options.count("connections_dropped"))
      .on("clientError", (error, socket) => this.#unreadable(error, socket as Socket));
  }

  /** Throws SOURCE_LISTEN. */
  async open(): Promise<void> {
    const { host, port } = this.#options.listen;
    try {
      this.#server.listen(port, host);
      await once(this.#server, "listening");
    } catch (cause) {
      const remedy =
        systemCode(cause) === "EADDRINUSE" ? "stop what listens there, or choose another port" : undefined;
      throw new TaplineError("SOURCE_LISTEN", `cannot listen on ${host}:${port}: ${reasonOf(cause)}`, {
        cause,
        ...(remedy === undefined ? {} : { remedy }),
      });
    }
    this.#server.on("error", () => this.#options.count("server_errors"));
  }

  /** Where it listens; the port is there when the configuration asks for any. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  /** Ends when everybody who waited has an answer, or soon after. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    const late = setTimeout(() => this.#server.closeAllConnections(), LIMITS.otlp_linger_ms);
    await closed;
    clearTimeout(late);
  }

  #unreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    const status =
      error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    this.#options.count(`refused_${status}`);
    // What follows an answer on the same connection could be taken for a part of it.
    if (socket.writable && socket.bytesWritten === 0)
      socket.end(rawAnswer(status, "the request cannot be read as HTTP"));
    else socket.destroySoon();
  }

  async #request(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.#options.count("requests");
    req.on("error", () => {}); // told by who reads
    const encoding = encodingOf(req);
    try {
      const { signal, packing } = this.#admit(req, encoding);
      const body = await this.#body(req, packing);
      const rejected = await this.#options.take({ signal, encoding: encoding!, body });
      send(res, 200, encoding!, successBody(encoding!, signal, rejected));
    } catch (error) {
      this.#refuse(
        req,
        res,
        encoding ?? "json",
        error instanceof Refusal ? error : this.#options.failed(error),
      );
    }
  }

  /** What is asked for, if it may be. Throws Refusal. */
  #admit(
    req: IncomingMessage,
    encoding: Encoding | undefined,
  ): { signal: Signal | undefined; packing: Packing } {
    const { headers } = req;
    if (!this.#hosts.named(req))
      throw new Refusal(403, "the Host header does not name this receiver: see `hosts` in the configuration");
    if (headers.origin !== undefined) throw new Refusal(403, "requests of web pages (Origin) are refused");
    const path = (req.url ?? "").split("?", 1)[0]!;
    if (!Object.hasOwn(PATHS, path))
      throw new Refusal(404, "no such path: /v1/logs, /v1/traces or /v1/metrics");
    if (req.method !== "POST") throw new Refusal(405, "POST only");
    if (this.#options.bearer?.accepts(headers.authorization) === false)
      throw new Refusal(401, "the bearer token is missing or wrong");
    if (encoding === undefined)
      throw new Refusal(415, `the content type has to be ${Object.values(TYPES).join(" or ")}`);
    const packing = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
    if (!PACKINGS.includes(packing))
      throw new Refusal(415, `the content encoding has to be ${PACKINGS.join(", ")}`);
    if (this.#closing) throw new Busy("the collector is stopping");
    this.#checkRoom();
    return { signal: PATHS[path], packing: packing as Packing };
  }

  async #body(req: IncomingMessage, packing: Packing): Promise<Buffer> {
    let held = 0;
    try {
      return await readBody(req, packing, (bytes) => {
        held += bytes;
        this.#arriving += bytes;
        this.#checkRoom();
      });
    } catch (error) {
      const declared = Number(req.headers["content-length"]);
      if (error instanceof Refusal && error.status === 413)
        this.#options.tooLarge(Number.isSafeInteger(declared) ? declared : undefined);
      throw error;
    } finally {
      this.#arriving -= held;
    }
  }

  #checkRoom(): void {
    if (this.#arriving + this.#options.held() > LIMITS.otlp_held_bytes)
      throw new Busy("too much is waiting to be written");
  }

  #refuse(req: IncomingMessage, res: ServerResponse, encoding: Encoding, refusal: Refusal): void {
    const { status, message } = refusal;
    this.#options.count(`refused_${status}`);
    const headers: Record<string, string> = {};
    if (status === 401) headers["www-authenticate"] = "Bearer";
    if (status === 405) headers["allow"] = "POST";
    if (status === 415) headers["accept-encoding"] = PACKINGS.join(", ");
    if (status === 503) headers["retry-after"] = String(LIMITS.otlp_retry_s);
    send(res, status, encoding, statusBody(encoding, status, message), headers);
    // What is still on its way is read, or the answer would not arrive, but not for long.
    if (req.complete) return;
    req.resume();
    const late = setTimeout(() => req.socket.destroy(), LIMITS.otlp_linger_ms);
    req.once("close", () => clearTimeout(late));
  }
}
