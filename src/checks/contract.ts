// What a check of a control is: a name, and a finding with a sentence for whoever reads it. Types and names only.

export const CHECKS = [
  "retention",
  "sources",
  "ledger",
  "witness",
  "policy",
  "alerts",
  "incidents",
  "inventory",
] as const;
export type CheckName = (typeof CHECKS)[number];

/** `unknown`: it could not be told, which is neither. */
export type Outcome = "pass" | "fail" | "unknown";

export interface Finding {
  readonly outcome: Outcome;
  /** One sentence. */
  readonly detail: string;
  /** What it is about: a finding about something else is recorded anew, one whose figures alone moved is not. */
  readonly about?: string;
}

/** What is known of a check, also after a restart. */
export interface CheckState extends Finding {
  /** When it was last made, since when its outcome stands, and when it was last recorded; ms since 1970. */
  readonly at_ms: number;
  readonly since_ms: number;
  readonly recorded_ms: number;
}

/** Controls that a check bears on beside those of every check, as tags of rules name them. */
export const CHECK_TAGS: Readonly<Record<CheckName, readonly string[]>> = {
  retention: [],
  sources: [],
  ledger: [],
  witness: [],
  policy: ["iso42001.a.9.2"],
  alerts: ["iso42001.a.8.4"],
  incidents: ["iso42001.a.8.4"],
  inventory: ["iso42001.a.4.4", "iso42001.a.10.3"],
};
