// What leaves the viewer as CSV. Handed to the collector to be recorded before its first byte is sent.
import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { type ExportKind, type ExportSubmission } from "../core/triage.ts";
import { submitRecord } from "../incident/submit.ts";
import { parseBody } from "./actions.ts";
import type { EventRow, PanelData } from "./api.ts";
import type { Context } from "./context.ts";
import { csvRow } from "./csv.ts";
import { tellPanels } from "./dashboard-data.ts";
import type { Question } from "./figures.ts";
import { bysOf, dashboardOf, isAsking, metricsOf } from "./panels.ts";
import { pointOf, termsOf } from "./parameters.ts";
import { queryText } from "./query.ts";
import type { Request, User } from "./request.ts";
import { FIELDS_OF_ROW } from "./rows.ts";
import { findPage, parsePlace } from "./search.ts";
import { Stream, notFound } from "./send.ts";
import { ALWAYS, isoOf, parsePoint } from "./times.ts";
import { refuse, typeOf } from "./where.ts";

const PAGE = 2_000;
const text = z.string().max(LIMITS.viewer_query_chars);
const exportSchema = z.strictObject({
  what: z.enum(["events", "alerts", "panel"]),
  from: text.optional(),
  to: text.optional(),
  q: text.optional(),
  tz: z.int().min(-840).max(840).optional(),
  fields: z.array(text).min(1).max(LIMITS.viewer_export_fields).optional(),
  dashboard: text.optional(),
  panel: text.optional(),
});

type Export = z.output<typeof exportSchema>;

/** To be called before the first byte is sent. */
export function recordExport(
  context: Context,
  user: User,
  kind: ExportKind,
  more: Partial<ExportSubmission>,
): void {
  submitRecord(context.place.state_dir, {
    submit: "export",
    ts: new Date().toISOString(),
    user,
    kind,
    ...more,
  });
}

export async function sendExport(context: Context, request: Request, body: unknown): Promise<void> {
  const wanted = parseBody(exportSchema, body);
  for (const field of wanted.fields ?? [])
    if (typeOf(field) === undefined) refuse(`there is no field ${JSON.stringify(field.slice(0, 80))}`);
  const panel = wanted.what === "panel" ? panelOf(wanted) : undefined;
  const now_ms = Date.now();
  const standing =
    panel === undefined ? ALWAYS.from : (parsePoint(panel.dashboard.from, now_ms) ?? ALWAYS.from);
  const question: Question = {
    view: await context.database.view(),
    span: { from: pointOf(wanted.from, now_ms, standing), to: pointOf(wanted.to, now_ms, ALWAYS.to) },
    terms: termsOf(wanted.q ?? ""),
    signal: request.signal,
  };
  recordExport(context, request.user, wanted.what, {
    subject: panel === undefined ? undefined : `${panel.dashboard.id} ${panel.id}`,
    query: queryText(question.terms),
    from: isoOf(question.span.from),
    to: isoOf(question.span.to),
    fields: wanted.fields,
  });
  const name = `tapline-${wanted.what}.csv`;
  const stream = new Stream(request.response, "text/csv; charset=utf-8; header=present", {
    "Content-Disposition": `attachment; filename="${name}"`,
  });
  if (panel !== undefined) await tellPanel(context, panel, question, wanted.tz ?? 0, stream);
  else if (wanted.what === "alerts") await tellAlerts(context, question, wanted, stream);
  else await tellEvents(context, question, wanted.fields ?? FIELDS_OF_ROW, stream);
  await stream.end();
}

