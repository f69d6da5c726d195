// Saved objects for OpenSearch Dashboards 2 and 3, in the form that Kibana had in 7.10: one visualization a panel. Only
// attributes that the strict mappings there know, and no `migrationVersion` newer than they know.
import type { Dashboard, Search, Source, TextPanel, Where } from "../../dashboards/define.ts";
import { classicChart } from "./dashboards-classic-chart.ts";
import type { FieldType } from "./tables.ts";
import {
  EVERYTHING,
  TITLE,
  TYPES,
  VIEWS,
  fieldFormats,
  isAggregatable,
  kql,
  place,
  titleOf,
  typeOf,
} from "./dashboards-common.ts";

type Json = Record<string, unknown>;
export interface SavedObject extends Json {
  readonly id: string;
  readonly type: string;
  readonly attributes: Json;
  readonly references: readonly { readonly name: string; readonly type: string; readonly id: string }[];
}

interface Asked {
  readonly where: Where;
  readonly of?: Source | undefined;
}

const CONTROLS_HEIGHT = 5;
const SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index";
const viewRef = (name: string, of: Source = "events") => ({ name, type: "index-pattern", id: VIEWS[of].id });
const meta = (asked: Asked | undefined): Json => ({
  searchSourceJSON: JSON.stringify(
    asked === undefined
      ? { query: EVERYTHING, filter: [] }
      : { query: kql(asked.where, asked.of), filter: [], indexRefName: SOURCE },
  ),
});

const KINDS: Readonly<Record<FieldType, readonly [type: string, esType: string]>> = {
  keyword: ["string", "keyword"],
  "keyword[]": ["string", "keyword"],
  constant: ["string", "keyword"],
  wildcard: ["string", "keyword"],
  stored: ["string", "keyword"],
  text: ["string", "text"],
  long: ["number", "long"],
  "long[]": ["number", "long"],
  double: ["number", "double"],
  boolean: ["boolean", "boolean"],
  date: ["date", "date"],
  ip: ["ip", "ip"],
  object: ["unknown", "flat_object"],
};

const viewField = (
  name: string,
  type: string,
  esType: string,
  searchable: boolean,
  aggregatable: boolean,
) => ({
  name,
  type,
  esTypes: [esType],
  searchable,
  aggregatable,
  readFromDocValues: aggregatable && !name.startsWith("_"),
  count: 0,
  scripted: false,
});

/** With its fields: without them the first viewer's browser writes them, and panels race. */
export function indexPattern(of: Source): SavedObject {
  const fields = [
    ...[...TYPES[of]].map(([name, type]) =>
      viewField(name, ...KINDS[type], type !== "stored", isAggregatable(type)),
    ),
    viewField("_id", "string", "_id", true, true),
    viewField("_index", "string", "_index", true, true),
    viewField("_source", "_source", "_source", false, false),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    id: VIEWS[of].id,
    type: "index-pattern",
    attributes: {
      title: VIEWS[of].pattern,
      timeFieldName: "@timestamp",
      fieldFormatMap: JSON.stringify(fieldFormats(of)),
      fields: JSON.stringify(fields),
    },
    references: [],
    migrationVersion: { "index-pattern": "7.6.0" },
  };
}

export function savedSearch({ id, title, about, of, where, columns }: Search): SavedObject {
  for (const column of columns) typeOf(column, false, of);
  return {
    id: `tapline-${id}`,
    type: "search",
    attributes: {
      title: TITLE + title,
      description: about,
      hits: 0,
      version: 1,
      columns,
      sort: [["@timestamp", "desc"]],
      kibanaSavedObjectMeta: meta({ where, of }),
    },
    references: [viewRef(SOURCE, of)],
    migrationVersion: { search: "7.9.3" },
  };
}

