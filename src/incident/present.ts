// What an incident is at present: one pure step for each of its events, in the order of the ledger. A transition that
// does not follow from the state before it is told as odd and counted, and changes nothing that it may not; none is lost.
import { type DueDates, type Until, UNTIL, rankOf } from "../core/incident.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";

export type Status = "open" | "acknowledged" | "closed";

export interface Deadline {
  readonly name: string;
  readonly due: string;
  readonly until: Until;
  readonly met_at?: string | undefined;
  /** It was told that it passed. */
  readonly passed?: boolean | undefined;
}

/** Plain data: it travels in frames, snapshots and documents. */
export interface Incident {
  readonly id: string;
  readonly status: Status;
  readonly rule: string;
  readonly level: string;
  readonly by: string;
  readonly group: string;
  readonly backfill: boolean;
  readonly alerts: number;
  /** The first of them. */
  readonly alert_ids: readonly string[];
  readonly rules: readonly string[];
  readonly deadlines: readonly Deadline[];
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly opened_at?: string | undefined;
  readonly acknowledged_at?: string | undefined;
  readonly acknowledged_by?: string | undefined;
  readonly notified_at?: string | undefined;
  readonly recipients: readonly string[];
  readonly closed_at?: string | undefined;
  readonly closed_by?: string | undefined;
  readonly verdict?: string | undefined;
  /** Notifications that were recorded, the newest. */
  readonly notices: readonly string[];
  readonly changed_at: string;
  readonly last_index: number;
  readonly transitions: number;
  readonly odd: number;
}

/** What an incident's event says of it. */
export type Step = Readonly<Partial<Event>>;

export interface Applied {
  readonly incident: Incident;
  /** Why the transition does not follow from the state before it. */
  readonly odd: string | undefined;
}

type Draft = { -readonly [K in keyof Incident]: Incident[K] };

function begin(step: Step): Draft {
  return {
    id: step["tapline.incident.id"] ?? "",
    status: "open",
    rule: "",
    level: "",
    by: "",
    group: "",
    backfill: false,
    alerts: 0,
    alert_ids: [],
    rules: [],
    deadlines: [],
    recipients: [],
    notices: [],
    changed_at: "",
    last_index: -1,
    transitions: 0,
    odd: 0,
  };
}

/** The incident after the event at `index` of the ledger; undefined when it was applied before. */
export function applyStep(before: Incident | undefined, step: Step, index: number): Applied | undefined {
  if (before !== undefined && index <= before.last_index) return undefined;
  const now: Draft = before === undefined ? begin(step) : { ...before };
  const odd = move(now, step, before?.opened_at !== undefined);
  now.changed_at = step["@timestamp"] ?? now.changed_at;
  now.last_index = index;
  now.transitions++;
  if (odd !== undefined) now.odd++;
  return { incident: now, odd };
}

function move(now: Draft, step: Step, opened: boolean): string | undefined {
  const transition = step["tapline.incident.transition"];
  const at = step["@timestamp"];
  const by = step["user.name"] ?? step["user.id"];
  if (transition === "opened") return opened ? openAgain(now, step) : open(now, step);
  const unopened = opened ? undefined : "it was not opened before";
  const { status } = now;
  switch (transition) {
    case "joined":
    case "escalated":
      addAlerts(now, step);
      addDeadlines(now, step);
      return unopened ?? (status === "closed" && transition === "escalated" ? "it is closed" : undefined);
    case "acknowledged":
      if (status !== "open") return unopened ?? `it is ${status}`;
      now.status = "acknowledged";
      now.acknowledged_at ??= at;
      now.acknowledged_by ??= by;
      meet(now, "acknowledged", at);
      return unopened;
    case "noted":
      addDeadlines(now, step);
      return unopened;
    case "notified":
      return notify(now, step) ?? unopened;
    case "closed":
      if (status === "closed") return unopened ?? "it is closed";
      now.status = "closed";
      now.closed_at = at;
      now.closed_by = by;
      now.verdict = step["tapline.incident.verdict"];
      meet(now, "acknowledged", at);
      meet(now, "closed", at);
      return unopened;
    case "reopened":
      addAlerts(now, step);
      addDeadlines(now, step);
      if (status !== "closed") return unopened ?? `it is ${status}`;
      reopen(now);
      return unopened;
    case "overdue":
      return pass(now, step["tapline.incident.deadline.name"]) ?? unopened;
    case undefined:
    default:
      return "no transition of that name";
  }
}

