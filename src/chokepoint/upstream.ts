// The server behind an HTTP listener: requests to it with the headers that came, and which paths are its. Reads no body.
import * as http from "node:http";
import * as https from "node:https";
import { isLoopback, passed } from "./http-headers.ts";

/** Answers are looked at: they must come as they are. */
const REPLACED = new Set(["accept-encoding", "content-length"]);
const OF_MESSAGE = new Set(["mcp-method", "mcp-name", "content-type", "accept", "last-event-id"]);
const WITH_HOST = new Set([...REPLACED, "host"]);

export class Upstream {
  readonly url: URL;
  readonly name: string;
  readonly #agent: http.Agent;
  readonly #without: ReadonlySet<string>;

  constructor(url: URL) {
    this.url = url;
    this.name = url.origin + url.pathname;
    const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
    this.#agent = url.protocol === "https:" ? new https.Agent(options) : new http.Agent(options);
    // A server on this machine decides itself whether it knows the name that it is called by. One elsewhere is known
    // by its own name alone.
    this.#without = isLoopback(url.hostname) ? REPLACED : WITH_HOST;
  }

  /** Whether a request goes where the server takes messages. */
  isEndpoint(target: string | undefined): boolean {
    return withoutSlash(this.targetOf(target).split("?", 1)[0]!) === withoutSlash(this.url.pathname);
  }

  /** Path of a URL that the server named in answer to a request, by its own name or by the one that it was called by;
   * undefined when it is of another server. */
  pathOf(text: string, { url: target, headers }: http.IncomingMessage): string | undefined {
    const base = this.url.origin + this.targetOf(target);
    if (!URL.canParse(text, base)) return undefined;
    const url = new URL(text, base);
    const own = url.host === this.url.host || url.host === headers.host?.toLowerCase();
    if (!own || !/^https?:$/.test(url.protocol)) return undefined;
    // Two slashes would name another server, to whoever reads it as an address.
    return url.pathname.startsWith("//") ? undefined : url.pathname + url.search;
  }

  /** What a request is sent to, path and query only: a target with another server in it is no target here, and a fragment
   * is no part of one. */
  targetOf(target = "/"): string {
    const [path = ""] = target.split("#", 1);
    if (!path.startsWith("/")) return this.url.pathname;
    return path === "/" ? this.url.pathname + this.url.search : path;
  }

  /** Passes a request on. `body` is the whole of it unless there is a `rest`; undefined for none. */
  request(
    from: http.IncomingMessage,
    body: Buffer | undefined,
    came: (answer: http.IncomingMessage) => void,
    rest?: http.IncomingMessage,
  ): http.ClientRequest {
    const headers = passed(from.rawHeaders, this.#without);
    if (this.#without.has("host")) headers.push("Host", this.url.host);
    const length = rest === undefined ? body?.length : rest.headers["content-length"];
    if (length !== undefined) headers.push("Content-Length", String(length));
    headers.push("Accept-Encoding", "identity");
    const make = this.url.protocol === "https:" ? https.request : http.request;
    const request = make({
      agent: this.#agent,
      host: this.url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: this.url.port === "" ? undefined : Number(this.url.port),
      method: from.method,
      path: this.targetOf(from.url),
      headers,
      setHost: false,
    });
    request.on("response", came);
    if (rest === undefined) request.end(body);
    else {
      request.write(body!);
      rest.pipe(request);
    }
    return request;
  }

  /** Sends a message of our own, with the headers of `from`; what is answered does not matter. */
  send(from: http.IncomingMessage, message: string): void {
    const kept = ["authorization", "mcp-session-id", "mcp-protocol-version", "host", "origin"];
    const raw = from.rawHeaders.flatMap((text, i) =>
      i % 2 === 0 && kept.includes(text.toLowerCase()) ? [text, from.rawHeaders[i + 1]!] : [],
    );
    raw.push("Content-Type", "application/json", "Accept", "application/json, text/event-stream");
    const like = { rawHeaders: raw, method: "POST", url: from.url } as http.IncomingMessage;
    this.request(like, Buffer.from(message), (answer) => answer.resume()).on("error", () => {});
  }

  /** Asks the server for something of our own, with the headers of `from` but those that say what it asked for. */
  ask(
    from: http.IncomingMessage,
    message: string,
    method: string,
    came: (answer: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const raw = passed(from.rawHeaders, OF_MESSAGE);
    raw.push("Content-Type", "application/json", "Accept", "application/json, text/event-stream");
    if (from.headers["mcp-method"] !== undefined) raw.push("Mcp-Method", method);
    const like = { rawHeaders: raw, method: "POST", url: from.url } as http.IncomingMessage;
    return this.request(like, Buffer.from(message), came);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}
