// Stands between a search sink and a server, and misbehaves on `_bulk` as a script or a seed says. Without a server to
// stand before it keeps the truth itself. What it answers in a server's place is what a server could have answered:
// nothing is called created that was not applied.
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FaultyServer } from "../sinks/faulty-bulk.ts";
import { randomOf } from "../random.ts";

/** How an answer to what was applied comes back. */
const MANGLED = ["lost", "half", "truncated", "page", "short", "reordered", "slow", "stale"] as const;
type Mangled = (typeof MANGLED)[number];

/** What becomes of one bulk request. */
export type Fault =
  | { readonly kind: "pass" }
  /** Nothing is applied, and the whole request is answered so. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      readonly type?: string;
      readonly retry_after_s?: number;
    }
  /** Item i gets status i of these, over and over: 201 and 409 are applied, others are not. */
  | { readonly kind: "items"; readonly statuses: readonly number[] }
  /** Nothing is applied: the connection ends before the head of an answer, after it, or nothing ever comes. */
  | { readonly kind: "reset" | "reset-after-head" | "never" }
  /** All is applied, and the answer is spoiled. */
  | { readonly kind: "applied"; readonly answer: Mangled };

const error = (type: string, reason: string): string => JSON.stringify({ error: { type, reason } });
const PAGE = "<html><body>502 Bad Gateway</body></html>";
const WHOLE: readonly Fault[] = [
  { kind: "answer", status: 429, body: error("es_rejected_execution_exception", "queue is full") },
  { kind: "answer", status: 429, body: error("circuit_breaking_exception", "too much"), retry_after_s: 1 },
  { kind: "answer", status: 503, body: error("cluster_block_exception", "no master") },
  { kind: "answer", status: 502, body: PAGE, type: "text/html" },
  { kind: "answer", status: 200, body: PAGE, type: "text/html" },
  { kind: "answer", status: 401, body: error("security_exception", "missing credentials") },
  { kind: "answer", status: 403, body: error("security_exception", "not authorized") },
];
const STATUSES = [201, 201, 201, 409, 429, 500, 503] as const;
const READ_ONLY: Fault = { kind: "items", statuses: [201, 403] };

/** Faults of a seed: every kind has its turn. */
export function faultsOf(seed: number, count: number): Fault[] {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const kinds: (() => Fault)[] = [
    () => pick(WHOLE),
    () => pick(WHOLE),
    () => ({ kind: "items", statuses: Array.from({ length: 5 }, () => pick(STATUSES)) }),
    () => READ_ONLY,
    () => ({ kind: pick(["reset", "reset-after-head", "never"] as const) }),
    () => ({ kind: "applied", answer: pick(MANGLED) }),
    () => ({ kind: "applied", answer: pick(MANGLED) }),
    () => ({ kind: "pass" }),
  ];
  return Array.from({ length: count }, () => pick(kinds)());
}

interface Item {
  readonly id: string;
  /** Action and document, as they were sent. */
  readonly lines: string;
}
type Answered = Record<string, { _id: string; status: number; error?: { type: string; reason: string } }>;

