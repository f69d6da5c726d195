// The figures of one dashboard: every panel's ask in one go, and the newest events of its saved searches.
import { LIMITS } from "../core/limits.ts";
import type { AskingPanel, Dashboard, Panel } from "../../dashboards/define.ts";
import type { EventRow, ExhibitHeader, PanelData } from "./api.ts";
import type { Context } from "./context.ts";
import type { Question } from "./figures.ts";
import { dataOf } from "./panel-data.ts";
import { askOf, baseOf, isAsking, searchOf } from "./panels.ts";
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
  if (panel.kind !== "table" || panel.period === undefined) return question;
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
  const usual = asking.filter((panel) => spanOf(panel, question) === question);
  await tellAsked(context, usual, question, tz, emit);
  for (const panel of asking)
    if (!usual.includes(panel)) await tellAsked(context, [panel], spanOf(panel, question), tz, emit);
  for (const panel of panels) {
    if (panel.kind !== "events") continue;
    const { terms, columns } = searchOf(panel.search);
    const events: EventRow[] = [];
    const page = { limit: LIMITS.viewer_rows_default, fields: columns };
    const all = { ...question, terms: [...question.terms, ...terms] };
    await findPage(context.database, all, page, (found) => events.push(...found));
    emit({ id: panel.id, kind: "events", events });
  }
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
