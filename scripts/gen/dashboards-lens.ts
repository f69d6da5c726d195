// Saved objects for Kibana 8 and 9: data view, searches and dashboards whose Lens panels are in them, with controls; the
// forms of 8.8 and 8.9.
import type { Dashboard, Search, Source } from "../../dashboards/define.ts";
import type { SavedObject } from "./dashboards-classic.ts";
import { LAYER_REF, lensAttributes } from "./dashboards-lens-chart.ts";
import { EVERYTHING, TITLE, VIEWS, fieldFormats, kql, place, titleOf, typeOf } from "./dashboards-common.ts";

type Json = Record<string, unknown>;

const SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index";
const viewRef = (name: string, of: Source = "events") => ({ type: "index-pattern", id: VIEWS[of].id, name });
const version = (type: string): Json => ({
  coreMigrationVersion: "8.8.0",
  typeMigrationVersion: type,
  managed: false,
});

export function dataView(of: Source, searches: readonly Search[]): SavedObject {
  const { id, pattern, name } = VIEWS[of];
  return {
    id,
    type: "index-pattern",
    attributes: {
      title: pattern,
      name,
      timeFieldName: "@timestamp",
      fieldFormatMap: JSON.stringify(fieldFormats(of, searches)),
    },
    references: [],
    ...version("8.0.0"),
  };
}

export function lensSearch({ id, title, about, of, where, columns }: Search): SavedObject {
  for (const column of columns) typeOf(column, false, of);
  const source = { query: kql(where, of), filter: [], indexRefName: SOURCE };
  return {
    id: `tapline-${id}`,
    type: "search",
    attributes: {
      title: TITLE + title,
      description: about,
      hideChart: false,
      isTextBasedQuery: false,
      timeRestore: false,
      grid: {},
      columns,
      sort: [["@timestamp", "desc"]],
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(source) },
    },
    references: [viewRef(SOURCE, of)],
    ...version("8.0.0"),
  };
}

function markdown(text: string): Json {
  return {
    savedVis: {
      id: "",
      title: "",
      description: "",
      type: "markdown",
      params: { fontSize: 12, openLinksInNewTab: false, markdown: text },
      uiState: {},
      data: { aggs: [], searchSource: { query: EVERYTHING, filter: [] } },
    },
    hidePanelTitles: true,
    enhancements: {},
  };
}

// Kibana goes from one dashboard to the next without loading the page, and keeps a panel of the same id and kind as it is:
// ids of panels and filters name their dashboard.
const filterId = ({ id }: Dashboard, order: number): string => `${id}-filter-${order}`;

function controls(dashboard: Dashboard): Json {
  const panels = dashboard.filters.map(({ field, label }, order) => {
    typeOf(field, true);
    const id = filterId(dashboard, order);
    const explicitInput = {
      id,
      fieldName: field,
      title: label,
      searchTechnique: "prefix",
      selectedOptions: [],
      sort: { by: "_count", direction: "desc" },
      enhancements: {},
    };
    return [id, { order, width: "medium", grow: true, type: "optionsListControl", explicitInput }] as const;
  });
  return {
    chainingSystem: "HIERARCHICAL",
    controlStyle: "oneLine",
    ignoreParentSettingsJSON: JSON.stringify({
      ignoreFilters: false,
      ignoreQuery: false,
      ignoreTimerange: false,
      ignoreValidations: false,
    }),
    panelsJSON: JSON.stringify(Object.fromEntries(panels)),
  };
}

/** The one object that a dashboard is: its panels are in it, but for those of saved searches. */
export function lensDashboard(dashboard: Dashboard, all: readonly Dashboard[]): SavedObject {
  const references: { name: string; type: string; id: string }[] = [];
  const panels = place(dashboard, all, 0).map(({ panel, grid }) => {
    const id = `${dashboard.id}-${panel.id}`;
    const frame = { gridData: { ...grid, i: id }, panelIndex: id };
    if (panel.kind === "text")
      return { type: "visualization", ...frame, embeddableConfig: markdown(panel.text) };
    if (panel.kind === "events") {
      const panelRefName = `panel_${id}`;
      references.push({ name: `${id}:${panelRefName}`, type: "search", id: `tapline-${panel.search}` });
      const embeddableConfig = { title: panel.title, enhancements: {} };
      return { type: "search", ...frame, embeddableConfig, title: panel.title, panelRefName };
    }
    references.push(viewRef(`${id}:${LAYER_REF}`, panel.of));
    const period = panel.period !== undefined ? { timeRange: panel.period } : {};
    return {
      type: "lens",
      ...frame,
      embeddableConfig: {
        attributes: lensAttributes(panel, viewRef(LAYER_REF, panel.of)),
        enhancements: {},
        hidePanelTitles: false,
        ...period,
      },
      title: titleOf(panel),
    };
  });
  for (const i of dashboard.filters.keys())
    references.push(viewRef(`controlGroup_${filterId(dashboard, i)}:optionsListDataView`));
  const attributes = {
    title: TITLE + dashboard.title,
    description: dashboard.about,
    version: 1,
    panelsJSON: JSON.stringify(panels),
    optionsJSON: JSON.stringify({
      useMargins: true,
      syncColors: false,
      syncCursor: true,
      syncTooltips: false,
      hidePanelTitles: false,
    }),
    timeRestore: true,
    timeFrom: dashboard.from,
    timeTo: "now",
    refreshInterval: { pause: true, value: 60_000 },
    ...(dashboard.filters.length > 0 && { controlGroupInput: controls(dashboard) }),
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify({ query: EVERYTHING, filter: [] }) },
  };
  return { id: `tapline-${dashboard.id}`, type: "dashboard", attributes, references, ...version("8.9.0") };
}
