// What a report says, as plain data: made once, from the ledger's events, the statement of applicability and the checks,
// and then written as pages, tables, PDF and other formats, none of which asks anything again. Counts are of events that
// were recorded; nothing here is a share of all controls, and nothing says that a control is met.

import type { Coverage, Exceptions, Harm, Integrity, Retention } from "./model-parts.ts";

export type * from "./model-parts.ts";

/** What an event can show of a control. `none`: nothing here speaks to it. */
export type Evidence = "direct" | "supporting" | "none";
/** How strong an event is as evidence of a control. */
export type Strength = "direct" | "supporting";

export const STATUSES = ["implemented", "partial", "planned", "not-implemented"] as const;
/** What the organisation says of a control. */
export type SoaStatus = (typeof STATUSES)[number];

/** A row of the organisation's statement of applicability. Dates are days, `2026-11-28`. Texts are the organisation's. */
export interface SoaRow {
  readonly applicable: boolean;
  /** Why it applies, or why it does not; "" when nothing is said. */
  readonly justification: string;
  /** Absent when it does not apply. */
  readonly status?: SoaStatus | undefined;
  /** With `planned`, the day by which. */
  readonly planned_for?: string | undefined;
  readonly owner: string;
  /** Where the document or process is. */
  readonly reference: string;
  /** Day of the last review. */
  readonly last_review?: string | undefined;
}

/** The statement of applicability that the report was made with. */
export interface SoaHead {
  readonly organisation: string;
  readonly scope: string;
  readonly version: string;
  readonly approved_by: string;
  readonly approved_on: string;
  /** `sha256:…` of the file. */
  readonly digest: string;
}

/** What the report comes to for one control.
 * `gap`: the organisation says implemented or partial, and there is no evidence in the period.
 * `evidence`: there are events in the period.
 * `document`: no event speaks to it; the statement names a document, which Tapline has not seen.
 * `nothing`: there is no evidence, and nothing was claimed.
 * `not-applicable`: the statement says so. */
export type ControlResult = "gap" | "evidence" | "document" | "nothing" | "not-applicable";

export interface Count {
  /** A recorded text, foreign: escape it. */
  readonly name: string;
  readonly events: number;
  /** Of the last row of a list that is cut: how many further names it stands for; its own is empty. */
  readonly more?: number | undefined;
}

export interface ClassCount {
  /** `event.action`. */
  readonly action: string;
  readonly strength: Strength;
  readonly events: number;
  /** Time of the newest, UTC, ISO 8601. */
  readonly last: string;
}

/** A check of a control that the collector or somebody made, by its newest result in the period. */
export interface CheckResult {
  readonly name: string;
  readonly outcome: "pass" | "fail" | "unknown";
  readonly detail: string;
  readonly at: string;
  /** Entry in the ledger. */
  readonly index: number;
  readonly controls: readonly string[];
  /** Results of this check in the period, by outcome. */
  readonly counts: { readonly pass: number; readonly fail: number; readonly unknown: number };
}

/** The same subject elsewhere. */
export interface SameSubject {
  /** `MEASURE 2.4`, `12(1)`. */
  readonly id: string;
  readonly confidence: "high" | "medium" | "low";
  /** Keys of `Report.crosswalk.sources`. */
  readonly sources: readonly string[];
}

export interface ControlReport {
  /** `A.6.2.6`. */
  readonly id: string;
  readonly title: string;
  readonly evidence: Evidence;
  /** What the evidence is, or would be. */
  readonly shows: string;
  /** The questions behind the counts, in the search language of the viewer. */
  readonly query: { readonly direct?: string | undefined; readonly supporting?: string | undefined };
  readonly result: ControlResult;
  /** Why it is a gap, in a sentence. */
  readonly gap?: string | undefined;
  /** Undefined without a statement of applicability, or when it has no such row. */
  readonly soa?: SoaRow | undefined;
  /** Events in the period. */
  readonly direct: number;
  readonly supporting: number;
  /** Times of the first and last of them; null when there are none. */
  readonly first: string | null;
  readonly last: string | null;
  readonly classes: readonly ClassCount[];
  /** The largest, and what the others come to. */
  readonly agents: readonly Count[];
  readonly servers: readonly Count[];
  readonly checks: readonly CheckResult[];
  /** What was drawn for it, by `SampledEvent.index`, in the order of the draw. */
  readonly sample: readonly number[];
  /** Events from which that was drawn: those of the control's own strength that a checkpoint covers. */
  readonly population: number;
  readonly crosswalk: {
    readonly nist_ai_rmf: readonly SameSubject[];
    readonly eu_ai_act: readonly SameSubject[];
  };
}