function open(now: Draft, step: Step): undefined {
  now.opened_at = step["@timestamp"];
  now.rule = step["tapline.incident.rule"] ?? "";
  now.by = step["tapline.incident.group.by"] ?? "";
  now.group = step["tapline.incident.group.value"] ?? "";
  now.from = step["tapline.incident.window.start"];
  now.to = step["tapline.incident.window.end"];
  now.backfill = step["tapline.backfill"] === true;
  addAlerts(now, step);
  addDeadlines(now, step);
}

/** Alerts came so late that the collector had forgotten it. They stay in sight. */
function openAgain(now: Draft, step: Step): string {
  addAlerts(now, step);
  if (now.status === "closed") reopen(now);
  return "it was opened before";
}

function reopen(now: Draft): void {
  now.status = "open";
  now.closed_at = now.closed_by = now.verdict = undefined;
}

function addAlerts(now: Draft, step: Step): void {
  const level = step["tapline.incident.level"];
  if (level !== undefined && rankOf(level) > rankOf(now.level)) now.level = level;
  now.alerts = Math.max(now.alerts, step["tapline.incident.alert_count"] ?? 0);
  now.alert_ids = together(now.alert_ids, step["tapline.incident.alert_ids"], LIMITS.incident_shown);
  now.rules = together(now.rules, step["tapline.incident.rules"], LIMITS.incident_shown);
}

/** The first of both, each once. */
function together(known: readonly string[], more: readonly string[] | undefined, most: number) {
  if (more === undefined || known.length >= most) return known;
  return [...new Set([...known, ...more])].slice(0, most);
}

function addDeadlines(now: Draft, step: Step): void {
  const dates = step["tapline.incident.deadlines"] as DueDates | undefined;
  for (const [name, { due, until }] of Object.entries(dates ?? {})) {
    const known = now.deadlines.some((one) => one.name === name);
    if (known || now.deadlines.length >= LIMITS.incident_deadlines || !UNTIL.includes(until)) continue;
    now.deadlines = [...now.deadlines, { name, due, until }];
    // What happened before the deadline was set meets it too.
    if (until === "acknowledged" && now.acknowledged_at !== undefined) meet(now, until, now.acknowledged_at);
  }
}

function meet(now: Draft, until: Until, at: string | undefined, name?: string): void {
  now.deadlines = now.deadlines.map((one) =>
    one.until === until && (name === undefined || one.name === name) && one.met_at === undefined
      ? { ...one, met_at: at }
      : one,
  );
}

function notify(now: Draft, step: Step): string | undefined {
  const failed = step["event.outcome"] === "failure";
  const attempts = step["tapline.incident.notice.attempts"] ?? 0;
  const notice = `${step["tapline.incident.notice.id"]} ${attempts} ${failed ? "failed" : "sent"}`;
  if (now.notices.includes(notice)) return "this notification was recorded before";
  now.notices = [...now.notices, notice].slice(-LIMITS.incident_shown);
  if (failed) return undefined;
  const at = step["@timestamp"];
  now.notified_at ??= at;
  const told = step["tapline.incident.notice.recipients"];
  now.recipients = together(now.recipients, told, LIMITS.incident_shown);
  const name = step["tapline.incident.deadline.name"];
  if (name === undefined) return undefined;
  const known = now.deadlines.some((one) => one.name === name && one.until === "reported");
  meet(now, "reported", at, name);
  return known ? undefined : `no deadline "${name}" to be reported by applies`;
}

function pass(now: Draft, name: string | undefined): string | undefined {
  const found = now.deadlines.find((one) => one.name === name);
  if (found === undefined) return `no deadline "${name}" applies`;
  now.deadlines = now.deadlines.map((one) => (one === found ? { ...one, passed: true } : one));
  return found.met_at === undefined ? undefined : "that deadline was met before";
}

/** The deadline that is open and due first. */
export function nextDeadline({ deadlines }: Pick<Incident, "deadlines">): Deadline | undefined {
  const unmet = deadlines.filter((one) => one.met_at === undefined);
  return unmet.toSorted((a, b) => (a.due < b.due ? -1 : 1))[0];
}

/** Whether a deadline was not met in time. */
export function isLate({ due, met_at }: Deadline, now: string): boolean {
  return (met_at ?? now) > due;
}
