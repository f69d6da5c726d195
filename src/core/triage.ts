// The words of what people do in the viewer, shared by those who submit it and the format that reads it. Knows no stage.
import type { Verdict } from "./incident.ts";

export const TRIAGE = ["acknowledged", "assigned", "noted", "closed", "reopened", "suppressed"] as const;
export type TriageTransition = (typeof TRIAGE)[number];

/** Fields by which further alerts of a rule may be suppressed. */
export const SAME = [
  "gen_ai.conversation.id",
  "user.name",
  "tapline.server.name",
  "gen_ai.tool.name",
] as const;
export type SameField = (typeof SAME)[number];

export const EXPORTS = ["events", "alerts", "panel", "evidence"] as const;
export type ExportKind = (typeof EXPORTS)[number];

interface By {
  readonly ts: string;
  readonly user: { readonly name: string; readonly id: string };
}

/** One record of the collector's own submissions: what somebody said of alerts. */
export interface TriageSubmission extends By {
  readonly submit: "triage";
  readonly alerts: readonly string[];
  readonly transition: TriageTransition;
  readonly note?: string | undefined;
  readonly assignee?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly until?: string | undefined;
  /** The rule whose alerts are suppressed, and what they have in common. */
  readonly rule?: string | undefined;
  readonly same?: { readonly field: SameField; readonly value: string } | undefined;
}

/** What left the viewer. */
export interface ExportSubmission extends By {
  readonly submit: "export";
  readonly kind: ExportKind;
  readonly subject?: string | undefined;
  readonly query?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly indexes?: readonly number[] | undefined;
}