async function tellEvents(
  context: Context,
  question: Question,
  fields: readonly string[],
  stream: Stream,
): Promise<void> {
  stream.text(csvRow(["event.sequence", "@timestamp", "event.id", "event.action", "message", ...fields]));
  let told = 0;
  let next: string | null = "";
  while (next !== null && told < LIMITS.viewer_export_rows) {
    const after = next === "" ? undefined : parsePlace(next);
    const page = { limit: Math.min(PAGE, LIMITS.viewer_export_rows - told), after, fields };
    const events: EventRow[] = [];
    next = await findPage(context.database, question, page, (found) => events.push(...found));
    for (const { index, time, id, action, message, fields: found } of events)
      stream.text(csvRow([index, time, id, action, message, ...fields.map((field) => found[field])]));
    told += events.length;
    await stream.room();
  }
  if (next !== null)
    stream.text(csvRow([`cut after ${LIMITS.viewer_export_rows} rows: ask for a shorter period`]));
}

async function tellAlerts(
  context: Context,
  question: Question,
  wanted: Export,
  stream: Stream,
): Promise<void> {
  const fields = wanted.fields ?? FIELDS_OF_ROW;
  const about = ["status", "assignee", "verdict", "changed", "changed by", "incident"];
  stream.text(csvRow(["event.sequence", "@timestamp", "event.id", "message", ...about, ...fields]));
  let newest: number | null = null;
  for (let next: string | null | undefined; next !== null;) {
    const after = next === undefined ? undefined : parsePlace(next);
    const page = await context.alerts.list(question, { limit: PAGE, after });
    for (const { event, status, assignee, verdict, changed, incident } of page.alerts) {
      const present = [status, assignee, verdict, changed?.at, changed?.by, incident];
      const more = fields.map((field) => event.fields[field]);
      stream.text(csvRow([event.index, event.time, event.id, event.message, ...present, ...more]));
    }
    next = page.next;
    newest = page.of_newest;
    await stream.room();
  }
  if (newest !== null)
    stream.text(
      csvRow([`cut: of the newest ${newest} alerts; older ones are events of event.action:rule-alert`]),
    );
}

function panelOf({ dashboard: name, panel: id }: Export) {
  const dashboard = dashboardOf(name ?? "");
  const panel = dashboard?.rows.flatMap(({ panels }) => panels).find((one) => one.id === id);
  if (dashboard === undefined || panel === undefined || panel.kind === "text") throw notFound("panel");
  return { dashboard, panel, id: panel.id };
}

async function tellPanel(
  context: Context,
  { dashboard, panel, id }: ReturnType<typeof panelOf>,
  question: Question,
  tz: number,
  stream: Stream,
): Promise<void> {
  const labels = isAsking(panel) ? bysOf(panel).map(({ label }) => label) : [];
  const metrics = isAsking(panel) ? metricsOf(panel).map(({ label }) => label) : [];
  await tellPanels(context, dashboard, question, tz, id, (data) => {
    for (const row of rowsOf(data, labels, metrics)) stream.text(csvRow(row));
  });
}

type Cells = Parameters<typeof csvRow>[0];

/** A panel as a table, its head first. */
function rowsOf(data: PanelData, labels: readonly string[], metrics: readonly string[]): Cells[] {
  switch (data.kind) {
    case "number":
      return [metrics, [data.value]];
    case "table":
      return [[...labels, ...metrics], ...data.rows.map(({ keys, values }) => [...keys, ...values])];
    case "bar": {
      const rows = data.bars.flatMap(({ key, value, parts }): Cells[] =>
        labels.length < 2 ? [[key, value]] : parts.map((part) => [key, part.key, part.value]),
      );
      return [[...labels, ...metrics], ...rows];
    }
    case "time":
    case "heat": {
      const head = ["time", ...data.series.map(({ key, other }) => (other ? "other" : (key ?? metrics[0])))];
      return [
        head,
        ...data.times.map((time, i) => [isoOf(time), ...data.series.map(({ values }) => values[i])]),
      ];
    }
    case "events":
    default: {
      const fields = [...new Set(data.events.flatMap((event) => Object.keys(event.fields)))];
      const rows = data.events.map((event) => [
        event.index,
        event.time,
        event.id,
        event.message,
        ...fields.map((field) => event.fields[field]),
      ]);
      return [["event.sequence", "@timestamp", "event.id", "message", ...fields], ...rows];
    }
  }
}
