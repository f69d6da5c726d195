// What an incident is at present, as a document of the index tapline-incident-state. A view: everything in it follows from
// entries of the ledger. Pure.
import type { FIELDS, PRESENT_FIELDS } from "../core/generated/event.ts";
import { type Incident, nextDeadline } from "../incident/present.ts";

type Name = keyof typeof FIELDS | keyof typeof PRESENT_FIELDS | "event.sequence";

function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.round(ms / 1000));
}

/** By dotted names; what is undefined is not there. `host` is that of the collector. */
export function presentFields(one: Incident, host: string | undefined): Partial<Record<Name, unknown>> {
  const next = nextDeadline(one);
  const { opened_at } = one;
  const fields: Partial<Record<Name, unknown>> = {
    "@timestamp": one.changed_at,
    "event.sequence": one.last_index,
    "host.name": host,
    "tapline.backfill": one.backfill ? true : undefined,
    "tapline.incident.id": one.id,
    "tapline.incident.status": one.status,
    "tapline.incident.level": one.level,
    "tapline.incident.rule": one.rule,
    "tapline.incident.group.by": one.by,
    "tapline.incident.group.value": one.group,
    "tapline.incident.alert_count": one.alerts,
    "tapline.incident.alert_ids": one.alert_ids,
    "tapline.incident.rules": one.rules,
    "tapline.incident.window.start": one.from,
    "tapline.incident.window.end": one.to,
    "tapline.incident.deadline.name": next?.name,
    "tapline.incident.deadline.due": next?.due,
    "tapline.incident.deadline.passed": one.deadlines.filter(isPassed).map(({ name }) => name),
    "tapline.incident.verdict": one.verdict,
    "tapline.incident.notice.recipients": one.recipients,
    "tapline.incident.opened_at": opened_at,
    "tapline.incident.acknowledged_at": one.acknowledged_at,
    "tapline.incident.acknowledged_by": one.acknowledged_by,
    "tapline.incident.notified_at": one.notified_at,
    "tapline.incident.closed_at": one.closed_at,
    "tapline.incident.closed_by": one.closed_by,
    "tapline.incident.seconds.detect": secondsBetween(one.from, opened_at),
    "tapline.incident.seconds.acknowledge": secondsBetween(opened_at, one.acknowledged_at),
    "tapline.incident.seconds.notify": secondsBetween(opened_at, one.notified_at),
    "tapline.incident.seconds.close": secondsBetween(opened_at, one.closed_at),
    "tapline.incident.odd": one.odd,
  };
  if (one.by === "user.name" || one.by === "gen_ai.conversation.id" || one.by === "tapline.server.name")
    fields[one.by] = one.group;
  return fields;
}

/** Passed before it was met: as was told, or as it was met too late. */
const isPassed = (deadline: Incident["deadlines"][number]): boolean =>
  deadline.passed === true || (deadline.met_at !== undefined && deadline.met_at > deadline.due);

/** The document, nested as events are. */
export function presentDocument(one: Incident, host: string | undefined): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(presentFields(one, host))) {
    if (value === undefined || value === "") continue;
    const keys = name.split(".");
    let at = document;
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[keys.at(-1)!] = value;
  }
  return document;
}
