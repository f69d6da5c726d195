// The figures of one dashboard: every panel's ask in one go, and the newest events of its saved searches.
import { LIMITS } from "../core/limits.ts";
import type { AskingPanel, Dashboard, Panel } from "../../dashboards/define.ts";
import { presentFields } from "../sinks/incident-document.ts";
import type { EventRow, ExhibitHeader, FieldValue, PanelData } from "./api.ts";
import type { Context } from "./context.ts";
import type { Question } from "./figures.ts";
import { dataOf } from "./panel-data.ts";
import { askOf, baseOf, isAsking, searchOf } from "./panels.ts";
import { type PresentDocument, askPresent, meets } from "./present-figures.ts";
import { queryText } from "./query.ts";
import { findPage, shownSpan } from "./search.ts";
import { ALWAYS, isoOf, parsePoint, stepOf } from "./times.ts";

const DAY_MS = 86_400_000;
/** Columns of a heat map. */
const HEAT_BUCKETS = 62;
const TIME_BUCKETS = 100;

export async function headerOf(context: Context, question: Question, tz: number): Promise<ExhibitHeader> {
  const { span, terms, view } = question;
  // What has no bound is bounded by what there is.
  const shown = shownSpan(question);
  return {
    host: context.place.host,
    from: isoOf(span.from === ALWAYS.from ? shown.from : span.from),
    to: isoOf(span.to === ALWAYS.to ? shown.to : span.to),
    tz,
    q: queryText(terms),
    asked_at: isoOf(Date.now()),
    head: await context.head(),
    shown: view.end,
  };
}

/** A period of its own is asked apart. */
function spanOf(panel: AskingPanel, question: Question): Question {
  if (panel.period === undefined) return question;
  const now_ms = Date.now();
  const from = parsePoint(panel.period.from, now_ms) ?? ALWAYS.from;
  return { ...question, span: { from, to: ALWAYS.to } };
}

export async function tellPanels(
  context: Context,
  dashboard: Dashboard,
  question: Question,
  tz: number,
  only: string | undefined,
  emit: (data: PanelData) => void,
): Promise<void> {
  const panels = dashboard.rows
    .flatMap((row): readonly Panel[] => row.panels)
    .filter(({ id }) => only === undefined || id === only);
  const asking = panels.filter(isAsking);
  const now = asking.filter((panel) => panel.of === "incidents");
  for (const panel of now) await tellPresent(context, panel, spanOf(panel, question), tz, emit);
  const usual = asking.filter((panel) => spanOf(panel, question) === question && !now.includes(panel));
  await tellAsked(context, usual, question, tz, emit);
  for (const panel of asking)
    if (!usual.includes(panel) && !now.includes(panel))
      await tellAsked(context, [panel], spanOf(panel, question), tz, emit);
  for (const panel of panels) {
    if (panel.kind !== "events") continue;
    const { of, terms, columns } = searchOf(panel.search);
    const events: EventRow[] = [];
    if (of === "incidents") {
      const documents = await presentOf(context, question, false);
      const rows = documents.filter((one) => terms.every((term) => meets(one, term)));
      emit({ id: panel.id, kind: "events", events: rows.map((one) => incidentRow(one, columns)) });
      continue;
    }
    const page = { limit: LIMITS.viewer_rows_default, fields: columns };
    const all = { ...question, terms: [...question.terms, ...terms] };
    await findPage(context.database, all, page, (found) => events.push(...found));
    emit({ id: panel.id, kind: "events", events });
  }
}

/** Incidents as they are now that meet the page's terms, and changed in its period. */
async function presentOf(
  context: Context,
  { view, span, terms, signal }: Question,
  inside: boolean,
): Promise<PresentDocument[]> {
  const all = await context.incidents.all(view, signal);
  const documents = [...all.values()].map(({ incident, told }) =>
    presentFields(incident, told[0]?.step["host.name"]),
  ) as PresentDocument[];
  return documents.filter((one) => {
    const ms = Date.parse(String(one["@timestamp"]));
    return (!inside || (ms >= span.from && ms < span.to)) && terms.every((term) => meets(one, term));
  });
}

async function tellPresent(
  context: Context,
  panel: AskingPanel,
  question: Question,
  tz: number,
  emit: (data: PanelData) => void,
): Promise<void> {
  const span = shownSpan(question);
  const step_ms = stepOf(span, TIME_BUCKETS);
  const ask = askOf(panel, baseOf(step_ms, tz));
  const partials = [askPresent(await presentOf(context, question, true), ask)];
  emit(dataOf({ panel, ask, partials, span, step_ms, tz }));
}

/** An incident in a list of events: its last record. */
function incidentRow(document: PresentDocument, columns: readonly string[]): EventRow {
  const fields: Record<string, FieldValue> = {};
  for (const name of columns) {
    const value = document[name];
    if (value !== undefined && value !== "" && value !== null) fields[name] = value as FieldValue;
  }
  return {
    index: Number(document["event.sequence"]),
    id: String(document["tapline.incident.id"]),
    time: String(document["@timestamp"]),
    action: "incident",
    message: null,
    fields,
  };
}

async function tellAsked(
  context: Context,
  panels: readonly AskingPanel[],
  question: Question,
  tz: number,
  emit: (data: PanelData) => void,
): Promise<void> {
  if (panels.length === 0) return;
  const span = shownSpan(question);
  const steps = panels.map(({ kind }) =>
    kind === "heat" ? Math.max(DAY_MS, stepOf(span, HEAT_BUCKETS)) : stepOf(span, TIME_BUCKETS),
  );
  const asks = panels.map((panel, i) => askOf(panel, baseOf(steps[i]!, tz)));
  const answers = await context.figures.ask(question, asks);
  panels.forEach((panel, i) => {
    emit(dataOf({ panel, ask: asks[i]!, partials: answers[i]!, span, step_ms: steps[i]!, tz }));
  });
}
