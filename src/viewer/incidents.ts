// Incidents as the store and the ledger after it show them: their events in order, and what these come to.
import { LIMITS } from "../core/limits.ts";
import { flatten } from "../core/flatten.ts";
import { isLate, type Incident, type Step } from "../incident/present.ts";
import { type Replayed, replayed } from "../incident/replay.ts";
import type { AlertVerdict, IncidentRow, IncidentStep, Level } from "./api.ts";
import type { Database, View } from "./database.ts";
import { RareRows } from "./find.ts";

/** Told by who made them: what a mapping makes of somebody's records is no word of the collector. */
const OURS = `"event.action" = 'incident' AND "tapline.vantage" = 'self' AND "tapline.incident.id" IS NOT NULL`;

export class Incidents {
  readonly #rows: RareRows;
  #made: { readonly key: string; readonly all: Map<string, Replayed> } | undefined;

  constructor(database: Database) {
    this.#rows = new RareRows(database, ["event.sequence", "entry"], OURS, LIMITS.viewer_triage);
  }

  /** All incidents by id, the one that changed last first. */
  async all(view: View, signal: AbortSignal): Promise<ReadonlyMap<string, Replayed>> {
    const rows = await this.#rows.rows(view, signal);
    const key = `${rows.length} ${String(rows.at(-1)?.["event.sequence"])}`;
    if (this.#made?.key !== key) {
      const placed = rows.map((row) => ({
        index: Number(row["event.sequence"]),
        step: flatten(JSON.parse(String(row["entry"])) as object) as Step,
      }));
      const all = [...replayed(placed)].toSorted(
        ([, a], [, b]) => b.incident.last_index - a.incident.last_index,
      );
      this.#made = { key, all: new Map(all) };
    }
    return this.#made.all;
  }

  /** Incident of each alert that belongs to one. */
  async byAlert(view: View, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const of = new Map<string, string>();
    for (const [id, { told }] of await this.all(view, signal))
      for (const { step } of told)
        for (const alert of step["tapline.incident.alert_ids"] ?? []) of.set(alert, id);
    return of;
  }
}

export function rowOfIncident(incident: Incident, now: string): IncidentRow {
  return {
    id: incident.id,
    status: incident.status,
    level: incident.level as Level | "",
    rule: incident.rule,
    by: incident.by,
    group: incident.group,
    alerts: incident.alerts,
    backfill: incident.backfill,
    opened_at: incident.opened_at ?? null,
    acknowledged_at: incident.acknowledged_at ?? null,
    acknowledged_by: incident.acknowledged_by ?? null,
    notified_at: incident.notified_at ?? null,
    closed_at: incident.closed_at ?? null,
    closed_by: incident.closed_by ?? null,
    verdict: (incident.verdict as AlertVerdict | undefined) ?? null,
    changed_at: incident.changed_at,
    deadlines: incident.deadlines.map((deadline) => ({
      name: deadline.name,
      due: deadline.due,
      until: deadline.until,
      met_at: deadline.met_at ?? null,
      late: isLate(deadline, now),
    })),
  };
}

export function historyOf({ told }: Replayed): IncidentStep[] {
  return told.map(({ index, step, odd }) => ({
    index,
    at: step["@timestamp"] ?? "",
    by: step["user.name"] ?? step["user.id"] ?? null,
    transition: step["tapline.incident.transition"] ?? "",
    note: step["tapline.incident.note"] ?? null,
    message: step["message"] ?? null,
    odd: odd ?? null,
  }));
}
