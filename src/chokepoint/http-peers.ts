// The connections of an HTTP listener: a peer for each session of the revisions that have them, and one for each request
// where there is none. Bounded: the session silent longest is forgotten, and met anew when it speaks again.
import { randomBytes } from "node:crypto";
import { LIMITS } from "../core/limits.ts";
import { Peer } from "./peer.ts";

export class HttpPeers {
  readonly #server: () => object;
  readonly #known = new Map<string, Peer>();

  constructor(server: () => object) {
    this.#server = server;
  }

  fresh(): Peer {
    const conn = randomBytes(8).toString("hex");
    return new Peer({ conn, server: this.#server(), client: {}, user: undefined });
  }

  /** The peer of a session; `session` is its header, or the path that its messages are sent to. */
  of(session: string): Peer {
    const peer = this.#known.get(session) ?? this.fresh();
    this.keep(session, peer);
    return peer;
  }

  keep(session: string, peer: Peer): void {
    this.#known.delete(session);
    this.#known.set(session, peer);
    if (this.#known.size > LIMITS.peers) this.#known.delete(this.#known.keys().next().value!);
  }

  has(session: string): boolean {
    return this.#known.has(session);
  }

  end(session: string): void {
    this.#known.delete(session);
  }
}
