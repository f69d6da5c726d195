// The alerts of one batch by the incident that they fall to, so that each incident has one event a batch. Pure.
import { type Transition, rankOf } from "../core/incident.ts";
import type { Candidate } from "./candidates.ts";
import type { IncidentRule } from "./config.ts";
import type { HeldIncident } from "./grouping.ts";
import type { Incident } from "./present.ts";

/** Alerts of one batch that fall to one incident. */
export interface AlertBatch {
  readonly rule: IncidentRule;
  readonly first: Candidate;
  readonly ids: string[];
  readonly titles: Set<string>;
  level: string;
  readonly held: HeldIncident | undefined;
  readonly first_ms: number;
}

export const keyOf = ({ by, field, group }: Candidate): string => `${by}\u0000${field}\u0000${group}`;

/** `find` gives the incident of a rule and group whose window an alert falls into. First alerts of incidents of one
 * group lie a window apart, so that no two have the same id. */
export function batchesOf(
  candidates: readonly Candidate[],
  rules: ReadonlyMap<string, IncidentRule>,
  find: (key: string, time_ms: number, window_ms: number) => HeldIncident | undefined,
): AlertBatch[] {
  const batches: AlertBatch[] = [];
  const by_key = new Map<string, AlertBatch[]>();
  for (const one of candidates) {
    const rule = rules.get(one.by);
    if (rule === undefined || Number.isNaN(one.time_ms)) continue;
    const key = keyOf(one);
    const of = by_key.get(key) ?? [];
    by_key.set(key, of);
    let batch = of.find(({ first_ms }) => Math.abs(one.time_ms - first_ms) < rule.window_ms);
    if (batch === undefined) {
      const held = find(key, one.time_ms, rule.window_ms);
      const first_ms = held?.first_ms ?? one.time_ms;
      batch = { rule, first: one, ids: [], titles: new Set(), level: one.level, held, first_ms };
      of.push(batch);
      batches.push(batch);
    }
    batch.ids.push(one.alert);
    batch.titles.add(one.title);
    if (rankOf(one.level) > rankOf(batch.level)) batch.level = one.level;
  }
  return batches;
}

/** What more alerts are to an incident. Of what was closed as false, only something else opens it again. */
export function transitionOf(incident: Incident, { titles, level }: AlertBatch): Transition {
  const higher = rankOf(level) > rankOf(incident.level);
  if (incident.status !== "closed") return higher ? "escalated" : "joined";
  const judged = incident.verdict === "false_positive" && !higher;
  return judged && [...titles].every((title) => incident.rules.includes(title)) ? "joined" : "reopened";
}