export class BulkProxy {
  /** Taken one a bulk request; then all pass. */
  readonly script: Fault[] = [];
  /** What is refused for ever: the status of an item, undefined for what is not. */
  refuse: (item: Item) => number | undefined = () => undefined;
  /** A longer body is refused with 413. */
  max_bytes = Infinity;
  /** How often each fault was met. */
  readonly met = new Map<string, number>();
  /** What keeps the truth, where there is no server to stand before. */
  readonly truth: FaultyServer | undefined;
  #upstream: string;
  /** The header by which clients know the product. */
  #product: Record<string, string> = {};
  readonly #stale = new WeakSet<Socket>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((cause: unknown) => {
      console.error(`bulk proxy: ${String(cause)}`);
      response.destroy();
    });
  });

  constructor(before: { readonly url: string } | { readonly product: "elasticsearch" | "opensearch" }) {
    this.#upstream = "url" in before ? before.url : "";
    this.truth = "url" in before ? undefined : new FaultyServer(before.product);
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<string> {
    if (this.truth !== undefined) this.#upstream = await this.truth.start();
    const name = (await fetch(this.#upstream)).headers.get("x-elastic-product");
    this.#product = name === null ? {} : { "x-elastic-product": name };
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.truth?.stop();
  }

  /** Ends every connection there is. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A server that closed a connection meanwhile: what is sent on it is lost, and nobody says so.
    if (this.#stale.has(request.socket)) return void request.socket.destroy();
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
    if (new URL(request.url!, "http://proxy").pathname === "/_bulk")
      return this.#bulk(request, response, body);
    const answer = await this.#ask(request, body);
    this.#give(response, answer.status, answer.text, answer.headers);
  }

  async #ask(
    request: IncomingMessage,
    body: string,
  ): Promise<{ status: number; text: string; headers: Record<string, string> }> {
    const { authorization, accept } = request.headers;
    const type = request.headers["content-type"];
    const given = { authorization, accept, "content-type": type };
    const headers = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const init = { method: request.method!, headers, ...(body === "" ? {} : { body }) };
    const answer = await fetch(this.#upstream + request.url!, init);
    const kind = answer.headers.get("content-type") ?? "application/json";
    return {
      status: answer.status,
      text: await answer.text(),
      headers: { "content-type": kind, ...this.#product },
    };
  }

  #give(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) }).end(text);
  }

  #count(name: string): void {
    this.met.set(name, (this.met.get(name) ?? 0) + 1);
  }

  async #bulk(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    if (Buffer.byteLength(body) > this.max_bytes) {
      this.#count("413");
      return this.#give(response, 413, "<html>413 Request Entity Too Large</html>", {
        "content-type": "text/html",
      });
    }
    const fault = this.script.shift() ?? { kind: "pass" };
    this.#count(nameOf(fault));
    if (fault.kind === "answer") {
      const retry = fault.retry_after_s === undefined ? {} : { "retry-after": String(fault.retry_after_s) };
      return this.#give(response, fault.status, fault.body, {
        "content-type": fault.type ?? "application/json",
        ...this.#product,
        ...retry,
      });
    }
    if (fault.kind === "never") return;
    if (fault.kind === "reset") return void request.socket.destroy();
    if (fault.kind === "reset-after-head") {
      response.writeHead(200, { "content-type": "application/json", ...this.#product });
      response.write("{", () => request.socket.destroy());
      return;
    }
    const statuses = fault.kind === "items" ? fault.statuses : [201];
    await this.#apply(
      request,
      response,
      itemsOf(body),
      statuses,
      fault.kind === "applied" ? fault.answer : undefined,
    );
  }

  async #apply(
    request: IncomingMessage,
    response: ServerResponse,
    items: readonly Item[],
    statuses: readonly number[],
    mangled: Mangled | undefined,
  ): Promise<void> {
    const wanted = items.map((item, i) => this.refuse(item) ?? statuses[i % statuses.length]!);
    const applied = items.filter((_, i) => wanted[i] === 201 || wanted[i] === 409);
    const asked =
      applied.length === 0 ? undefined : await this.#ask(request, applied.map(({ lines }) => lines).join(""));
    if (asked !== undefined && asked.status !== 200) {
      return this.#give(response, asked.status, asked.text, asked.headers);
    }
    const told = asked === undefined ? [] : (JSON.parse(asked.text) as { items: Answered[] }).items;
    let at = 0;
    const all = items.map(({ id }, i): Answered => {
      const status = wanted[i]!;
      if (status === 201) return told[at++]!;
      if (status === 409) at++;
      const type = status === 403 ? "cluster_block_exception" : "test_exception";
      return { create: { _id: id, status, error: { type, reason: `injected ${status}` } } };
    });
    const headers = { "content-type": "application/json", ...this.#product };
    this.#answer(response, all, headers, mangled);
  }

  #answer(
    response: ServerResponse,
    items: Answered[],
    headers: Record<string, string>,
    mangled?: Mangled,
  ): void {
    const socket = response.socket!;
    if (mangled === "lost") return void socket.destroy();
    if (mangled === "page")
      return this.#give(response, 200, PAGE, { ...headers, "content-type": "text/html" });
    if (mangled === "short") items.pop();
    if (mangled === "reordered") items.reverse();
    const errors = items.some((item) => Object.values(item)[0]!.status >= 300);
    const text = JSON.stringify({ took: 1, errors, items });
    const half = text.slice(0, text.length >> 1);
    if (mangled === "truncated") return this.#give(response, 200, half, headers);
    if (mangled !== "half" && mangled !== "slow") {
      this.#give(response, 200, text, headers);
      if (mangled === "stale") this.#stale.add(socket);
      return;
    }
    response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(text) });
    if (mangled === "half") return void response.write(half, () => socket.destroy());
    let sent = 0;
    const drip = setInterval(() => response.write(text[sent++] ?? ""), 100);
    response.on("close", () => clearInterval(drip));
  }
}

function nameOf(fault: Fault): string {
  if (fault.kind === "answer") return String(fault.status);
  if (fault.kind === "items") return fault.statuses.includes(403) ? "read-only" : "items";
  return fault.kind === "applied" ? `applied, ${fault.answer}` : fault.kind;
}

function itemsOf(body: string): Item[] {
  const lines = body.trimEnd().split("\n");
  return Array.from({ length: lines.length / 2 }, (_, i) => {
    const { create } = JSON.parse(lines[2 * i]!) as { create: { _id: string } };
    return { id: create._id, lines: `${lines[2 * i]}\n${lines[2 * i + 1]}\n` };
  });
}
