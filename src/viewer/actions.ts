// What an owner does: said of alerts and incidents, and handed to the collector, which alone appends. Checks that it makes
// sense now; what it comes to is decided by the order of the ledger.
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { TaplineError } from "../core/errors.ts";
import { SUBMITTED, VERDICTS } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { SAME, TRIAGE, type TriageSubmission } from "../core/triage.ts";
import { submit, submitRecord } from "../incident/submit.ts";
import type { Submitted } from "./api.ts";
import type { Context } from "./context.ts";
import type { User } from "./request.ts";
import { notFound } from "./send.ts";
import { refuse } from "./where.ts";

const key = z.string().min(1).max(LIMITS.state_key_chars);
const note = z.string().max(LIMITS.viewer_note_chars);

const alertAction = z.strictObject({
  alerts: z.array(key).min(1).max(LIMITS.viewer_action_alerts),
  transition: z.enum(TRIAGE),
  note: note.optional(),
  assignee: z.string().max(LIMITS.state_key_chars).optional(),
  verdict: z.enum(VERDICTS).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  same: z.enum(SAME).optional(),
});

const incidentAction = z.strictObject({
  transition: z.enum(SUBMITTED),
  note: note.max(LIMITS.incident_note_chars).optional(),
  verdict: z.enum(VERDICTS).optional(),
  recipients: z.array(key).max(LIMITS.incident_shown).optional(),
  meets: z.string().max(LIMITS.state_key_chars).optional(),
});

/** What a body says, or BAD_QUESTION with every problem. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  return refuse(
    parsed.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; "),
  );
}

export async function actOnAlerts(
  context: Context,
  user: User,
  body: unknown,
  signal: AbortSignal,
): Promise<Submitted> {
  const { alerts, transition, until, same, ...said } = parseBody(alertAction, body);
  if (transition === "closed" && said.verdict === undefined) refuse("closing an alert needs a verdict");
  if ((transition === "noted" || transition === "suppressed") && (said.note ?? "").trim() === "")
    refuse(`${transition} needs a note`);
  if (transition === "assigned" && said.assignee === undefined) refuse("assigned needs an assignee");
  if (transition !== "suppressed" && (until !== undefined || same !== undefined))
    refuse("`until` and `same` belong to suppressed");
  const view = await context.database.view();
  const wanted = new Set(alerts);
  const lights = (await context.alerts.lights(view, signal)).filter(({ id }) => wanted.has(id));
  if (new Set(lights.map(({ id }) => id)).size < wanted.size) throw notFound("alert");
  let record: TriageSubmission = {
    submit: "triage",
    ts: new Date().toISOString(),
    user,
    alerts: [...wanted],
    transition,
    ...said,
  };
  if (until !== undefined) {
    const rules = new Set(lights.map(({ rule }) => rule));
    const values = new Set(same === undefined ? [] : lights.map((light) => light.same[same]));
    if (rules.size !== 1 || values.size > 1 || values.has(""))
      refuse("with `until`, all alerts are of one rule and have the same value");
    const common = same === undefined ? undefined : { field: same, value: [...values][0]! };
    record = { ...record, until: new Date(until).toISOString(), rule: [...rules][0], same: common };
  }
  submitRecord(context.place.state_dir, record);
  return { submitted: wanted.size, collecting: context.collecting() };
}

export async function actOnIncident(
  context: Context,
  user: User,
  id: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Submitted> {
  const { transition, note: text, verdict, recipients, meets } = parseBody(incidentAction, body);
  const view = await context.database.view();
  const known = (await context.incidents.all(view, signal)).get(id);
  if (known === undefined) throw notFound("incident");
  const { status, deadlines } = known.incident;
  const wrong: Readonly<Record<typeof transition, boolean>> = {
    acknowledged: status !== "open",
    noted: false,
    notified: false,
    closed: status === "closed",
    reopened: status !== "closed",
  };
  if (wrong[transition]) throw new TaplineError("BAD_QUESTION", `the incident is ${status}`);
  if (transition === "noted" && (text ?? "").trim() === "") refuse("noted needs a note");
  if (transition === "closed" && verdict === undefined) refuse("closing an incident needs a verdict");
  if (transition === "notified" && (recipients ?? []).length === 0) refuse("notified needs recipients");
  if (meets !== undefined && !deadlines.some(({ name, until }) => name === meets && until === "reported"))
    refuse("no deadline of that name is met by a notification");
  const notice = {
    id: randomBytes(16).toString("hex"),
    channel: "other",
    recipients: recipients ?? [],
    delivered: true,
  };
  const told = transition === "notified" ? { notice, meets } : {};
  const closed = transition === "closed" ? { verdict } : {};
  submit(context.place.state_dir, { incident: id, transition, note: text, ...told, ...closed }, user);
  return { submitted: 1, collecting: context.collecting() };
}
