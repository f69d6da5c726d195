// Dashboards as the page draws them: layout from the definitions of `dashboards/`, and each panel as an ask.
import { DASHBOARDS } from "../../dashboards/index.ts";
import type {
  AskingPanel,
  By,
  ByValue,
  Condition,
  Dashboard,
  Metric,
  Panel,
  Source,
} from "../../dashboards/define.ts";
import { SEARCHES } from "../../dashboards/searches.ts";
import { PRESENT_FIELDS } from "../core/generated/event.ts";
import type { ByLayout, DashboardInfo, DashboardLayout, MetricLayout, PanelLayout, Unit } from "./api.ts";
import type { Ask, Dimension, Measure } from "./asks.ts";
import { type Term, queryText } from "./query.ts";
import { HOUR_MS } from "./times.ts";
import { typeOf } from "./where.ts";

const PRESENT: Readonly<Record<string, string>> = PRESENT_FIELDS;

export const isAsking = (panel: Panel): panel is AskingPanel =>
  panel.kind !== "text" && panel.kind !== "events";

export function dashboardOf(id: string): Dashboard | undefined {
  return DASHBOARDS.find((dashboard) => dashboard.id === id);
}

export function termOf({ field, is, above, not }: Condition): Term {
  const negated = not === true;
  if (is !== undefined) {
    return {
      kind: "is",
      field,
      not: negated,
      values: is.map((one) => ({ text: String(one), prefix: false })),
    };
  }
  if (above !== undefined) return { kind: "above", field, not: negated, value: String(above) };
  return { kind: "there", field, not: negated };
}

const isValues = (by: By): by is ByValue => "field" in by;

/** Whether what lacks the field is told too: nothing asks for the field, and it holds words. As on the other dashboards. */
function tellsMissing(field: string, where: readonly Condition[]): boolean {
  const asked = where.some((condition) => condition.field === field && condition.not !== true);
  const type = typeOf(field) ?? PRESENT[field] ?? "";
  return !asked && ["keyword", "keyword[]", "wildcard", "constant"].includes(type);
}

function dimensionOf(by: By, where: readonly Condition[]): Dimension {
  if (!isValues(by)) return { kind: "conditions", groups: by.groups.map((group) => group.where.map(termOf)) };
  const { field } = by;
  return tellsMissing(field, where) ? { kind: "value", field, missing: true } : { kind: "value", field };
}

const measureOf = ({ op, field }: Metric): Measure => (field === undefined ? { op } : { op, field });

/** Width of what is asked of the parts, so that it adds up to buckets of `step_ms`. */
export function baseOf(step_ms: number, tz: number): number {
  if (step_ms % HOUR_MS === 0 && tz % 60 === 0) return HOUR_MS;
  return step_ms % (15 * 60_000) === 0 ? 15 * 60_000 : 60_000;
}

export function bysOf(panel: AskingPanel): readonly By[] {
  if (panel.kind === "table") return panel.by;
  if (panel.kind === "number" || panel.by === undefined) return [];
  return panel.kind === "bar" && panel.stack !== undefined ? [panel.by, panel.stack] : [panel.by];
}

export const metricsOf = (panel: AskingPanel): readonly Metric[] =>
  panel.kind === "table" ? panel.metrics : [panel.metric];

export function askOf(panel: AskingPanel, base_ms: number): Ask {
  const by = bysOf(panel).map((one) => dimensionOf(one, panel.where));
  if (panel.kind === "time" || panel.kind === "heat") by.push({ kind: "time", step_ms: base_ms });
  return { where: panel.where.map(termOf), by, measures: metricsOf(panel).map(measureOf) };
}

/** Of incidents as they are now, these are whole seconds. */
const isSeconds = (field: string): boolean => field.startsWith("tapline.incident.seconds.");
/** What a figure is multiplied with to be of its unit. */
export const factorOf = ({ field }: Metric): number =>
  field !== undefined && isSeconds(field) ? 1_000_000_000 : 1;

export function unitOf({ op, field }: Metric): Unit {
  if (field === undefined || op === "count" || op === "distinct") return "number";
  if ((typeOf(field) ?? PRESENT[field]) === "date") return "time";
  if (field === "event.duration" || isSeconds(field)) return "ns";
  return field.includes(".data.bytes_") ? "bytes" : "number";
}

function metricLayout(metric: Metric): MetricLayout {
  const percent = metric.percentile === undefined ? "" : `, ${metric.percentile} %`;
  return { label: metric.label + percent, unit: unitOf(metric), about: metric.op === "percentile" };
}

function byLayout(by: By): ByLayout {
  if (!isValues(by)) return { label: by.label, field: null, colours: null };
  return { label: by.label, field: by.field, colours: by.colours ?? null };
}

/** Of incidents as they are now, the events are their records. */
const RECORDS = "event.action:incident";

function panelLayout(panel: Panel): PanelLayout {
  const { id, title, width } = panel;
  if (panel.kind === "text") return { kind: "text", id, title, width, q: "", text: panel.text };
  if (panel.kind === "events") {
    const search = searchOf(panel.search);
    const q = search.of === "incidents" ? RECORDS : queryText(search.terms);
    return { kind: "events", id, title, width, q, columns: search.columns };
  }
  const q = panel.of === "incidents" ? RECORDS : queryText(panel.where.map(termOf));
  const framed = { id, title, width, q };
  if (panel.kind === "table") {
    const { by, metrics } = panel;
    return { ...framed, kind: "table", by: by.map(byLayout), metrics: metrics.map(metricLayout) };
  }
  const metric = metricLayout(panel.metric);
  switch (panel.kind) {
    case "number":
      return { ...framed, kind: "number", metric };
    case "time":
      return { ...framed, kind: "time", metric, by: panel.by === undefined ? null : byLayout(panel.by) };
    case "heat":
      return { ...framed, kind: "heat", metric, by: byLayout(panel.by) };
    case "bar":
    default: {
      const stack = panel.stack === undefined ? null : byLayout(panel.stack);
      return { ...framed, kind: "bar", metric, by: byLayout(panel.by), stack };
    }
  }
}

/** A saved search: its terms and columns. */
export function searchOf(id: string): { of: Source; terms: Term[]; columns: readonly string[] } {
  const search = SEARCHES.find((one) => one.id === id)!;
  return { of: search.of ?? "events", terms: search.where.map(termOf), columns: search.columns };
}

const infoOf = ({ id, title, short, about }: Dashboard): DashboardInfo => ({ id, title, short, about });

export const dashboards = (): DashboardInfo[] => DASHBOARDS.map(infoOf);

export function layoutOf(dashboard: Dashboard): DashboardLayout {
  const { from, filters, shows, rows } = dashboard;
  return {
    ...infoOf(dashboard),
    from,
    filters,
    shows,
    rows: rows.map(({ height, panels }) => ({ height, panels: panels.map(panelLayout) })),
  };
}

/** What is asked of every file sooner or later: each panel in buckets of hours. */
export function usualAsks(dashboard: Dashboard): Ask[] {
  return dashboard.rows.flatMap(({ panels }) =>
    panels
      .filter(isAsking)
      .filter((panel) => panel.of !== "incidents")
      .map((panel) => askOf(panel, HOUR_MS)),
  );
}
