// What a collection has seen so far, and the events of what it has not: `first-seen` and `tool-definition-changed`. Kept
// by the ordering thread, since it needs knowledge across sessions; never changes the event that named it.
import { hash } from "node:crypto";
import { type Origin, eventOf } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import type { Kind, Sighting } from "./sightings.ts";

/** Key → hash of the definition seen last, or empty; the oldest first. */
export type SeenState = readonly (readonly [string, string])[];

// Whom and what the event concerns, beside what is new.
const COPIED = [
  "@timestamp",
  "log.file.path",
  "log.offset",
  "user.id",
  "user.name",
  "service.name",
  "session.id",
  "gen_ai.agent.name",
  "gen_ai.conversation.id",
  "gen_ai.tool.name",
  "gen_ai.tool.description",
  "gen_ai.tool.call.id",
  "destination.domain",
  "destination.address",
  "tapline.source",
  "tapline.stream",
  "tapline.format",
  "tapline.backfill",
  "tapline.connection",
  "tapline.server.name",
  "tapline.server.version",
  "tapline.server.release",
  "tapline.server.command",
  "tapline.server.url",
  "tapline.server.transport",
  "tapline.tool.class",
  "tapline.tool.qualified",
  "tapline.tool.definition_hash",
  "tapline.tool.description_hash",
  "tapline.tool.schema_hash",
  "event.created",
] as const satisfies readonly (keyof Event)[];

/** Kinds of things that belong to a server. */
const OF_SERVER: readonly Kind[] = ["version", "command", "tool"];
/** Beside the key of a server: since when it is known. */
const since = (server: string): string => short(`since\u0000${server}`);

const short = (key: string): string =>
  key.length <= LIMITS.state_key_chars
    ? key
    : `${key.slice(0, key.indexOf("\u0000"))}\u0000#${hash("sha256", key, "hex").slice(0, 32)}`;

export class FirstSeen {
  readonly #seen = new Map<string, string>();
  /** Keys dropped because the bound bit: when they come again they are told again. */
  evicted = 0;
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** The events of what is new, and what a frame has to keep of it. */
  offer(sightings: readonly Sighting[]): { readonly events: readonly Event[]; readonly changes: SeenState } {
    const events: Event[] = [];
    const changes: [string, string][] = [];
    for (const sighting of sightings) {
      const key = short(sighting.key);
      const before = this.#seen.get(key);
      if (before === sighting.hash) continue;
      const of: [string, string][] = [[key, sighting.hash]];
      const { "tapline.server.name": server, "@timestamp": time } = sighting.event;
      if (sighting.kind === "server" && before === undefined) of.push([since(server!), time ?? ""]);
      const e = this.#event(sighting, before);
      if (e !== undefined) events.push(e);
      changes.push(...of);
      this.apply(of);
    }
    return { events, changes };
  }

  /** Takes in what a frame or a snapshot kept. */
  apply(changes: SeenState): void {
    for (const [key, of] of changes) {
      this.#seen.set(key, of);
      if (this.#seen.size <= LIMITS.seen_keys) continue;
      this.#seen.delete(this.#seen.keys().next().value!);
      this.evicted++;
    }
  }

  /** Keys that are known. */
  get size(): number {
    return this.#seen.size;
  }

  state(): SeenState {
    return [...this.#seen];
  }

  /** A definition that is seen for the first time is no change, and its tool is told as such. */
  #event({ kind, hash: after, event }: Sighting, before: string | undefined): Event | undefined {
    if (kind === "definition" && before === undefined) return undefined;
    const e = eventOf(kind === "definition" ? "tool-definition-changed" : "first-seen", this.#origin);
    for (const field of COPIED) (e as unknown as Record<string, unknown>)[field] = event[field];
    e["event.id"] = `${event["event.id"]}-${kind}`;
    e["tapline.vantage"] = "self";
    e["tapline.cause.event_id"] = event["event.id"];
    if (kind === "definition") {
      e["tapline.tool.changed"] = true;
      e["tapline.change.before"] = before;
      e["tapline.change.after"] = after;
      e["message"] = `the definition of ${event["gen_ai.tool.name"]} changed`;
    } else {
      e["tapline.first_seen.kind"] = kind;
      if (this.#isOfNewServer(kind, event)) e["tapline.first_seen.new_server"] = true;
      e["message"] = `first ${kind} of its name in this collection`;
    }
    return e;
  }

  /** A server that is new brings a version, a command and tools, which say nothing that its own event does not. */
  #isOfNewServer(kind: Kind, event: Sighting["event"]): boolean {
    const server = event["tapline.server.name"];
    const known = server === undefined ? undefined : this.#seen.get(since(server));
    if (known === undefined || !OF_SERVER.includes(kind)) return false;
    return toMs(event["@timestamp"] ?? "") - toMs(known) <= LIMITS.server_new_ms;
  }
}
