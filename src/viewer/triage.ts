// The present of alerts: what was said of them, in the order of the ledger. Pure.
import { TRIAGE, type SameField, type TriageTransition } from "../core/triage.ts";
import type { AlertStatus, AlertStep, AlertVerdict } from "./api.ts";
import { type Row, textOf } from "./rows.ts";
import { isoOf } from "./times.ts";

/** Fields that the present is made of. */
export const TRIAGE_FIELDS = [
  "event.sequence",
  "@timestamp",
  "user.name",
  "user.id",
  "rule.id",
  "tapline.triage.transition",
  "tapline.triage.alert_ids",
  "tapline.triage.assignee",
  "tapline.triage.verdict",
  "tapline.triage.note",
  "tapline.triage.until",
  "tapline.triage.same.field",
  "tapline.triage.same.value",
] as const;

/** Of an alert, what decides on its present. */
export interface Light {
  readonly index: number;
  readonly ms: number;
  readonly id: string;
  readonly rule: string;
  readonly level: string;
  readonly backfill: boolean;
  readonly same: Readonly<Record<SameField, string>>;
}

export interface Present {
  readonly status: AlertStatus;
  readonly assignee: string | null;
  readonly verdict: AlertVerdict | null;
  readonly notes: number;
  readonly changed: { readonly at: string; readonly by: string } | null;
}

interface Suppression {
  readonly index: number;
  readonly rule: string;
  readonly field: string;
  readonly value: string;
  readonly until_ms: number;
}

type Draft = { -readonly [K in keyof Present]: Present[K] } & { history: AlertStep[] };

const begin = (): Draft => ({
  status: "open",
  assignee: null,
  verdict: null,
  notes: 0,
  changed: null,
  history: [],
});
const UNTOUCHED: Present = begin();

/** What was said of all alerts. */
export class Presents {
  readonly #of = new Map<string, Draft>();
  readonly #suppressions: Suppression[] = [];

  /** `rows` in the order of the ledger. */
  constructor(rows: readonly Row[]) {
    for (const row of rows) this.#apply(row);
  }

  of(alert: Light): Present {
    const present = this.#of.get(alert.id) ?? UNTOUCHED;
    if (present.status !== "open" || !this.#isSuppressed(alert)) return present;
    return { ...present, status: "suppressed" };
  }

  history(id: string): readonly AlertStep[] {
    return this.#of.get(id)?.history ?? [];
  }

  #isSuppressed(alert: Light): boolean {
    return this.#suppressions.some(
      ({ index, rule, field, value, until_ms }) =>
        alert.index > index &&
        alert.rule === rule &&
        alert.ms < until_ms &&
        (field === "" || alert.same[field as SameField] === value),
    );
  }

  #apply(row: Row): void {
    const transition = TRIAGE.find((one) => one === row["tapline.triage.transition"]);
    const alerts = row["tapline.triage.alert_ids"];
    if (transition === undefined || !Array.isArray(alerts)) return;
    const step: AlertStep = {
      index: Number(row["event.sequence"]),
      at: isoOf(Number(row["@timestamp"])),
      by: textOf(row["user.name"]) || textOf(row["user.id"]),
      transition,
      note: textOf(row["tapline.triage.note"]) || null,
      assignee: transition === "assigned" ? textOf(row["tapline.triage.assignee"]) : null,
      verdict: verdictOf(row["tapline.triage.verdict"]),
      until: typeof row["tapline.triage.until"] === "number" ? isoOf(row["tapline.triage.until"]) : null,
      odd: null,
    };
    for (const id of alerts as string[]) {
      const draft = this.#of.get(id) ?? begin();
      this.#of.set(id, draft);
      const odd = move(draft, step);
      draft.history.push({ ...step, odd });
      if (odd === null) draft.changed = { at: step.at, by: step.by };
    }
    const rule = textOf(row["rule.id"]);
    if (transition === "suppressed" && step.until !== null && rule !== "") {
      this.#suppressions.push({
        index: step.index,
        rule,
        field: textOf(row["tapline.triage.same.field"]),
        value: textOf(row["tapline.triage.same.value"]),
        until_ms: Number(row["tapline.triage.until"]),
      });
    }
  }
}

function verdictOf(value: unknown): AlertVerdict | null {
  return value === "true_positive" || value === "false_positive" ? value : null;
}

/** Changes the present, or says why the transition does not follow from it. */
function move(now: Draft, { transition, note, assignee, verdict }: AlertStep): string | null {
  const allowed: Readonly<Record<TriageTransition, readonly AlertStatus[]>> = {
    acknowledged: ["open", "suppressed"],
    assigned: ["open", "acknowledged", "suppressed"],
    noted: ["open", "acknowledged", "suppressed", "closed"],
    closed: ["open", "acknowledged", "suppressed"],
    reopened: ["closed", "suppressed", "acknowledged"],
    suppressed: ["open", "acknowledged"],
  };
  if (!allowed[transition].includes(now.status)) return `it is ${now.status}`;
  if (note !== null) now.notes++;
  if (transition === "acknowledged" || transition === "closed" || transition === "suppressed")
    now.status = transition;
  if (transition === "reopened") now.status = "open";
  if (transition === "assigned") now.assignee = assignee === "" ? null : assignee;
  now.verdict = transition === "closed" ? verdict : transition === "reopened" ? null : now.verdict;
  return null;
}
