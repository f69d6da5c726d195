// A server that speaks enough of both products for the sinks, keeps the truth in memory, and misbehaves as a script
// or a seed says. Not a model of mappings: those are tested against the real servers.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What happens to one bulk request. `item` gives the status of each item: 201 applies it. */
export type Fault =
  | { readonly kind: "items"; readonly status: (id: string, i: number) => number }
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      readonly type?: string;
      readonly retry_after?: string;
    }
  | { readonly kind: "refuse"; readonly id: string; readonly status: number; readonly body: string } // while it has the item
  | { readonly kind: Simple };
export type Simple =
  | "ok"
  | "reset" // the connection ends, nothing applied
  | "apply-reset" // applied, then the connection ends before the answer
  | "apply-half" // applied, the answer is cut off inside, with the connection
  | "truncated" // applied, the answer is whole for HTTP but cut off inside
  | "html" // nothing applied, 200 with a page
  | "short" // applied, one item is missing in the answer
  | "reordered" // applied, items in another order
  | "never" // nothing applied, no answer at all
  | "apply-slow" // applied, the answer comes a byte at a time
  | "failure-store"; // applied, flagged as kept in the failure store

interface Item {
  readonly stream: string;
  readonly id: string;
  readonly document: string;
}

export class FaultyServer {
  /** Taken one a bulk request; then `after`, "ok" by default. */
  readonly script: Fault[] = [];
  after: () => Fault = () => ({ kind: "ok" });
  template = true;
  unauthorized = false;
  readonly requests: string[] = [];
  readonly authorizations = new Set<string>();
  /** Stream → backing indices, each id → document. */
  readonly streams = new Map<string, Map<string, string>[]>();
  readonly #product: string;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  constructor(product: "elasticsearch" | "opensearch") {
    this.#product = product;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  rollover(): void {
    for (const indices of this.streams.values()) indices.push(new Map());
  }

  /** Every document there is, duplicates and all. */
  documents(): { stream: string; id: string; document: unknown }[] {
    return [...this.streams].flatMap(([stream, indices]) =>
      indices.flatMap((index) =>
        [...index].map(([id, text]) => ({ stream, id, document: JSON.parse(text) as unknown })),
      ),
    );
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
    const path = request.url!.split("?")[0]!;
    this.requests.push(`${request.method} ${path}`);
    if (request.headers.authorization !== undefined) this.authorizations.add(request.headers.authorization);
    if (this.#product === "elasticsearch") response.setHeader("x-elastic-product", "Elasticsearch");
    response.setHeader("content-type", "application/json");
    if (this.unauthorized) return this.#send(response, 401, { error: { type: "security_exception" } });
    if (path === "/_bulk") return this.#bulk(response, body);
    if (path.endsWith("/_refresh")) return this.#send(response, 200, { _shards: { failed: 0 } });
    if (path.endsWith("/_search")) return this.#search(response, path.split("/")[1]!, body);
    if (path.startsWith("/_index_template/")) return this.#send(response, this.template ? 200 : 404, {});
    this.#send(response, 400, { error: { reason: `no handler found for uri [${path}]` } });
  }

  #send(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status).end(JSON.stringify(body));
  }

  #search(response: ServerResponse, stream: string, body: string): void {
    const { query } = JSON.parse(body) as { query: { ids: { values: string[] } } };
    const indices = this.streams.get(stream) ?? [];
    const hits = query.ids.values.flatMap((id) =>
      indices.filter((index) => index.has(id)).map(() => ({ _id: id })),
    );
    this.#send(response, 200, { timed_out: false, _shards: { failed: 0 }, hits: { hits } });
  }

  #apply({ stream, id, document }: Item): number {
    let indices = this.streams.get(stream);
    if (indices === undefined) this.streams.set(stream, (indices = [new Map()]));
    const index = indices.at(-1)!; // an id is unique in the write index only, as with the real servers
    if (index.has(id)) return 409;
    index.set(id, document);
    return 201;
  }

  #bulk(response: ServerResponse, body: string): void {
    const fault = this.script.shift() ?? this.after();
    const lines = body.trimEnd().split("\n");
    const items: Item[] = [];
    for (let i = 0; i < lines.length; i += 2) {
      const { create } = JSON.parse(lines[i]!) as { create: { _index: string; _id: string } };
      items.push({ stream: create._index, id: create._id, document: lines[i + 1]! });
    }
    if (fault.kind === "reset") return void response.socket!.destroy();
    if (fault.kind === "never") return;
    if (fault.kind === "refuse" && items.some((item) => item.id === fault.id)) {
      return void response.writeHead(fault.status).end(fault.body);
    }
    if (fault.kind === "answer") {
      response.setHeader("content-type", fault.type ?? "application/json");
      if (fault.retry_after !== undefined) response.setHeader("retry-after", fault.retry_after);
      return void response.writeHead(fault.status).end(fault.body);
    }
    if (fault.kind === "html") {
      response.setHeader("content-type", "text/html");
      return void response.writeHead(200).end("<html>Welcome</html>");
    }
    const answers = items.map((item, i) => {
      const wanted = fault.kind === "items" ? fault.status(item.id, i) : 201;
      const status = wanted === 201 ? this.#apply(item) : wanted;
      const error = status < 300 ? {} : { error: { type: "test_exception", reason: `status ${status}` } };
      const store = fault.kind === "failure-store" ? { failure_store: "used" } : {};
      return { create: { _id: item.id, status, ...error, ...store } };
    });
    this.#answer(response, fault.kind, answers);
  }

  #answer(response: ServerResponse, kind: Fault["kind"], answers: { create: { status: number } }[]): void {
    if (kind === "apply-reset") return void response.socket!.destroy();
    if (kind === "short") answers.pop();
    if (kind === "reordered") answers.reverse();
    const errors = answers.some((answer) => answer.create.status >= 300);
    // The products differ in the order of these keys.
    const head = this.#product === "opensearch" ? { took: 1, errors } : { errors, took: 1 };
    const text = JSON.stringify({ ...head, items: answers });
    if (kind === "truncated") return void response.writeHead(200).end(text.slice(0, text.length >> 1));
    response.writeHead(200, { "content-length": Buffer.byteLength(text) });
    if (kind === "apply-half") {
      response.write(text.slice(0, text.length >> 1), () => response.socket!.destroy());
    } else if (kind === "apply-slow") {
      let at = 0;
      const timer = setInterval(() => response.write(text[at++] ?? ""), 100);
      response.on("close", () => clearInterval(timer));
    } else response.end(text);
  }
}
