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
} from "../../dashboards/define.ts";
import { SEARCHES } from "../../dashboards/searches.ts";
import type { ByLayout, DashboardInfo, DashboardLayout, MetricLayout, PanelLayout, Unit } from "./api.ts";
import type { Ask, Dimension, Measure } from "./asks.ts";
import { type Term, queryText } from "./query.ts";
import { HOUR_MS } from "./times.ts";
import { typeOf } from "./where.ts";

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

function dimensionOf(by: By): Dimension {
  if (isValues(by)) return { kind: "value", field: by.field };
  return { kind: "conditions", groups: by.groups.map(({ where }) => where.map(termOf)) };
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
  const by = bysOf(panel).map(dimensionOf);
  if (panel.kind === "time" || panel.kind === "heat") by.push({ kind: "time", step_ms: base_ms });
  return { where: panel.where.map(termOf), by, measures: metricsOf(panel).map(measureOf) };
}

export function unitOf({ op, field }: Metric): Unit {
  if (field === undefined || op === "count" || op === "distinct") return "number";
  if (typeOf(field) === "date") return "time";
  if (field === "event.duration") return "ns";
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

function panelLayout(panel: Panel): PanelLayout {
  const { id, title, width } = panel;
  if (panel.kind === "text") return { kind: "text", id, title, width, q: "", text: panel.text };
  if (panel.kind === "events") {
    const search = searchOf(panel.search);
    return { kind: "events", id, title, width, q: queryText(search.terms), columns: search.columns };
  }
  const framed = { id, title, width, q: queryText(panel.where.map(termOf)) };
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
export function searchOf(id: string): { terms: Term[]; columns: readonly string[] } {
  const search = SEARCHES.find((one) => one.id === id)!;
  return { terms: search.where.map(termOf), columns: search.columns };
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
    panels.filter(isAsking).map((panel) => askOf(panel, HOUR_MS)),
  );
}
