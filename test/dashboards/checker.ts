// Checks files of saved objects without a front end, by rules found by importing into OpenSearch Dashboards 2.8 and 2.19 and
// Kibana 8.12: an import fails, or a panel stays empty, where one is broken. Returns what is wrong, in sentences.
import { checkLens, checkLinks, checkShared } from "./checker-lens.ts";
import { type DashboardPanel, type Grid, type SavedObject, panelsOf, parse, visStateOf } from "./objects.ts";

/** Attributes by type; `undefined`: the type takes any. */
interface Rules {
  readonly attributes: Readonly<Record<string, readonly string[] | undefined>>;
  readonly top: readonly string[];
  readonly version: (object: SavedObject) => string | undefined;
  readonly panel: (dashboard: SavedObject, panel: DashboardPanel) => string | undefined;
}
const BASE = ["id", "type", "attributes", "references"];
const META = "kibanaSavedObjectMeta";
const TIME = ["timeRestore", "timeFrom", "timeTo", "refreshInterval"];

const LAST_KNOWN: Readonly<Record<string, string>> = {
  "index-pattern": "7.6.0",
  visualization: "7.10.0",
  search: "7.9.3",
  dashboard: "7.9.3",
};
const OPENSEARCH: Rules = {
  attributes: {
    dashboard: ["title", "description", "panelsJSON", "optionsJSON", "hits", "version", ...TIME, META],
    visualization: ["title", "description", "visState", "uiStateJSON", "version", "savedSearchRefName", META],
    search: ["title", "description", "columns", "sort", "hits", "version", META],
    query: ["title", "description", "query", "filters", "timefilter"],
    "index-pattern": undefined,
  },
  top: [...BASE, "migrationVersion"],
  version: ({ type, migrationVersion }) => {
    const known = LAST_KNOWN[type];
    const told = (migrationVersion as Record<string, string> | undefined)?.[type];
    return told === undefined || told === known
      ? undefined
      : `migrationVersion ${told}, the last known is ${known}: the whole file is refused`;
  },
  panel: (dashboard, { panelRefName }) => {
    if (panelRefName === undefined) return "a panel by value, which this front end does not know";
    if (!/^panel_\d+$/.test(panelRefName)) return `panelRefName ${panelRefName}, panel_<n> is read`;
    return dashboard.references.some(({ name }) => name === panelRefName)
      ? undefined
      : `no reference ${panelRefName}`;
  },
};

const NEWEST: Readonly<Record<string, readonly string[]>> = {
  dashboard: ["8.9.0"],
  search: ["7.9.3", "8.0.0"],
  "index-pattern": ["7.11.0", "8.0.0"],
};
const KIBANA: Rules = {
  attributes: {
    dashboard: [
      "title",
      "description",
      "panelsJSON",
      "optionsJSON",
      "hits",
      "version",
      ...TIME,
      "controlGroupInput",
      META,
    ],
    search: [
      "title",
      "description",
      "columns",
      "sort",
      "grid",
      "hideChart",
      "isTextBasedQuery",
      "timeRestore",
      "hits",
      META,
    ],
    "index-pattern": undefined,
  },
  top: [...BASE, "coreMigrationVersion", "typeMigrationVersion", "managed"],
  version: ({ type, coreMigrationVersion, typeMigrationVersion }) =>
    coreMigrationVersion === "8.8.0" && NEWEST[type]?.includes(String(typeMigrationVersion)) === true
      ? undefined
      : `versions ${String(coreMigrationVersion)} and ${String(typeMigrationVersion)}: the whole file may be refused`,
  panel: (dashboard, panel) => {
    const { type, panelIndex, panelRefName, embeddableConfig } = panel;
    const has = (name: string): boolean => dashboard.references.some((reference) => reference.name === name);
    if (type === "search") {
      return has(`${panelIndex}:${panelRefName}`) && panelRefName === `panel_${panelIndex}`
        ? undefined
        : `no reference ${panelIndex}:panel_${panelIndex}`;
    }
    if (type === "visualization") {
      const saved = embeddableConfig["savedVis"] as { type?: string } | undefined;
      return saved?.type === "markdown" ? undefined : "a visualization by value that is no markdown";
    }
    if (type !== "lens") return `a panel of type ${String(type)}`;
    const { references } = embeddableConfig["attributes"] as { references: { name: string }[] };
    const lost = references.find(({ name }) => !has(`${panelIndex}:${name}`));
    return lost === undefined ? checkLens(panel) : `no reference ${panelIndex}:${lost.name}`;
  },
};
export const RULES = { opensearch: OPENSEARCH, kibana: KIBANA } as const;

const KINDS = [
  "markdown",
  "input_control_vis",
  "metric",
  "histogram",
  "line",
  "horizontal_bar",
  "pie",
  "table",
  "heatmap",
  "tagcloud",
  "metrics",
  "vega",
];

