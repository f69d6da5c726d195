// Controls and rules in the contract of api.ts.
import type { AlertRow } from "./api-alerts.ts";
import type { ExhibitHeader } from "./api-dashboards.ts";
import type { EventRow } from "./api-events.ts";
import type { Level, Time } from "./api.ts";

// Controls.

export interface ControlList {
  readonly framework: string;
  readonly map_version: string;
  readonly controls: readonly ControlRow[];
}
export interface ControlRow {
  readonly id: string;
  readonly title: string;
  /** `none`: not collected here. Never add these up to a share of all controls. */
  readonly evidence: "direct" | "supporting" | "none";
  /** What events show of it, or what is needed in place of them. */
  readonly shows: string;
  /** The map's questions, which find that evidence; null where nothing is evidence so. */
  readonly q: { readonly direct: string | null; readonly supporting: string | null };
  /** Events in the period that are direct or supporting evidence. */
  readonly direct: number;
  readonly supporting: number;
  readonly first: Time | null;
  readonly last: Time | null;
}
export interface ControlDetail {
  readonly control: ControlRow;
  readonly header: ExhibitHeader;
  readonly classes: readonly {
    readonly action: string;
    readonly strength: "direct" | "supporting";
    readonly events: number;
    readonly last: Time;
  }[];
  /** The newest evidence. */
  readonly events: readonly EventRow[];
  /** Related places in other frameworks, of the direct controls. */
  readonly crosswalk: { readonly nist_ai_rmf: readonly string[]; readonly eu_ai_act: readonly string[] };
}

// Rules.

export interface RuleList {
  readonly ruleset: string;
  readonly rules: readonly RuleRow[];
}
export interface RuleRow {
  readonly id: string;
  readonly title: string;
  readonly level: Level;
  /** In the set in force now; false for rules that are gone and have hits. */
  readonly loaded: boolean;
  readonly hits: number;
  readonly sessions: number;
  readonly last: Time | null;
  readonly techniques: readonly string[];
}
export interface RuleDetail {
  readonly rule: RuleRow;
  readonly description: string | null;
  readonly references: readonly string[];
  readonly false_positives: readonly string[];
  /** The rule as it is written; null when it is not loaded. */
  readonly source: string | null;
  readonly hits: readonly AlertRow[];
  readonly histogram: {
    readonly step_ms: number;
    readonly times: readonly number[];
    readonly values: readonly number[];
  };
}
