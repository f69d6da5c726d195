// The collector's own submissions: what people and sinks say of incidents and alerts, and what left the viewer, through the
// spool (core/incident.ts and core/triage.ts have the records). Only a stream of the collector's own source is believed, and only one that lies in a spool under the name of one
// is taken for the format, so that no text that somebody else wrote can speak of incidents. What the collector decides itself (opened, overdue) is not taken from a record.
import type { Event } from "../../core/generated/event.ts";
import {
  type DueDates,
  INCIDENT_ID,
  PLAIN_NAME,
  SUBMISSIONS,
  SUBMITTED,
  type Submitted,
  UNTIL,
  VERDICTS,
} from "../../core/incident.ts";
import { LIMITS } from "../../core/limits.ts";
import { parseTime } from "../../core/time.ts";
import {
  type Fields,
  type Format,
  type Scope,
  asHeld,
  asList,
  asNumber,
  asObject,
  asText,
} from "../format.ts";
import { cut, oneOf, setUser } from "./tapline-parts.ts";
import { mapErasure } from "./tapline-erasure.ts";
import { mapExport, mapTriage } from "./tapline-viewer.ts";

const SPOOLED = /(?:^|[/\\])self-\d+-[0-9a-f]{16}\.\d+\.(?:spool|done|spool\.done)$/;
const STATUS: Readonly<Partial<Record<Submitted, string>>> = {
  acknowledged: "acknowledged",
  closed: "closed",
  reopened: "open",
};
const CHAIN = new Set(["n", "prev", "spool", "close", "sum"]);

function datesOf(value: unknown): DueDates | undefined {
  const dates: Record<string, DueDates[string]> = {};
  const given = asObject(value) ?? {};
  for (const name of Object.keys(given).slice(0, LIMITS.incident_deadlines)) {
    const date = asObject(given[name]);
    const due = parseTime(asText(date?.["due"]) ?? "");
    const until = oneOf(UNTIL, date?.["until"]);
    if (PLAIN_NAME.test(name) && due !== undefined && until !== undefined) dates[name] = { due, until };
  }
  return Object.keys(dates).length === 0 ? undefined : dates;
}

function setNotice(e: Event, notice: Fields): void {
  e["tapline.incident.notice.id"] = cut(notice["id"], LIMITS.state_key_chars);
  e["tapline.incident.notice.channel"] = cut(notice["channel"], LIMITS.state_key_chars);
  e["tapline.incident.notice.sink"] = cut(notice["sink"], LIMITS.state_key_chars);
  const told = asList(notice["recipients"]).filter((one) => typeof one === "string");
  e["tapline.incident.notice.recipients"] = told
    .slice(0, LIMITS.incident_shown)
    .map((one) => one.slice(0, LIMITS.state_text_chars).toWellFormed());
  e["tapline.incident.notice.answer"] = cut(notice["answer"], LIMITS.state_text_chars);
  const attempts = asNumber(notice["attempts"]);
  if (attempts !== undefined && Number.isSafeInteger(attempts))
    e["tapline.incident.notice.attempts"] = attempts;
  if (notice["repeat"] === true) e["tapline.incident.notice.repeat"] = true;
  e["tapline.cause.event_id"] = cut(notice["cause"], LIMITS.state_key_chars);
  e["event.outcome"] = notice["delivered"] === true ? "success" : "failure";
}

function mapIncident(r: Fields, id: string | undefined, transition: Submitted, scope: Scope): void {
  const e = scope.event("incident", r["ts"]);
  setUser(e, r);
  e["tapline.record.type"] = "incident";
  e["tapline.incident.id"] = id;
  e["tapline.incident.transition"] = transition;
  e["tapline.incident.status"] = STATUS[transition];
  e["tapline.incident.note"] = cut(r["note"], LIMITS.incident_note_chars);
  e["event.outcome"] = "success";
  if (transition === "closed") e["tapline.incident.verdict"] = oneOf(VERDICTS, r["verdict"]);
  const dates = datesOf(r["deadlines"]);
  if (dates !== undefined) e["tapline.incident.deadlines"] = dates;
  if (transition === "notified") {
    setNotice(e, asObject(r["notice"]) ?? {});
    const meets = asText(r["meets"]);
    if (meets !== undefined && PLAIN_NAME.test(meets)) e["tapline.incident.deadline.name"] = meets;
  }
  e["message"] =
    `${id === undefined ? "alert" : "incident"} ${transition} by ${e["user.name"] ?? "somebody"}`;
  scope.emit(e);
}

/** What is no submission that this version knows is kept as it is. */
function keep(r: Fields, scope: Scope): void {
  const e = scope.event("record", r["ts"]);
  e["gen_ai.conversation.id"] = undefined;
  e["tapline.record.type"] = cut(r["submit"], LIMITS.state_key_chars);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(Object.fromEntries(Object.entries(r).filter(([key]) => !CHAIN.has(key))));
  scope.emit(e);
}

/** Makes the event of a submission; false when it is none that this version knows. */
function isKnown(r: Fields, scope: Scope): boolean {
  if (r["submit"] === "triage") return mapTriage(r, scope);
  if (r["submit"] === "export") return mapExport(r, scope);
  if (r["submit"] === "erasure") return mapErasure(r, scope);
  const id = asText(r["incident"]);
  const transition = oneOf(SUBMITTED, r["transition"]);
  // Of an alert alone nothing but a notification can be said.
  const alone = r["incident"] === undefined && transition === "notified";
  if (r["submit"] !== "incident" || transition === undefined) return false;
  if (!alone && (id === undefined || !INCIDENT_ID.test(id))) return false;
  mapIncident(r, id, transition, scope);
  return true;
}

export const tapline: Format = {
  name: "tapline",
  vantage: "self",
  recognise: (head, path) =>
    SPOOLED.test(path) && asText(asObject(head[0])?.["submit"]) !== undefined ? 1 : 0,
  sessionOf: () => undefined,
  open: (stream) => (record, scope) => {
    const r = asObject(record);
    if (r === undefined) return (keep({ value: record }, scope), "recorded");
    if (stream.source !== SUBMISSIONS || !isKnown(r, scope)) keep(r, scope);
    return "recorded";
  },
};
