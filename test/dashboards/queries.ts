// What every panel of a file asks, as the search request that its front end sends: read from the saved objects, so that
// what is shipped is what is tried.
import {
  type ClassicAgg,
  type DashboardPanel,
  type LensColumn,
  type SavedObject,
  lensOf,
  ofType,
  panelsOf,
  parse,
  sourceOf,
  visStateOf,
} from "./objects.ts";
import { readKql } from "./kql.ts";

type Json = Record<string, unknown>;

const EVENTS = "tapline-events-view";
interface AskedOf {
  readonly field: string;
  readonly op: string;
}
export interface PanelQuery {
  readonly panel: string;
  /** Id of the data view. */
  readonly view: string;
  /** Fields that are aggregated, and how. */
  readonly aggregated: readonly AskedOf[];
  /** Fields in conditions and columns. */
  readonly named: readonly string[];
  readonly body: Json;
  /** Names of the buckets' aggregations, outermost first, and of the figures in the innermost. */
  readonly buckets: readonly string[];
  readonly metrics: readonly string[];
}

interface Bucket {
  readonly name: string;
  readonly op: string;
  readonly field: string | undefined;
  readonly size: number | undefined;
  readonly missing: boolean;
  readonly filters: readonly { readonly input: { readonly query: string }; readonly label: string }[];
  /** Name of the figure that orders, and which way. */
  readonly order: string | undefined;
  readonly way: string | undefined;
}
interface Figure {
  readonly name: string;
  readonly op: string;
  readonly field: string | undefined;
  readonly percent: number | undefined;
}

const METRICS: Readonly<Record<string, string>> = {
  cardinality: "cardinality",
  unique_count: "cardinality",
  sum: "sum",
  min: "min",
  max: "max",
  median: "percentiles",
  percentiles: "percentiles",
  percentile: "percentiles",
};

function figure({ op, field, percent }: Figure): Json {
  const kind = METRICS[op];
  if (kind === undefined) throw new Error(`no figure ${op}`);
  return { [kind]: { field, ...(percent === undefined ? {} : { percents: [percent] }) } };
}

function bucket(one: Bucket, figures: readonly Figure[]): Json {
  const { op, field, size, missing, filters } = one;
  if (op === "date_histogram") return { date_histogram: { field, calendar_interval: "1d" } };
  if (op === "filters") {
    const named = Object.fromEntries(filters.map(({ label, input }) => [label, readKql(input.query).query]));
    return { filters: { filters: named } };
  }
  if (op !== "terms") throw new Error(`no bucket ${op}`);
  const by = figures.find(({ name }) => name === one.order);
  if (by === undefined) throw new Error(`ordered by ${one.order}, which is no figure`);
  const order = { [by.op === "count" ? "_count" : by.name]: one.way };
  return { terms: { field, size, order, ...(missing ? { missing: "__missing__" } : {}) } };
}

/** One request: buckets in buckets, figures in each. */
function request(
  panel: string,
  view: string,
  query: string,
  buckets: readonly Bucket[],
  figures: readonly Figure[],
): PanelQuery {
  const computed = figures.filter(({ op }) => op !== "count");
  const aggs = Object.fromEntries(computed.map((one) => [one.name, figure(one)]));
  let inner: Json = aggs;
  for (const one of buckets.toReversed())
    inner = { [one.name]: { ...bucket(one, figures), aggs: { ...inner, ...aggs } } };
  const { query: asked, fields } = readKql(query);
  const groups = buckets.flatMap((one) => one.filters.flatMap(({ input }) => readKql(input.query).fields));
  const aggregated = [...buckets, ...figures].flatMap(({ field, op }) =>
    field === undefined ? [] : [{ field, op }],
  );
  return {
    panel,
    view,
    aggregated,
    named: [...fields, ...groups],
    body: { size: 0, track_total_hits: true, query: asked, aggs: inner },
    buckets: buckets.map(({ name }) => name),
    metrics: computed.map(({ name }) => name),
  };
}

/** The one data view that an object refers to. */
function viewOf(name: string, { references }: Pick<SavedObject, "references">): string {
  const views = references.filter(({ type }) => type === "index-pattern");
  if (views.length !== 1) throw new Error(`${name}: ${views.length} data views`);
  return views[0]!.id;
}

const isMetric = ({ schema }: ClassicAgg): boolean => schema === "metric";