/** `gap`: something is missing where something was said to be; the exit code is 1. `note`: worth a look. */
export type FindingLevel = "gap" | "note";

export interface Finding {
  readonly level: FindingLevel;
  readonly kind: "control" | "statement" | "check" | "harm" | "integrity" | "coverage";
  /** One sentence. */
  readonly text: string;
  /** Controls that it is about. */
  readonly controls: readonly string[];
}

export interface SampledEvent {
  /** Place in the ledger. */
  readonly index: number;
  /** Leaf hash, `sha256:<hex>`. */
  readonly hash: string;
  readonly id: string;
  readonly time: string;
  readonly action: string;
  /** Foreign texts: escape them. */
  readonly agent: string;
  readonly server: string;
  readonly tool: string;
  readonly user: string;
  readonly outcome: string;
  /** What was done: its message, else its command, file or address. */
  readonly message: string;
  /** Path in the pack. */
  readonly proof: string;
  /** Witnesses whose cosignature the proof's checkpoint bears; none: it rests on the log's key alone. */
  readonly witnesses: readonly string[];
}

export interface Sample {
  readonly seed: number;
  /** Drawn for each control, at most. */
  readonly size: number;
  /** How it is drawn, so that others can. */
  readonly algorithm: string;
  /** Entries [0, covered) of the ledger are those that were drawn from: those that a checkpoint covers. */
  readonly covered: number;
  /** By index. */
  readonly events: readonly SampledEvent[];
}

/** A place of another framework, with the controls that are about the same subject. */
export interface CrosswalkRow {
  readonly id: string;
  readonly controls: readonly {
    readonly id: string;
    readonly confidence: SameSubject["confidence"];
    readonly sources: readonly string[];
    readonly events: number;
  }[];
}

export interface PackFile {
  /** Relative to the pack, with `/`. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface Report {
  readonly format: "tapline-report-1";
  /** When it was made. All times are UTC, ISO 8601. */
  readonly made_at: string;
  readonly made_by: string;
  /** Version of Tapline. */
  readonly version: string;
  readonly host: string;
  /** [from, to), by the time of the events. `asked` is what the command line said, in its own time zone. */
  readonly period: {
    readonly from: string;
    readonly to: string;
    readonly time_zone: "UTC";
    readonly asked: { readonly from: string | null; readonly to: string | null };
  };
  readonly map: { readonly framework: string; readonly version: string; readonly digest: string };
  readonly soa: SoaHead | null;
  /** Those asked for, gaps first, then in the order of the map. */
  readonly controls: readonly ControlReport[];
  /** Gaps first. */
  readonly findings: readonly Finding[];
  readonly events: {
    /** All events of the period, whatever they are evidence for. */
    readonly all: number;
    readonly sessions: number;
    readonly classes: readonly Count[];
    readonly agents: readonly Count[];
    readonly servers: readonly Count[];
  };
  readonly coverage: Coverage;
  readonly retention: Retention;
  readonly integrity: Integrity;
  readonly sample: Sample;
  readonly exceptions: Exceptions;
  /** Null without an impact file. */
  readonly harms: readonly Harm[] | null;
  readonly crosswalk: {
    readonly sources: Readonly<Record<string, string>>;
    readonly nist_ai_rmf: readonly CrosswalkRow[];
    readonly eu_ai_act: readonly CrosswalkRow[];
  };
  /** What this evidence does not cover, in sentences. */
  readonly limits: readonly string[];
}

/** What a writer of another format is handed: the report, and the files of the pack that are written already. */
export interface Pack {
  readonly report: Report;
  readonly files: readonly PackFile[];
}
