// Events of incidents that the collector makes itself. Decides nothing: what happened is handed in.
import { createDigest } from "../core/digest.ts";
import { type Origin, eventOf } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import type { DueDates, Level, Transition } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { fromMs } from "../core/time.ts";
import { said } from "../core/said.ts";
import { RISK } from "../detect/alert.ts";
import type { Deadline, Incident, Status } from "./present.ts";

const digest = createDigest("tapline incident event");
const TOLD_TITLES = 3;

/** Alerts that opened an incident, or came to it. */
export interface Joined {
  readonly id: string;
  readonly rule: string;
  readonly by: string;
  readonly group: string;
  readonly backfill: boolean;
  readonly transition: Transition;
  readonly status: Status;
  readonly level: string;
  /** The alerts that are new, and the titles of their rules. */
  readonly ids: readonly string[];
  readonly titles: readonly string[];
  /** All alerts so far. */
  readonly alerts: number;
  readonly deadlines: DueDates;
  readonly from_ms?: number;
  readonly to_ms?: number;
}

/** Fields that tell whom an incident concerns, where it is grouped by them. The user of an event is who did it. */
const CONCERNS = ["gen_ai.conversation.id", "tapline.server.name"] as const;

type About = Pick<Joined, "id" | "rule" | "by" | "group" | "backfill" | "level">;

function begin(origin: Origin, about: About, transition: Transition, now_ms: number, key: string): Event {
  const e = eventOf("incident", origin);
  const now = fromMs(now_ms)!;
  e["@timestamp"] = now;
  e["event.created"] = now;
  e["event.id"] = digest([about.id, transition, key].join("\u0000"));
  e["tapline.vantage"] = "self";
  if (about.backfill) e["tapline.backfill"] = true;
  e["tapline.incident.id"] = about.id;
  e["tapline.incident.transition"] = transition;
  e["tapline.incident.rule"] = about.rule;
  e["tapline.incident.level"] = about.level;
  e["tapline.incident.group.by"] = about.by;
  e["tapline.incident.group.value"] = about.group;
  e["event.severity"] = RISK[about.level as Level];
  for (const field of CONCERNS) if (about.by === field) e[field] = about.group;
  return e;
}

export function incidentEvent(origin: Origin, joined: Joined, now_ms: number): Event {
  const { transition, ids, titles, alerts, from_ms, to_ms, deadlines } = joined;
  const e = begin(origin, joined, transition, now_ms, ids[0] ?? "");
  e["tapline.incident.status"] = joined.status;
  e["tapline.incident.alert_ids"] = ids.slice(0, LIMITS.incident_evidence);
  if (ids.length > LIMITS.incident_evidence) e["tapline.data.truncated"] = ["tapline.incident.alert_ids"];
  e["tapline.incident.alert_count"] = alerts;
  e["tapline.incident.rules"] = titles.slice(0, LIMITS.incident_evidence);
  if (from_ms !== undefined) e["tapline.incident.window.start"] = fromMs(from_ms);
  if (to_ms !== undefined) e["tapline.incident.window.end"] = fromMs(to_ms);
  if (Object.keys(deadlines).length > 0) e["tapline.incident.deadlines"] = deadlines;
  const told = titles.slice(0, TOLD_TITLES).join(", ");
  const more = titles.length > TOLD_TITLES ? ` and ${titles.length - TOLD_TITLES} more` : "";
  const what = `${ids.length} ${ids.length === 1 ? "alert" : "alerts"}`;
  e["message"] =
    `incident ${transition} (${joined.level}), ${joined.by} ${said(joined.group, 0)}: ${what}: ${told}${more}`;
  return e;
}

/** A deadline that passed. */
export function overdueEvent(origin: Origin, incident: Incident, deadline: Deadline, now_ms: number): Event {
  const e = begin(origin, incident, "overdue", now_ms, `${deadline.name} ${deadline.due}`);
  e["tapline.incident.status"] = incident.status;
  e["tapline.incident.alert_count"] = incident.alerts;
  e["tapline.incident.deadline.name"] = deadline.name;
  e["tapline.incident.deadline.due"] = deadline.due;
  e["event.outcome"] = "failure";
  e["message"] =
    `incident overdue (${incident.level}), ${incident.by} ${said(incident.group, 0)}: not ${deadline.until} by ${deadline.due}`;
  return e;
}
