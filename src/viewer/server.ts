// The viewer's HTTP server on the loopback address: lets requests in or refuses them, bounds them, hands them to their
// route. Serves the page's files to nobody without a link.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { actor } from "../incident/submit.ts";
import { LOCKED, MISSING, readAssets } from "./assets.ts";
import type { Context } from "./context.ts";
import * as guard from "./guard.ts";
import { Live } from "./live.ts";
import { Asked } from "./parameters.ts";
import type { User } from "./request.ts";
import { ROUTES, type Route } from "./routes.ts";
import { HEADERS, notFound, problemOf, send, sendProblem } from "./send.ts";

export interface ServerOptions {
  readonly context: Context;
  /** 0: any that is free. */
  readonly port: number;
  readonly assets_dir: string;
  readonly secrets: guard.Secrets;
  /** What failed and should not have: for the log. */
  readonly onBug: (error: unknown) => void;
}

export interface Viewer {
  readonly port: number;
  close(): Promise<void>;
}

const PLAIN = "text/plain; charset=utf-8";

export async function openServer(options: ServerOptions): Promise<Viewer> {
  const listener = new Listener(options);
  const server = createServer(
    {
      maxHeaderSize: LIMITS.viewer_header_bytes,
      headersTimeout: LIMITS.viewer_header_ms,
      requestTimeout: LIMITS.viewer_request_ms,
      keepAliveTimeout: LIMITS.viewer_idle_ms,
      connectionsCheckingInterval: 500,
      insecureHTTPParser: false,
      // Not our own words for it: the parser's are a bare 400.
      requireHostHeader: true,
    },
    (request, response) => void listener.answer(request, response),
  );
  server.maxConnections = LIMITS.viewer_connections;
  server.on("clientError", (_, socket) => socket.destroy());
  server.on("upgrade", (_, socket) => socket.destroy());
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  listener.port = (server.address() as AddressInfo).port;
  return { port: listener.port, close: () => closeServer(server, listener) };
}

async function closeServer(server: Server, listener: Listener): Promise<void> {
  listener.live.close();
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

class Listener {
  port = 0;
  readonly live: Live;
  readonly #options: ServerOptions;
  readonly #assets: ReturnType<typeof readAssets>;
  #running = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.live = new Live(options.context);
    this.#assets = readAssets(options.assets_dir);
  }

  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => response.destroy());
    try {
      await this.#admit(message, response);
    } catch (error) {
      const { status, problem } = problemOf(error);
      if (!(error instanceof TaplineError)) this.#options.onBug(error);
      if (response.headersSent || response.destroyed) response.destroy();
      else {
        response.removeHeader("Content-Disposition");
        sendProblem(response, status, problem);
      }
    }
  }

  async #admit(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const why = guard.foreign(message, this.port);
    if (why !== undefined) return sendProblem(response, 403, { code: "FOREIGN", message: why });
    const url = message.url ?? "";
    if (url.length > LIMITS.viewer_url_chars)
      return sendProblem(response, 414, { code: "TOO_LONG", message: "the address is too long" });
    const at = url.indexOf("?");
    const path = at === -1 ? url : url.slice(0, at);
    const parameters = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
    if (path === "/open") return this.#open(message, response, parameters.get("token") ?? "");
    const role = guard.roleOfCookie(message, this.#options.secrets, this.port);
    if (!path.startsWith("/api/")) return this.#asset(message, response, path, role);
    if (role === undefined) {
      return sendProblem(response, 401, {
        code: "NO_LINK",
        message: "this viewer opens with its link only",
        remedy: "open the link that `tapline run` printed; `tapline view` prints it again",
      });
    }
    await this.#route(message, response, path, parameters, role);
  }

  /** The link: its token becomes a cookie, and leaves the address. */
  #open(message: IncomingMessage, response: ServerResponse, token: string): void {
    const { secrets } = this.#options;
    const role = message.method === "GET" ? guard.roleOfToken(token, secrets) : undefined;
    if (role === undefined) return send(response, 403, PLAIN, LOCKED);
    const held = guard.heldBy(role, guard.peerUser(message));
    response.setHeader("Set-Cookie", guard.setCookie(held, secrets, this.port));
    response.writeHead(303, { ...HEADERS, Location: "/", "Content-Length": 0 });
    response.end();
  }

  #asset(
    { method }: IncomingMessage,
    response: ServerResponse,
    path: string,
    role: guard.Role | undefined,
  ): void {
    if (method !== "GET" && method !== "HEAD") return send(response, 405, PLAIN, "Not that way.\n");
    if (role === undefined) return send(response, 401, PLAIN, LOCKED);
    const asset = this.#assets.get(path);
    if (asset !== undefined) return send(response, 200, asset.type, asset.bytes);
    if (path === "/") return send(response, 503, PLAIN, MISSING);
    send(response, 404, PLAIN, "There is nothing here.\n");
  }

  async #route(
    message: IncomingMessage,
    response: ServerResponse,
    path: string,
    parameters: URLSearchParams,
    given: guard.Role,
  ): Promise<void> {
    const { route, id } = routeOf(message.method ?? "", path);
    const uid = guard.peerUser(message);
    const role = guard.heldBy(given, uid);
    if (route.owner === true && role !== "owner")
      throw new TaplineError("FORBIDDEN", "who opened a reader's link can look, and neither act nor export");
    if (this.#running >= LIMITS.viewer_requests)
      throw new TaplineError("TOO_MANY", `at most ${LIMITS.viewer_requests} requests at once`);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(LIMITS.viewer_query_ms)]);
    const asked = new Asked(parameters, route.parameters);
    this.#running++;
    try {
      await route.answer(
        { message, response, user: userOf(role), role, id, asked, signal },
        this.#options.context,
        this.live,
      );
    } finally {
      this.#running--;
    }
  }
}

/** An owner is the user who runs the collector; a reader is nobody in particular. */
function userOf(role: guard.Role): User {
  return role === "owner" ? actor() : { name: "reader", id: "" };
}

function routeOf(method: string, path: string): { route: Route; id: string } {
  const parts = path.split("/");
  let known = false;
  for (const route of ROUTES) {
    const wanted = route.path.split("/");
    if (wanted.length !== parts.length || !wanted.every((part, i) => part === "*" || part === parts[i]))
      continue;
    known = true;
    if (route.method !== method) continue;
    const at = wanted.indexOf("*");
    return { route, id: at === -1 ? "" : decoded(parts[at]!) };
  }
  if (known) throw new TaplineError("BAD_QUESTION", "not by that method");
  throw notFound("route");
}

function decoded(part: string): string {
  try {
    const id = decodeURIComponent(part);
    if (id.length > 0 && id.length <= LIMITS.keyword_chars) return id;
  } catch {
    // Not UTF-8, or not percent-encoded.
  }
  throw notFound("id");
}
