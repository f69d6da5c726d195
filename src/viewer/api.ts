// The contract between the viewer's server and its page: routes, parameters, shapes of JSON. Types only, imported by both;
// nothing runs here. Every text that came out of a record is the text of whoever wrote it: show it as text, never as markup.
//
// Asking. All paths are relative to the server's root, GET unless marked, JSON in UTF-8 with `no-store`.
//
//   GET  /open?token=…                    the printed link: sets the cookie and leads to `/`; for the browser's address bar only
//   GET  /api/session                     → Session
//   GET  /api/fields                      → FieldList
//   GET  /api/terms                       → Terms
//   GET  /api/values/FIELD                → ValueList                          from, to, q
//   GET  /api/status                      → StatusAnswer
//   GET  /api/dashboards                  → DashboardList
//   GET  /api/dashboards/ID               → DashboardLayout
//   GET  /api/dashboards/ID/data          → NDJSON of DashboardLine            from, to, q, tz, panel (one panel only)
//   GET  /api/events                      → NDJSON of SearchLine               from, to, q, limit, after, total
//   GET  /api/events/WHICH                → EventDetail                        WHICH: index in the ledger, or an event's id
//   GET  /api/sessions                    → SessionList                        from, to, q, limit
//   GET  /api/sessions/ID                 → NDJSON of TimelineLine             limit, after
//   GET  /api/alerts                      → AlertList                          from, to, q, limit, after, status, level
//   GET  /api/alerts/ID                   → AlertDetail
//   GET  /api/incidents                   → IncidentList                       status
//   GET  /api/incidents/ID                → IncidentDetail
//   GET  /api/controls                    → ControlList                        from, to
//   GET  /api/controls/ID                 → ControlDetail                      from, to
//   GET  /api/rules                       → RuleList                           from, to
//   GET  /api/rules/ID                    → RuleDetail                         from, to
//   GET  /api/live                        → text/event-stream, `data:` is a LiveMessage
//   POST /api/alerts                      AlertAction → Submitted              owner only
//   POST /api/incidents/ID                IncidentAction → Submitted           owner only
//   POST /api/exports                     ExportRequest → text/csv, attachment         owner only, recorded
//   POST /api/evidence                    EvidenceRequest → EvidencePack, attachment   owner only, recorded
//
// Parameters.
//   from, to   ISO 8601 with offset, or `now`, `now-30d`, `now-6h` (s, m, h, d, w, y). [from, to). Default: everything; on a
//              dashboard, its own period.
//   q          the search language of query.ts (`parseQuery`, which the page may import): `field:value`, `-field:value`,
//              `field:"two words"`, `field:(a "b c")`, `field:pre*`, `field:*` (is there), `field:>10`, and free words.
//   tz         minutes east of UTC at which buckets of days begin; default 0.
//   limit      rows wanted; default 50, most 500.
//   after      the cursor that the answer before gave as `next`.
//   total      `no` leaves the totals out of a search.
//   ID         percent-encoded.
//
// POST takes `Content-Type: application/json` and is refused without an Origin that is the server's own.
// Not 2xx: a Problem. 401 no or stale cookie (open the printed link again), 403 not for a reader or a foreign Origin,
// 404 nothing there, 400 what is wrong with the question, 413 and 414 too long, 429 too many at once, 503 come again.

import type { AlertRow } from "./api-alerts.ts";
export type * from "./api-dashboards.ts";
export type * from "./api-events.ts";
export type * from "./api-alerts.ts";
export type * from "./api-rules.ts";

/** Of ISO 8601, in UTC, as in the events. */
export type Time = string;
export type Level = "informational" | "low" | "medium" | "high" | "critical";

export interface Problem {
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly remedy?: string;
}

/** The ledger's head, and the newest checkpoint of it. */
export interface Head {
  readonly origin: string | null;
  /** Entries of the ledger. */
  readonly entries: number;
  /** Of these, entries that a checkpoint covers. */
  readonly covered: number;
  /** Root at that size, base64; null before the first checkpoint. */
  readonly root: string | null;
}

export interface Session {
  /** Who looks: what an action is recorded under. */
  readonly user: { readonly name: string; readonly id: string };
  /** An owner may act and export, a reader may look. */
  readonly role: "owner" | "reader";
  readonly version: string;
  readonly host: string;
  readonly namespace: string;
  /** Actions are recorded by a collector: without one that runs they wait. */
  readonly collecting: boolean;
  readonly now: Time;
  readonly head: Head;
}

export type FieldType =
  | "keyword"
  | "keyword[]"
  | "long"
  | "long[]"
  | "double"
  | "boolean"
  | "date"
  | "ip"
  | "text"
  | "wildcard"
  | "constant"
  | "object"
  | "stored";
export interface FieldList {
  readonly fields: readonly { readonly name: string; readonly type: FieldType; readonly about: string }[];
}

/** What words and figures mean, in Markdown of ours. */
export interface Terms {
  readonly text: string;
}

export interface StatusAnswer {
  /** What a running collector last said of itself (`tapline status --json`); null when none ran. */
  readonly status: Readonly<Record<string, unknown>> | null;
  readonly head: Head;
  readonly store: {
    /** Entries in Parquet files; the rest is read from the ledger. */
    readonly entries: number;
    readonly files: number;
    readonly bytes: number;
    /** Entries after the files that are not shown yet, because there are too many. */
    readonly behind: number;
    readonly oldest: Time | null;
    readonly newest: Time | null;
  };
}

// Live.

export type LiveMessage =
  /** More was recorded; at most one a second. */
  | { readonly type: "head"; readonly head: Head; readonly collecting: boolean }
  | { readonly type: "alerts"; readonly alerts: readonly AlertRow[] }
  /** Somebody said something of these: ask again. */
  | { readonly type: "changed"; readonly alerts: readonly string[]; readonly incidents: readonly string[] };

// What leaves the viewer. Both are recorded before the first byte is sent: who, what, how much.

export interface ExportRequest {
  readonly what: "events" | "alerts" | "panel";
  readonly from?: string;
  readonly to?: string;
  readonly q?: string;
  readonly tz?: number;
  /** Columns, for events: 1 to 64 fields. */
  readonly fields?: readonly string[];
  /** For a panel. */
  readonly dashboard?: string;
  readonly panel?: string;
}
export interface EvidenceRequest {
  /** 1 to 500 indexes of the ledger. */
  readonly indexes: readonly number[];
}
/** Entries with what is needed to check them without us: RFC 6962 proofs and the signed checkpoint. */
export interface EvidencePack {
  readonly format: "tapline-evidence-1";
  readonly made_at: Time;
  readonly origin: string;
  readonly vkey: string;
  readonly checkpoint: string | null;
  readonly entries: readonly {
    readonly index: number;
    readonly entry: string;
    readonly leaf: string;
    /** Null when the checkpoint does not cover it. */
    readonly path: readonly string[] | null;
  }[];
}