/** Kinds that draw everywhere, and the traps of two of them. */
function checkVis(object: SavedObject): string[] {
  const { title, type, params, aggs } = visStateOf(object);
  const wrong: string[] = [];
  if (title !== object.attributes["title"]) wrong.push("visState.title is not title");
  if (!KINDS.includes(type)) wrong.push(`kind ${type}`);
  const ids = aggs.map(({ id }) => id);
  for (const { id, params: of } of aggs) {
    if (of.orderBy !== undefined && !ids.includes(of.orderBy)) wrong.push(`agg ${id} orders by none`);
  }
  if (type === "metrics" && JSON.stringify(params).includes("opensearchDashboards"))
    wrong.push("split_color_mode opensearchDashboards, which stays empty in Kibana");
  if (type === "vega") {
    const { $schema }: { $schema?: string } = parse(params["spec"]);
    if ($schema?.endsWith("/vega-lite/v4.json") !== true)
      wrong.push("vega without the $schema of vega-lite v4");
  }
  if (type === "input_control_vis") {
    for (const [i, control] of (params["controls"] as { indexPatternRefName: string }[]).entries()) {
      const name = `control_${i}_index_pattern`;
      const there = object.references.some((reference) => reference.name === name);
      if (control.indexPatternRefName !== name || !there) wrong.push(`no reference ${name}`);
    }
  }
  return wrong;
}

const overlap = (a: Grid, b: Grid): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

function checkDashboard(object: SavedObject, rules: Rules): string[] {
  const wrong: string[] = [];
  const panels = panelsOf(object);
  for (const [i, panel] of panels.entries()) {
    const { gridData: grid, panelIndex } = panel;
    if (grid.i !== panelIndex) wrong.push(`panel ${panelIndex}: gridData.i is ${grid.i}`);
    if (grid.x < 0 || grid.y < 0 || grid.w < 1 || grid.h < 1 || grid.x + grid.w > 48)
      wrong.push(`panel ${panelIndex} leaves the grid`);
    for (const other of panels.slice(i + 1)) {
      if (other.panelIndex === panelIndex) wrong.push(`two panels ${panelIndex}`);
      if (overlap(grid, other.gridData))
        wrong.push(`panels ${panelIndex} and ${other.panelIndex} lie on each other`);
    }
    const why = rules.panel(object, panel);
    if (why !== undefined) wrong.push(`panel ${panelIndex}: ${why}`);
  }
  if (object.attributes["timeRestore"] !== true) wrong.push("timeRestore is not set");
  const group = object.attributes["controlGroupInput"] as Record<string, string> | undefined;
  if (group === undefined) return wrong;
  const keys = ["chainingSystem", "controlStyle", "ignoreParentSettingsJSON", "panelsJSON"];
  for (const key of Object.keys(group))
    if (!keys.includes(key)) wrong.push(`controlGroupInput.${key}, which Kibana 8.12 refuses`);
  for (const id of Object.keys(parse(group["panelsJSON"]))) {
    const name = `controlGroup_${id}:optionsListDataView`;
    if (!object.references.some((reference) => reference.name === name)) wrong.push(`no reference ${name}`);
  }
  return wrong;
}

/** Every value whose name ends in JSON, and visState, is JSON in a string. */
function checkStrings(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (!/JSON$|^visState$/.test(key)) return checkStrings(inner, `${path}.${key}`);
    try {
      if (typeof inner === "string" && typeof JSON.parse(inner) === "object") return [];
    } catch {
      // told below
    }
    return [`${path}.${key} is not JSON in a string`];
  });
}

function checkObject(object: SavedObject, rules: Rules, known: ReadonlySet<string>): string[] {
  const { type, attributes, references } = object;
  const strings = checkStrings(attributes, "attributes");
  if (!(type in rules.attributes) || strings.length > 0)
    return type in rules.attributes ? strings : [`type ${type}, which is not taken`];
  const wrong: string[] = [];
  for (const key of Object.keys(object)) if (!rules.top.includes(key)) wrong.push(`key ${key}`);
  const allowed = rules.attributes[type];
  for (const key of Object.keys(attributes))
    if (allowed?.includes(key) === false) wrong.push(`attribute ${key}: the mapping is strict`);
  const version = rules.version(object);
  if (version !== undefined) wrong.push(version);
  for (const reference of references) {
    if (!known.has(`${reference.type}:${reference.id}`))
      wrong.push(`reference to ${reference.type} ${reference.id}, which is not in the file`);
  }
  if (type === "visualization") wrong.push(...checkVis(object));
  if (type === "dashboard") wrong.push(...checkDashboard(object, rules));
  if (type === "index-pattern" && rules === OPENSEARCH && typeof attributes["fields"] !== "string")
    wrong.push("without fields: the first view's panels race to write them");
  if (type === "index-pattern" && rules === KIBANA) wrong.push(...checkLinks(object));
  return wrong;
}

/** What is wrong with a file, as "type id: what". */
export function check(objects: readonly SavedObject[], rules: Rules): string[] {
  const names = objects.map(({ type, id }) => `${type}:${id}`);
  const known = new Set(names);
  const twice = names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name} is there twice`);
  return [
    ...twice,
    ...(rules === KIBANA ? checkShared(objects) : []),
    ...objects.flatMap((object) =>
      checkObject(object, rules, known).map((what) => `${object.type} ${object.id}: ${what}`),
    ),
  ];
}
