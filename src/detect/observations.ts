// What a worker tells the ordering thread of calls, so that it can hold what agents' transcripts show against what was
// decided at the chokepoint: every call of a transcript and whether it was refused, every decision of a hook or proxy, and
// which sessions have a transcript at all. Keeps nothing from batch to batch but which sessions it has told of.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";

/** Where a call was seen. `refusal`: a transcript that tells that a call never ran. `session`: no call, but a session that
 * has a transcript. */
export type Side = "transcript" | "refusal" | "hook" | "proxy" | "session";

/** Plain data: it travels to the ordering thread and into frames. */
export interface Observation {
  readonly side: Side;
  readonly session: string;
  /** The agent's harness: `service.name`. */
  readonly client: string;
  readonly time_ms: number;
  readonly backfill: boolean;
  /** Key of the call; empty for a session. */
  readonly key: string;
  readonly tool: string;
  /** Missing for a tool of the agent itself. */
  readonly server?: string | undefined;
  /** Whether the call has an id that both sides know. */
  readonly named: boolean;
  /** What an event about the call repeats of the one that told of it. */
  readonly about: Readonly<Partial<Event>>;
}

const ABOUT = [
  "event.id",
  "log.file.path",
  "log.offset",
  "user.id",
  "user.name",
  "session.id",
  "gen_ai.agent.name",
  "gen_ai.tool.call.id",
  "tapline.source",
  "tapline.stream",
  "tapline.tool.class",
  "tapline.decision.verdict",
  "tapline.decision.action",
  "rule.id",
] as const satisfies readonly (keyof Event)[];

function about(e: Event): Partial<Event> {
  const some: Record<string, unknown> = {};
  for (const field of ABOUT) if (e[field] !== undefined) some[field] = e[field];
  return some;
}

const NOTHING = {};
/** A call that was refused may have its decision alone. */
const DECIDED = ["tool-call", "tool-call-decision"];
/** What a transcript tells of a refusal: some have only the answer, some only the result. */
const REFUSING = ["tool-call-decision", "tool-result"];

export class Observations {
  readonly #told = new Set<string>();
  #seen: Observation[] = [];

  /** To be called with every event, finished and redacted. */
  see(e: Event): void {
    const vantage = e["tapline.vantage"];
    if (vantage === "transcript") {
      const session = e["gen_ai.conversation.id"];
      if (session === undefined) return;
      if (!this.#told.has(session)) this.#tell(session, e);
      if (e["event.action"] === "tool-call") this.#add("transcript", session, e);
      else if (REFUSING.includes(e["event.action"]!) && e["tapline.decision.verdict"] === "deny")
        this.#add("refusal", session, e);
    } else if (vantage === "hook" || vantage === "proxy") {
      const session = e["gen_ai.conversation.id"];
      // Of our own decisions: those of the agent and its user are events of hooks, too.
      if (session === undefined || e["rule.category"] !== "policy") return;
      if (DECIDED.includes(e["event.action"]!)) this.#add(vantage, session, e);
    }
  }

  #tell(session: string, e: Event): void {
    if (this.#told.size >= LIMITS.sessions) this.#told.clear();
    this.#told.add(session);
    this.#seen.push({
      ...this.#base("session", session, e),
      key: "",
      tool: "",
      named: false,
      about: NOTHING,
    });
  }

  #add(side: Side, session: string, e: Event): void {
    const key = e["tapline.call_key"];
    if (key === undefined) return;
    this.#seen.push({
      ...this.#base(side, session, e),
      key,
      tool: e["gen_ai.tool.name"] ?? "",
      server: e["tapline.server.name"],
      named: e["gen_ai.tool.call.id"] !== undefined,
      about: about(e),
    });
  }

  #base(side: Side, session: string, e: Event) {
    return {
      side,
      session,
      client: e["service.name"] ?? "",
      time_ms: toMs(e["@timestamp"] ?? ""),
      backfill: e["tapline.backfill"] === true,
    };
  }

  /** What was seen since the last call. */
  take(): readonly Observation[] {
    const seen = this.#seen;
    this.#seen = [];
    return seen;
  }
}
