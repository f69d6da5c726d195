// At which calls a chokepoint is expected, and of which decisions a transcript: learned from what was seen together, and
// told by the configuration. Nothing is expected from before there was a chokepoint. Bounded; says when the bound bites.
import { LIMITS } from "../core/limits.ts";
import type { Observation } from "./observations.ts";

/** What the configuration says stands before a chokepoint. */
export interface Expected {
  /** Agents that have a hook, by `service.name`. */
  readonly clients: readonly string[];
  /** MCP servers behind a proxy, by name. */
  readonly servers: readonly string[];
  /** Whether decisions may come at all: there is a spool to read them from. */
  readonly spool: boolean;
}

/** Agents whose hooks and transcripts name calls by the same ids: all their calls can be told apart. */
const SAME_IDS: readonly string[] = ["claude-code", "codex"];

interface SessionKnown {
  /** From when on its hook decided; null before. */
  hook_ms: number | null;
  readonly proxies: Record<string, number>;
  transcript: boolean;
}

export interface ExpectationState {
  readonly sessions: readonly (readonly [string, SessionKnown])[];
  readonly learned: readonly string[];
  readonly since: readonly (readonly [string, number])[];
}

/** What a call is to a hook: tools of servers are all alike, since a hook that sees one sees all. */
const kindOf = ({ client, server, tool }: Observation): string =>
  server === undefined ? `${client}\u0000${tool}` : `${client}\u0000\u0000mcp`;
const proxied = (server: string): string => `\u0000${server}`;

export class Expectation {
  readonly #expected: Expected;
  readonly #sessions = new Map<string, SessionKnown>();
  /** Kinds of calls that transcript and hook were seen to agree on; and the clients of them, and proxied servers. */
  readonly #learned = new Set<string>();
  /** First decision at a client's hook, or before a server. */
  readonly #since = new Map<string, number>();
  evicted = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  /** Whether there is, or is to be, any chokepoint. */
  get any(): boolean {
    const { clients, servers, spool } = this.#expected;
    return spool || this.#since.size > 0 || clients.length > 0 || servers.length > 0;
  }

  /** Takes in what an observation says of its session. */
  observe(o: Observation): void {
    if (o.side === "transcript" || o.side === "refusal") return;
    const known = this.#session(o.session);
    if (o.side === "session") known.transcript = true;
    else if (o.side === "hook") {
      known.hook_ms = Math.min(known.hook_ms ?? o.time_ms, o.time_ms);
      this.#begins(o.client, o.time_ms);
    } else if (o.server !== undefined) {
      known.proxies[o.server] = Math.min(known.proxies[o.server] ?? o.time_ms, o.time_ms);
      this.#begins(proxied(o.server), o.time_ms);
    }
  }

  /** A call of a transcript that was decided: such calls are decided, and such decisions have a call. */
  agree(call: Observation, decision: Observation): void {
    if (decision.side === "hook") {
      this.#learn(kindOf(call));
      this.#learn(kindOf(decision));
      this.#learn(call.client);
    } else if (decision.server !== undefined) this.#learn(proxied(decision.server));
  }

  /** Whether the hook should have decided on a call that the transcript shows. */
  ofHook(call: Observation): boolean {
    const learned = this.#learned.has(kindOf(call));
    const from_ms = this.#sessions.get(call.session)?.hook_ms ?? null;
    if (from_ms !== null && from_ms <= call.time_ms) return learned;
    if (!this.#expected.clients.includes(call.client) || !this.#began(call.client, call)) return false;
    // While nothing was learned of a client, all its calls count.
    return learned || (SAME_IDS.includes(call.client) && !this.#learned.has(call.client));
  }

  /** Whether a proxy should have decided on it. */
  ofProxy(call: Observation): boolean {
    const { server } = call;
    if (server === undefined) return false;
    const from_ms = this.#sessions.get(call.session)?.proxies[server];
    if (from_ms !== undefined && from_ms <= call.time_ms) return this.#learned.has(proxied(server));
    return this.#expected.servers.includes(server) && this.#began(proxied(server), call);
  }

  /** Whether a transcript should show the call that was decided. */
  ofTranscript(decision: Observation): boolean {
    const { side, session, client, server, named } = decision;
    const has = this.#sessions.get(session)?.transcript === true || this.#expected.clients.includes(client);
    if (!has) return false;
    if (side === "proxy") return server !== undefined && this.#learned.has(proxied(server));
    return this.#learned.has(kindOf(decision)) || (named && this.#learned.has(client));
  }

  #began(what: string, { time_ms, backfill }: Observation): boolean {
    const from_ms = this.#since.get(what);
    return from_ms === undefined ? !backfill : from_ms <= time_ms || !backfill;
  }

  #begins(what: string, time_ms: number): void {
    const from_ms = this.#since.get(what);
    if (from_ms !== undefined && from_ms <= time_ms) return;
    if (from_ms === undefined && this.#since.size >= LIMITS.chokepoint_kinds) this.evicted++;
    else this.#since.set(what, time_ms);
  }

  #learn(what: string): void {
    if (this.#learned.has(what)) return;
    if (this.#learned.size >= LIMITS.chokepoint_kinds) this.evicted++;
    else this.#learned.add(what);
  }

  #session(id: string): SessionKnown {
    let known = this.#sessions.get(id);
    if (known === undefined) known = { hook_ms: null, proxies: {}, transcript: false };
    else this.#sessions.delete(id);
    this.#sessions.set(id, known);
    if (this.#sessions.size > LIMITS.chokepoint_sessions) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
      this.evicted++;
    }
    return known;
  }

  state(): ExpectationState {
    return {
      sessions: [...this.#sessions].map(([id, known]) => [id, { ...known, proxies: { ...known.proxies } }]),
      learned: [...this.#learned],
      since: [...this.#since],
    };
  }

  apply({ sessions, learned, since }: ExpectationState): void {
    for (const [id, known] of sessions) this.#sessions.set(id, { ...known, proxies: { ...known.proxies } });
    for (const what of learned) this.#learned.add(what);
    for (const [what, from_ms] of since) this.#since.set(what, from_ms);
  }
}