function visualization(id: string, title: string, state: Json, uiState: Json, asked?: Asked): SavedObject {
  return {
    id,
    type: "visualization",
    attributes: {
      title,
      description: "",
      version: 1,
      visState: JSON.stringify({ title, ...state }),
      uiStateJSON: JSON.stringify(uiState),
      kibanaSavedObjectMeta: meta(asked),
    },
    references: asked === undefined ? [] : [viewRef(SOURCE, asked.of)],
    migrationVersion: { visualization: "7.10.0" },
  };
}

const markdown = (id: string, title: string, { text }: TextPanel): SavedObject =>
  visualization(
    id,
    title,
    { type: "markdown", params: { fontSize: 12, openLinksInNewTab: false, markdown: text }, aggs: [] },
    {},
  );

const ref = (i: number): string => `control_${i}_index_pattern`;

function controls(dashboard: Dashboard): SavedObject {
  const list = dashboard.filters.map(({ field, label }, i) => {
    typeOf(field, true);
    const options = { type: "terms", multiselect: true, dynamicOptions: true, size: 100, order: "desc" };
    return {
      id: `filter-${i}`,
      fieldName: field,
      parent: "",
      label,
      type: "list",
      options,
      indexPatternRefName: ref(i),
    };
  });
  const params = { controls: list, updateFiltersOnChange: true, useTimeFilter: true, pinFilters: false };
  const title = `${TITLE}${dashboard.short}: filters`;
  const state = { type: "input_control_vis", params, aggs: [] };
  const made = visualization(`tapline-${dashboard.id}-filters`, title, state, {});
  const references = list.map((_, i) => viewRef(ref(i)));
  return { ...made, references };
}

/** A dashboard and what it is made of. */
export function classicDashboard(dashboard: Dashboard, all: readonly Dashboard[]): SavedObject[] {
  const objects: SavedObject[] = [];
  const panels: Json[] = [];
  const references: { name: string; type: string; id: string }[] = [];
  const add = (id: string, type: string, grid: Json, config: Json): void => {
    const index = String(panels.length + 1);
    const panelRefName = `panel_${panels.length}`;
    references.push({ name: panelRefName, type, id });
    panels.push({
      version: "7.10.2",
      gridData: { ...grid, i: index },
      panelIndex: index,
      embeddableConfig: config,
      panelRefName,
    });
  };
  const filtered = dashboard.filters.length > 0;
  for (const { panel, grid } of place(dashboard, all, filtered ? CONTROLS_HEIGHT : 0)) {
    if (panel.kind === "events") {
      add(`tapline-${panel.search}`, "search", grid, { title: panel.title });
      continue;
    }
    const id = `tapline-${dashboard.id}-${panel.id}`;
    const title = `${TITLE}${dashboard.short}: ${titleOf(panel)}`;
    if (panel.kind === "text") {
      objects.push(markdown(id, title, panel));
      add(id, "visualization", grid, { hidePanelTitles: true });
      continue;
    }
    const { uiState, ...state } = classicChart(panel, grid.h);
    objects.push(visualization(id, title, state, uiState, panel));
    const period = panel.period !== undefined ? { timeRange: panel.period } : {};
    add(id, "visualization", grid, { title: titleOf(panel), ...period });
    if (panel.id !== "scope" || !filtered) continue;
    const control = controls(dashboard);
    objects.push(control);
    add(
      control.id,
      "visualization",
      { x: 0, y: grid.y + grid.h, w: 48, h: CONTROLS_HEIGHT },
      { hidePanelTitles: true },
    );
  }
  const attributes = {
    title: TITLE + dashboard.title,
    description: dashboard.about,
    hits: 0,
    version: 1,
    panelsJSON: JSON.stringify(panels),
    optionsJSON: JSON.stringify({ hidePanelTitles: false, useMargins: true }),
    timeRestore: true,
    timeFrom: dashboard.from,
    timeTo: "now",
    refreshInterval: { pause: true, value: 0 },
    kibanaSavedObjectMeta: meta(undefined),
  };
  const migrationVersion = { dashboard: "7.9.3" };
  return [
    ...objects,
    { id: `tapline-${dashboard.id}`, type: "dashboard", attributes, references, migrationVersion },
  ];
}
