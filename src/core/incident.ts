// The words of incidents, shared by the stages that make, read and send them. Knows no stage.

export const LEVELS = ["informational", "low", "medium", "high", "critical"] as const;
export type Level = (typeof LEVELS)[number];

/** The place of a level among them; -1 when it is none. */
export const rankOf = (level: string | undefined): number => LEVELS.indexOf(level as Level);

/** What a person or a sink says of an incident: these come through the spool. */
export const SUBMITTED = ["acknowledged", "noted", "notified", "closed", "reopened"] as const;
export type Submitted = (typeof SUBMITTED)[number];

/** What can happen to an incident. The others are the collector's own. */
export const TRANSITIONS = [...SUBMITTED, "opened", "joined", "escalated", "overdue"] as const;
export type Transition = (typeof TRANSITIONS)[number];

export const VERDICTS = ["true_positive", "false_positive"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What meets a deadline: an acknowledgement, a notification that names it, or the end. */
export const UNTIL = ["acknowledged", "reported", "closed"] as const;
export type Until = (typeof UNTIL)[number];

/** As an event holds the deadlines that apply, by name. */
export type DueDates = Readonly<Record<string, { readonly due: string; readonly until: Until }>>;

/** One record of the collector's own submissions, a line of its spool. */
export interface Submission {
  readonly submit: "incident";
  readonly ts: string;
  /** The operating system's user, as the process that submits is told. */
  readonly user: { readonly name: string; readonly id: string };
  /** Absent where a notification tells of an alert alone. */
  readonly incident?: string | undefined;
  readonly transition: Submitted;
  readonly note?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly deadlines?: DueDates | undefined;
  /** Name of the deadline that a notification meets. */
  readonly meets?: string | undefined;
  readonly notice?: Notice | undefined;
}

/** What is handed in to be recorded: who and when are added. */
export type Said = Omit<Submission, "submit" | "ts" | "user">;

/** One sending of a notification, and what came of it. */
export interface Notice {
  readonly id: string;
  readonly channel: string;
  readonly sink?: string | undefined;
  readonly recipients: readonly string[];
  readonly answer?: string | undefined;
  readonly attempts?: number | undefined;
  readonly repeat?: boolean | undefined;
  readonly delivered: boolean;
  /** Event that is told of. */
  readonly cause?: string | undefined;
}

/** Source of every collector, by this name in status and events: submissions are believed from no other. */
export const SUBMISSIONS = "tapline-submissions";

/** Ids of incidents are digests. */
export const INCIDENT_ID = /^[0-9a-f]{32}$/;
/** Names of rules and deadlines. */
export const PLAIN_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
