// Alerts and incidents in the contract of api.ts.
import type { EventDetail, EventRow } from "./api-events.ts";
import type { Level, Time } from "./api.ts";

// Alerts. The present is made of the alert and of what was said of it, which are events too.

export type AlertStatus = "open" | "acknowledged" | "closed" | "suppressed";
export type AlertVerdict = "true_positive" | "false_positive";
export interface AlertList {
  readonly alerts: readonly AlertRow[];
  readonly next: string | null;
  /** In the period and for the question, whatever the status asked for. */
  readonly counts: Readonly<Record<AlertStatus, number>>;
  /** List and counts are of this many alerts, the newest, and older ones of the period are not among them; null when all are. */
  readonly of_newest: number | null;
}
export interface AlertRow {
  readonly event: EventRow;
  readonly rule: { readonly id: string; readonly name: string };
  readonly level: Level;
  readonly status: AlertStatus;
  readonly assignee: string | null;
  readonly verdict: AlertVerdict | null;
  readonly notes: number;
  /** Last change of the present, by whom. */
  readonly changed: { readonly at: Time; readonly by: string } | null;
  readonly incident: string | null;
  /** Of records older than the start of the run: told by nobody, shown all the same. */
  readonly backfill: boolean;
}
export interface AlertDetail {
  readonly alert: AlertRow;
  readonly detail: EventDetail;
  readonly history: readonly AlertStep[];
}
export interface AlertStep {
  readonly index: number;
  readonly at: Time;
  readonly by: string;
  readonly transition: AlertTransition;
  readonly note: string | null;
  readonly assignee: string | null;
  readonly verdict: AlertVerdict | null;
  readonly until: Time | null;
  /** Why it changed nothing: it does not follow from the state before. */
  readonly odd: string | null;
}
export type AlertTransition = "acknowledged" | "assigned" | "noted" | "closed" | "reopened" | "suppressed";

/** What an owner says of alerts, 1 to 100 of them (event ids). */
export interface AlertAction {
  readonly alerts: readonly string[];
  readonly transition: AlertTransition;
  /** With `noted` and `suppressed` needed, with others welcome. */
  readonly note?: string;
  /** With `assigned`: a name; empty takes it back. */
  readonly assignee?: string;
  /** With `closed`. */
  readonly verdict?: AlertVerdict;
  /** With `suppressed`: further alerts of the same rule, and of the same value of this field if it is named, are shown as
   * suppressed until then; without `until` only the alerts named are. */
  readonly until?: Time;
  readonly same?: "gen_ai.conversation.id" | "user.name" | "tapline.server.name" | "gen_ai.tool.name";
}
/** Handed to the collector, which alone appends. The present changes when it has (LiveMessage `changed`). */
export interface Submitted {
  readonly submitted: number;
  /** A collector runs, so that it will be recorded at once. */
  readonly collecting: boolean;
}

// Incidents.

export type IncidentStatus = "open" | "acknowledged" | "closed";
export interface IncidentList {
  readonly incidents: readonly IncidentRow[];
}
export interface IncidentRow {
  readonly id: string;
  readonly status: IncidentStatus;
  /** Empty when its opening is not in the store. */
  readonly level: Level | "";
  readonly rule: string;
  /** Field and value that its alerts have in common. */
  readonly by: string;
  readonly group: string;
  readonly alerts: number;
  readonly backfill: boolean;
  readonly opened_at: Time | null;
  readonly acknowledged_at: Time | null;
  readonly acknowledged_by: string | null;
  readonly notified_at: Time | null;
  readonly closed_at: Time | null;
  readonly closed_by: string | null;
  readonly verdict: AlertVerdict | null;
  readonly changed_at: Time;
  readonly deadlines: readonly IncidentDeadline[];
}
export interface IncidentDeadline {
  readonly name: string;
  readonly due: Time;
  readonly until: "acknowledged" | "reported" | "closed";
  readonly met_at: Time | null;
  /** It was not met in time. */
  readonly late: boolean;
}
export interface IncidentDetail {
  readonly incident: IncidentRow;
  /** Titles of the rules of its alerts. */
  readonly rules: readonly string[];
  readonly recipients: readonly string[];
  readonly history: readonly IncidentStep[];
  readonly alerts: readonly AlertRow[];
}
export interface IncidentStep {
  readonly index: number;
  readonly at: Time;
  readonly by: string | null;
  readonly transition: string;
  readonly note: string | null;
  readonly message: string | null;
  readonly odd: string | null;
}
export interface IncidentAction {
  readonly transition: "acknowledged" | "noted" | "notified" | "closed" | "reopened";
  readonly note?: string;
  readonly verdict?: AlertVerdict;
  /** With `notified`, when it was told by hand: whom, and which deadline that meets. */
  readonly recipients?: readonly string[];
  readonly meets?: string;
}
