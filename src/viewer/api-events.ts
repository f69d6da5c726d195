// Events and sessions in the contract of api.ts.
import type { Key } from "./api-dashboards.ts";
import type { Level, Time } from "./api.ts";

// Events.

/** One event in a list: what there is of these fields, by name; index and id always. */
export interface EventRow {
  /** In the ledger. */
  readonly index: number;
  readonly id: string;
  readonly time: Time;
  /** event.action. */
  readonly action: string;
  /** A sentence, where the event has one. */
  readonly message: string | null;
  /** Further fields, those that the event has: FIELDS_OF_ROW of rows.ts, or those asked for. Long texts are cut. */
  readonly fields: Readonly<Record<string, FieldValue>>;
}
export type FieldValue = string | number | boolean | readonly (string | number)[];

/** Hits newest first, as they are found; `page` when the page is full or all was searched; then `total`; `end` last. */
export type SearchLine =
  | { readonly type: "hits"; readonly events: readonly EventRow[] }
  | { readonly type: "page"; readonly next: string | null; readonly took_ms: number }
  | ({ readonly type: "total"; readonly total: number } & Progress)
  | {
      readonly type: "end";
      /** Hits over time, for a chart beside them; null when totals were not asked for. */
      readonly histogram: {
        readonly step_ms: number;
        readonly times: readonly number[];
        readonly values: readonly number[];
      } | null;
      /** The most frequent values of a few fields among the hits. */
      readonly facets: readonly Facet[];
      /** Of some files only the most frequent values were counted. */
      readonly cut?: true;
      readonly took_ms: number;
    };
interface Progress {
  /** Of `entries` so many were searched; the total is final when both are the same. */
  readonly searched: number;
  readonly entries: number;
}
/** The most frequent values of a field, most frequent first. */
export interface ValueList {
  readonly field: string;
  readonly values: readonly { readonly key: Key; readonly count: number }[];
  /** There are others. */
  readonly more: boolean;
}
export interface Facet {
  readonly field: string;
  readonly values: readonly { readonly key: Key; readonly count: number }[];
}

export interface EventDetail {
  readonly event: EventRow;
  /** The entry as it stands in the ledger: the leaf's bytes, in UTF-8. Larger texts are in blobs (tapline.blob.*). */
  readonly entry: string;
  /** Leaf hash, hex. */
  readonly hash: string;
  readonly proof: Proof | null;
  /** Why there is no proof. */
  readonly unproven: string | null;
  /** Same call from elsewhere, its decision and result; alerts that rest on the event; events that an alert rests on; causes. */
  readonly related: readonly { readonly relation: Relation; readonly event: EventRow }[];
  /** There are more of them. */
  readonly related_cut: boolean;
}
export type Relation =
  | "call"
  | "observation"
  | "result"
  | "decision"
  | "alert"
  | "evidence"
  | "cause"
  | "source";

/** RFC 6962 inclusion proof of the entry in the tree of the newest checkpoint. */
export interface Proof {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Base64 of 32 bytes each, from the leaf's sibling upwards. */
  readonly path: readonly string[];
  readonly leaf: string;
  readonly root: string;
  /** The signed note as published, C2SP tlog-checkpoint. */
  readonly checkpoint: string;
  /** Verifier key of its signature, C2SP signed-note. */
  readonly vkey: string;
  /** The server computed the root from leaf and path, and it is the checkpoint's. */
  readonly checked: boolean;
}

// Sessions.

export interface SessionList {
  readonly sessions: readonly SessionRow[];
  readonly more: boolean;
  /** Of some files only the sessions with most events were looked at. */
  readonly cut: boolean;
}
export interface SessionRow {
  /** gen_ai.conversation.id. */
  readonly id: string;
  readonly agents: readonly string[];
  readonly users: readonly string[];
  readonly hosts: readonly string[];
  readonly first: Time;
  readonly last: Time;
  readonly events: number;
  readonly calls: number;
  readonly denied: number;
  readonly alerts: number;
  readonly level: Level | null;
}
/** A session's events in the order of their time; `session` first, `end` last. */
export type TimelineLine =
  | { readonly type: "session"; readonly session: SessionRow }
  | { readonly type: "events"; readonly events: readonly TimelineRow[] }
  | { readonly type: "end"; readonly next: string | null };
export interface TimelineRow extends EventRow {
  /** What was said, called or given back: text of at most 2,000 characters. */
  readonly content: string | null;
  /** Index of the call that a result, a decision or another observation belongs to. */
  readonly call: number | null;
  /** Same for all observations of one call. */
  readonly call_key: string | null;
  readonly primary: boolean;
}
