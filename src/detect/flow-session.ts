// What flow remembers of one session, and the form of it that outlives the process. Follows nothing itself.
import { ContentFlow, type ContentState, type Source } from "./flow-content.ts";
import { Provenance } from "./flow-provenance.ts";
import type { Packed } from "./flow-table.ts";

/** What was said and not read yet; `source` is negative for what the user or the system says. */
export interface Unread {
  readonly text: string;
  readonly source: number;
  readonly hidden: boolean;
}

/** Hashes, ids and names: no text. */
export interface FlowSessionState {
  readonly known: Packed;
  readonly told: Packed;
  readonly users: Packed;
  readonly content: ContentState;
  readonly sources: readonly Source[];
  readonly results: number;
  readonly prompted: boolean;
  readonly asked: boolean;
  readonly topics: number;
  readonly delegated: boolean;
}

export type FlowState = readonly (readonly [session: string, FlowSessionState])[];

export class FlowSession {
  readonly provenance = new Provenance();
  readonly content = new ContentFlow();
  readonly sources: Source[] = [];
  readonly unread: Unread[] = [];
  unread_chars = 0;
  results = 0;
  prompted = false;
  delegated = false;

  constructor(state?: FlowSessionState) {
    if (state === undefined) return;
    this.provenance.known.restore(state.known);
    this.provenance.told.restore(state.told);
    // Older snapshots have none of these.
    if (state.users !== undefined) this.provenance.users.restore(state.users);
    this.provenance.asked = state.asked ?? false;
    this.provenance.topics = state.topics ?? 0;
    this.content.restore(state.content);
    for (const { event, tool, server, signs } of state.sources)
      this.sources.push({ event, tool, server, signs });
    this.results = state.results;
    this.prompted = state.prompted;
    this.delegated = state.delegated;
  }

  /** To be called when nothing is unread. */
  state(): FlowSessionState {
    const { provenance, content, sources, results, prompted, delegated } = this;
    return {
      known: provenance.known.state(),
      told: provenance.told.state(),
      users: provenance.users.state(),
      content: content.state(),
      sources,
      results,
      prompted,
      asked: provenance.asked,
      topics: provenance.topics,
      delegated,
    };
  }
}