function classic(panel: string, object: SavedObject): PanelQuery | undefined {
  const { type, aggs } = visStateOf(object);
  if (type === "markdown" || type === "input_control_vis") return undefined;
  const figures = aggs.filter(isMetric).map((agg) => ({
    name: agg.id,
    op: agg.type,
    field: agg.params.field,
    percent: agg.params.percents?.[0],
  }));
  const buckets = aggs
    .filter((agg) => !isMetric(agg))
    .map(({ id, type: op, params }) => ({
      name: id,
      op,
      field: params.field,
      size: params.size,
      missing: params.missingBucket === true,
      filters: params.filters ?? [],
      order: params.orderBy,
      way: params.order,
    }));
  return request(panel, viewOf(panel, object), sourceOf(object).query.query, buckets, figures);
}

function lens(name: string, panel: DashboardPanel): PanelQuery {
  const { query, datasourceStates } = lensOf(panel);
  const layers = Object.values(datasourceStates.formBased.layers);
  if (layers.length !== 1) throw new Error(`${name}: ${layers.length} layers`);
  const { columns, columnOrder } = layers[0]!;
  const all = columnOrder.map((id): [string, LensColumn] => [id, columns[id]!]);
  const figures = all
    .filter(([, column]) => !column.isBucketed)
    .map(([id, { operationType: op, sourceField, params }]) => ({
      name: id,
      op,
      field: op === "count" ? undefined : sourceField,
      percent: params?.percentile,
    }));
  const buckets = all
    .filter(([, column]) => column.isBucketed)
    .map(([id, { operationType: op, sourceField, params }]) => ({
      name: id,
      op,
      field: sourceField,
      size: params?.size,
      // Lens heeds it only beside "Other".
      missing: params?.missingBucket === true && params.otherBucket === true,
      filters: params?.filters ?? [],
      order: params?.orderBy?.columnId,
      way: params?.orderDirection,
    }));
  const { references } = panel.embeddableConfig["attributes"] as Pick<SavedObject, "references">;
  return request(name, viewOf(name, { references }), query.query, buckets, figures);
}

function controlled(dashboard: SavedObject, objects: readonly SavedObject[]): string[] {
  const group = dashboard.attributes["controlGroupInput"] as { panelsJSON: string } | undefined;
  if (group !== undefined) {
    const panels: Record<string, { explicitInput: { fieldName: string } }> = parse(group.panelsJSON);
    return Object.values(panels).map(({ explicitInput }) => explicitInput.fieldName);
  }
  return objects
    .filter(({ id }) => dashboard.references.some((reference) => reference.id === id))
    .filter(({ type }) => type === "visualization")
    .map(visStateOf)
    .filter(({ type }) => type === "input_control_vis")
    .flatMap(({ params }) => (params["controls"] as { fieldName: string }[]).map((c) => c.fieldName));
}

/** Every panel, saved search and filter control of a file. */
export function queriesOf(objects: readonly SavedObject[]): PanelQuery[] {
  const all: PanelQuery[] = [];
  const byId = new Map(objects.map((object) => [`${object.type}:${object.id}`, object]));
  for (const search of ofType(objects, "search")) {
    const name = `search ${search.id}`;
    const asked = request(name, viewOf(name, search), sourceOf(search).query.query, [], []);
    const columns = search.attributes["columns"] as string[];
    all.push({ ...asked, named: [...asked.named, ...columns] });
  }
  for (const dashboard of ofType(objects, "dashboard")) {
    for (const panel of panelsOf(dashboard)) {
      const name = `${dashboard.id} ${panel.title ?? String(panel.embeddableConfig["title"] ?? panel.panelIndex)}`;
      if (panel.type === "lens") all.push(lens(name, panel));
      if (panel.type !== undefined) continue;
      const reference = dashboard.references.find((one) => one.name === panel.panelRefName)!;
      const object = byId.get(`${reference.type}:${reference.id}`)!;
      const asked = object.type === "visualization" ? classic(name, object) : undefined;
      if (asked !== undefined) all.push(asked);
    }
    for (const field of controlled(dashboard, objects)) {
      const one = {
        name: "c",
        op: "terms",
        field,
        size: 100,
        missing: false,
        filters: [],
        order: "n",
        way: "desc",
      };
      const figures = [{ name: "n", op: "count", field: undefined, percent: undefined }];
      all.push(request(`${dashboard.id} filter ${field}`, EVENTS, "", [one], figures));
    }
  }
  return all;
}
