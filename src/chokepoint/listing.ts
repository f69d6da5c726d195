// The proxy's own question for a server's tools: for a call whose definition nobody has listed since the server said that
// its tools changed, or since the proxy started. The ids of its requests are of its own, and answers to them go no further.
import { randomBytes } from "node:crypto";
import { LIMITS } from "../core/limits.ts";
import { type Fields, type Message, asFields, textOf } from "./json-rpc.ts";
import type { Peer } from "./peer.ts";

const META = "io.modelcontextprotocol/";
const TRIES = 3; // listings that a server which changes meanwhile is asked for

export interface ListingParts {
  /** Notes that a request of our own goes out. */
  sent(peer: Peer, raw: string): void;
  /** Takes in the tools of one answer. */
  tools(peer: Peer, message: Message, result: Fields, tools: readonly unknown[]): void;
}

export class Listing {
  readonly #parts: ListingParts;
  /** Nobody can guess it, so no id of a client begins like that. */
  readonly #prefix = `tapline-list-${randomBytes(16).toString("hex")}-`;
  readonly #waiting = new Map<string, (message: Message) => void>();
  readonly #under_way = new WeakMap<Peer, Promise<boolean>>();
  #asked = 0;
  /** How often the server said that its tools changed. */
  #changes = 0;

  constructor(parts: ListingParts) {
    this.#parts = parts;
  }

  /** What was listed until now is of before. */
  changed(): void {
    this.#changes++;
  }

  /** Whether bytes of a server may hold an answer to us. */
  mayAnswer(bytes: Buffer): boolean {
    return bytes.includes(this.#prefix);
  }

  /** Takes an answer to a request of ours; false when it is to somebody else's. */
  answer(message: Message): boolean {
    const { id } = message;
    if (typeof id !== "string" || !id.startsWith(this.#prefix)) return false;
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
    return true;
  }

  /** Has all tools listed, once for all that wait. False when they cannot be told. `call` is what waits for it. */
  list(peer: Peer, call: Message): Promise<boolean> {
    const known = this.#under_way.get(peer);
    if (known !== undefined) return known;
    const listing = this.#list(peer, call).finally(() => this.#under_way.delete(peer));
    this.#under_way.set(peer, listing);
    return listing;
  }

  async #list(peer: Peer, call: Message): Promise<boolean> {
    const ask = peer.ask; // of the request in hand
    if (ask === undefined) return false;
    for (let i = 0; i < TRIES; i++) {
      const changes = this.#changes;
      if (!(await this.#pages(peer, call, ask))) return false;
      if (changes === this.#changes) return true;
    }
    return false;
  }

  async #pages(peer: Peer, call: Message, ask: (text: string) => void): Promise<boolean> {
    const until = performance.now() + LIMITS.list_ms;
    let cursor: string | undefined;
    for (let page = 0; page < LIMITS.list_pages; page++) {
      const message = await this.#ask(peer, call, cursor, ask, until - performance.now());
      const result = asFields(message?.fields["result"]);
      const tools: unknown = result?.["tools"];
      if (message === undefined || result === undefined || !Array.isArray(tools)) return false;
      this.#parts.tools(peer, message, result, tools as unknown[]);
      cursor = textOf(result["nextCursor"]);
      if (cursor === undefined) return true;
    }
    return false;
  }

  #ask(
    peer: Peer,
    call: Message,
    cursor: string | undefined,
    ask: (text: string) => void,
    wait_ms: number,
  ): Promise<Message | undefined> {
    const id = `${this.#prefix}${++this.#asked}`;
    const params = { cursor, _meta: metaOf(call) };
    const raw = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/list", params });
    const { promise, resolve } = Promise.withResolvers<Message | undefined>();
    const timer = setTimeout(() => resolve(undefined), Math.max(0, wait_ms));
    this.#waiting.set(id, resolve);
    this.#parts.sent(peer, raw);
    ask(raw);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
  }
}

/** Since 2026-07-28 every request says who asks, and in which revision. */
function metaOf({ fields }: Message): Fields | undefined {
  const meta = asFields(asFields(fields["params"])?.["_meta"]);
  const kept = Object.entries(meta ?? {}).filter(([key]) => key.startsWith(META));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
