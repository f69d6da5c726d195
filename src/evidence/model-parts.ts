// What a report says beside its controls: what was heard, what the ledger rests on and how far back it reaches, what became of alerts and
// incidents, and the harms of the impact assessment. A part of model.ts, from where it is imported.
import type { Count } from "./model.ts";

export interface SourceCoverage {
  readonly name: string;
  /** Heartbeats and stops in the period that expected it, and those that had heard nothing from it. */
  readonly expected: number;
  readonly silent: number;
}

export interface Coverage {
  readonly sources: readonly SourceCoverage[];
  /** By reason. */
  readonly gaps: readonly Count[];
  /** Records that could not be read. */
  readonly unparsable: number;
  /** Calls in a transcript without a decision, and decisions that no transcript shows. */
  readonly bypasses: number;
  readonly holes: number;
  /** Longest time between two signs of life of the collector, seconds, and when it began. */
  readonly longest_silence: { readonly seconds: number; readonly from: string } | null;
  readonly starts: number;
  readonly stops: number;
  /** Of the newest count in the period: read = recorded + merged + skipped, since the ledger began. */
  readonly records: {
    readonly read: number;
    readonly recorded: number;
    readonly merged: number;
    readonly skipped: number;
    readonly by_reason: Readonly<Record<string, number>>;
  } | null;
  /** By sink: entries that did not arrive, as the collector last said. */
  readonly dead_letters: readonly Count[];
}

export interface Integrity {
  readonly origin: string;
  /** The log's key, as verifiers take it. */
  readonly vkey: string;
  /** Those that it had before, the newest first, each with the time at which the ledger says that it came and that it signed
   * no more; null where it says nothing. */
  readonly earlier: readonly {
    readonly vkey: string;
    readonly from: string | null;
    readonly until: string | null;
  }[];
  /** Entries in the ledger when the report was begun. */
  readonly entries: number;
  /** The newest checkpoint: entries that it covers, and their root in base64. */
  readonly covered: number;
  readonly root: string;
  /** The newest cosigned one; null when there is none. */
  readonly cosigned: {
    readonly size: number;
    readonly root: string;
    readonly by: readonly { readonly witness: string; readonly at: string }[];
  } | null;
  /** What is in force, in sentences. */
  readonly rungs: readonly string[];
  /** Events of the period that the newest checkpoint does not cover, and the newest cosigned one. */
  readonly open: number;
  readonly unwitnessed: number;
  /** Checkpoints that anchors kept elsewhere and that are in the pack. */
  readonly kept: number;
}

export interface Retention {
  /** Time of the oldest event in the ledger; null when it is empty. */
  readonly oldest: string | null;
  readonly newest: string | null;
  /** Whole days between them. */
  readonly days: number;
  /** Index of the first entry that is still there. */
  readonly first_index: number;
  /** What is deleted when, in sentences. */
  readonly said: readonly string[];
}

export interface ExceptionRow {
  readonly kind: "alert" | "incident";
  readonly id: string;
  /** When it was raised or opened. */
  readonly at: string;
  readonly level: string;
  /** Foreign text: escape it. */
  readonly about: string;
  readonly status: string;
  /** `true_positive`, `false_positive`, or nothing. */
  readonly verdict: string;
  readonly closed_at: string;
  readonly closed_by: string;
  /** Deadlines that passed before they were met, by name. */
  readonly late: readonly string[];
}

export interface Exceptions {
  readonly alerts: {
    readonly all: number;
    readonly by_level: readonly Count[];
    readonly by_status: readonly Count[];
    readonly by_rule: readonly Count[];
  };
  readonly incidents: {
    readonly all: number;
    readonly open: number;
    readonly closed: number;
    readonly late: number;
  };
  /** Open ones first, by level; at most `LIMITS.report_exceptions` of each kind. */
  readonly rows: readonly ExceptionRow[];
  /** Those that are not among the rows. */
  readonly unlisted: number;
}

export interface HarmRule {
  readonly id: string;
  readonly title: string;
  /** Alerts of it in the period, and those of them that are closed. */
  readonly alerts: number;
  readonly closed: number;
  /** Events in the period of the classes that it looks at: without any it cannot tell anything. */
  readonly events: number;
  /** Why it matches nothing now: placeholders without values, or an error; undefined of a rule that runs. */
  readonly idle?: string | undefined;
}

/** A harm of the organisation's impact assessment and what watches for it. */
export interface Harm {
  readonly id: string;
  readonly description: string;
  readonly controls: readonly string[];
  readonly rules: readonly HarmRule[];
  /** Rules that are named and not loaded. */
  readonly missing: readonly string[];
  readonly treated: boolean;
  /** Why it is untreated, in a sentence. */
  readonly untreated?: string | undefined;
}
