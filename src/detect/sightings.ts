// What an event names that may never have been seen before: user, server, its version and command, tool and definition,
// host and address. Tells each once for as long as it remembers, and definitions with every batch; whether it is new, only
// the ordering thread knows.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";

export type Kind = "user" | "server" | "version" | "command" | "tool" | "domain" | "address" | "definition";

/** One thing that an event names. */
export interface Sighting {
  readonly kind: Kind;
  /** Kind and value. */
  readonly key: string;
  /** Hash of a definition; empty for all else. */
  readonly hash: string;
  /** The event's defined fields. */
  readonly event: Readonly<Partial<Event>>;
}

const NAMED = ["tool-call", "server-connected", "tools-listed", "tool-definition"];

export class Sightings {
  /** Keys that were told. */
  readonly #told = new Set<string>();
  /** Key → hash of the definitions that were told of since the last call of `take`: until the next, another worker may
   * have told of others. */
  readonly #defined = new Map<string, string>();
  #found: Sighting[] = [];

  /** To be called with every event, finished and redacted. */
  see(e: Event): void {
    if (!NAMED.includes(e["event.action"]!) || e["tapline.primary"] === false) return;
    const server = e["tapline.server.name"];
    const tool = e["gen_ai.tool.name"];
    if (e["event.action"] === "tool-definition") {
      const hash = e["tapline.tool.definition_hash"];
      if (hash !== undefined && tool !== undefined)
        this.#note(e, "definition", `${server ?? ""}\u0000${tool}`, hash);
    }
    this.#note(e, "user", e["user.name"] ?? e["user.id"]);
    this.#note(e, "server", server);
    if (server !== undefined) {
      const command = e["tapline.server.command"] ?? e["tapline.server.url"];
      if (command !== undefined) this.#note(e, "command", `${server}\u0000${command}`);
      const version = e["tapline.server.version"];
      if (version !== undefined) this.#note(e, "version", `${server}\u0000${version}`);
    }
    if (tool !== undefined) this.#note(e, "tool", `${server ?? ""}\u0000${tool}`);
    this.#note(e, "domain", e["destination.domain"]);
    this.#note(e, "address", e["destination.address"]);
  }

  #note(e: Event, kind: Kind, value: string | undefined, hash = ""): void {
    if (value === undefined) return;
    const key = `${kind}\u0000${value}`;
    if (kind === "definition" ? this.#defined.get(key) === hash : this.#told.has(key)) return;
    if (kind === "definition") this.#defined.set(key, hash);
    else {
      if (this.#told.size >= LIMITS.sightings_told) this.#told.clear();
      this.#told.add(key);
    }
    const event: Record<string, unknown> = {};
    for (const field in e) {
      const of = e[field as keyof Event];
      if (of !== undefined) event[field] = of;
    }
    this.#found.push({ kind, key, hash, event });
  }

  /** What was found since the last call. */
  take(): readonly Sighting[] {
    const found = this.#found;
    this.#found = [];
    this.#defined.clear();
    return found;
  }
}
