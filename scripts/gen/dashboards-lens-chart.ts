// Lens panels: type, columns, state and colours of one panel. Where a bucket's values are known beforehand, colours are
// bound to them (from Kibana 8.11 on; before, its own palette is shown).
import { PLAIN } from "../../dashboards/colours.ts";
import type { AskingPanel, By, ByValue, Metric, Source } from "../../dashboards/define.ts";
import {
  checkMetric,
  columnWidths,
  isByValue,
  kql,
  labelOf,
  sizeOf,
  tellsMissing,
  typeOf,
} from "./dashboards-common.ts";

type Json = Record<string, unknown>;

const LAYER = "layer1";
export const LAYER_REF = `indexpattern-datasource-layer-${LAYER}`;

const OPERATIONS = {
  count: "count",
  distinct: "unique_count",
  sum: "sum",
  min: "min",
  max: "max",
  percentile: "percentile",
} as const;

function metricColumn(metric: Metric, of: Source | undefined): Json {
  checkMetric(metric, of);
  const { op, field, percentile } = metric;
  const isDate = field !== undefined && op !== "distinct" && typeOf(field, true, of) === "date";
  return {
    label: labelOf(metric),
    customLabel: true,
    dataType: isDate ? "date" : "number",
    operationType: OPERATIONS[op],
    isBucketed: false,
    scale: "ratio",
    sourceField: op === "count" ? "___records___" : field,
    params: { emptyAsNull: op !== "count", ...(percentile === undefined ? {} : { percentile }) },
  };
}

const DATA_TYPES: Readonly<Record<string, string>> = {
  long: "number",
  "long[]": "number",
  double: "number",
  boolean: "boolean",
  date: "date",
  ip: "ip",
};

function termsColumn(by: ByValue, panel: AskingPanel, orderBy: string): Json {
  return {
    label: by.label,
    customLabel: true,
    dataType: DATA_TYPES[typeOf(by.field, true, panel.of)] ?? "string",
    operationType: "terms",
    scale: "ordinal",
    sourceField: by.field,
    isBucketed: true,
    params: {
      size: sizeOf(by),
      orderBy: { type: "column", columnId: orderBy },
      orderDirection: panel.kind === "table" && panel.smallestFirst === true ? "asc" : "desc",
      otherBucket: false,
      missingBucket: tellsMissing(by, panel),
      parentFormat: { id: "terms" },
      include: [],
      exclude: [],
      includeIsRegex: false,
      excludeIsRegex: false,
    },
  };
}

function bucketColumn(by: By, panel: AskingPanel, orderBy: string): Json {
  if (isByValue(by)) return termsColumn(by, panel, orderBy);
  const filters = by.groups.map(({ label, where }) => ({ label, input: kql(where, panel.of) }));
  return {
    label: by.label,
    customLabel: true,
    dataType: "string",
    operationType: "filters",
    scale: "ordinal",
    isBucketed: true,
    params: { filters },
  };
}

const timeColumn = (interval: string): Json => ({
  label: "@timestamp",
  dataType: "date",
  operationType: "date_histogram",
  sourceField: "@timestamp",
  isBucketed: true,
  scale: "interval",
  params: { interval, includeEmptyRows: true, dropPartials: false },
});

const bound = (rule: Json, colorCode: string): Json => ({
  rule,
  color: { type: "colorCode", colorCode },
  touched: true,
});

/** Colours of known values; whatever else turns up is black. */
const colourMapping = (colours: Readonly<Record<string, string>>): Json => ({
  assignments: Object.entries(colours).map(([value, colour]) =>
    bound({ type: "matchExactly", values: [value] }, colour),
  ),
  specialAssignments: [bound({ type: "other" }, "#000000")],
  paletteId: "eui_amsterdam_color_blind",
  colorMode: { type: "categorical" },
});

function chart(kind: "time" | "bar", split: ByValue | undefined): Json {
  const seriesType = kind === "time" ? "bar_stacked" : split ? "bar_horizontal_stacked" : "bar_horizontal";
  const sides = { x: true, yLeft: true, yRight: true };
  return {
    legend: { isVisible: split !== undefined, position: "right" },
    valueLabels: kind === "bar" && split === undefined ? "show" : "hide",
    fittingFunction: "None",
    preferredSeriesType: seriesType,
    axisTitlesVisibilitySettings: { ...sides, x: false },
    tickLabelsVisibilitySettings: sides,
    labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
    gridlinesVisibilitySettings: sides,
    layers: [
      {
        layerId: LAYER,
        layerType: "data",
        seriesType,
        accessors: ["m1"],
        xAccessor: "b1",
        position: "top",
        showGridlines: false,
        ...(split === undefined
          ? { yConfig: [{ forAccessor: "m1", color: PLAIN }] }
          : { splitAccessor: "b2", ...(split.colours && { colorMapping: colourMapping(split.colours) }) }),
      },
    ],
  };
}

const HEAT = {
  shape: "heatmap",
  layerId: LAYER,
  layerType: "data",
  xAccessor: "b1",
  yAccessor: "b2",
  valueAccessor: "m1",
  legend: { isVisible: true, position: "right", type: "heatmap_legend" },
  gridConfig: {
    type: "heatmap_grid",
    isCellLabelVisible: true,
    isYAxisLabelVisible: true,
    isXAxisLabelVisible: true,
    isYAxisTitleVisible: false,
    isXAxisTitleVisible: false,
  },
};

interface Lens {
  readonly type: string;
  readonly visualization: Json;
  readonly columns: Record<string, Json>;
}

function lensOf(panel: AskingPanel): Lens {
  const { of } = panel;
  if (panel.kind === "table") {
    const columns: Record<string, Json> = {};
    for (const [i, by] of panel.by.entries()) columns[`b${i + 1}`] = bucketColumn(by, panel, "m1");
    for (const [i, metric] of panel.metrics.entries()) columns[`m${i + 1}`] = metricColumn(metric, of);
    const widths = columnWidths(panel);
    const shown = Object.keys(columns).map((columnId, i) => ({ columnId, width: widths[i] }));
    const paging = { size: 10, enabled: true };
    return {
      type: "lnsDatatable",
      visualization: { layerId: LAYER, layerType: "data", columns: shown, paging },
      columns,
    };
  }
  const m1 = metricColumn(panel.metric, of);
  if (panel.kind === "number") {
    const visualization = { layerId: LAYER, layerType: "data", metricAccessor: "m1" };
    return { type: "lnsMetric", visualization, columns: { m1 } };
  }
  if (panel.kind === "heat") {
    const b2 = termsColumn(panel.by, panel, "m1");
    return { type: "lnsHeatmap", visualization: HEAT, columns: { b2, b1: timeColumn("1d"), m1 } };
  }
  const split = panel.kind === "time" ? panel.by : panel.stack;
  const b1 = panel.kind === "time" ? timeColumn("auto") : termsColumn(panel.by, panel, "m1");
  const visualization = chart(panel.kind, split);
  if (split === undefined) return { type: "lnsXY", visualization, columns: { b1, m1 } };
  const b2 = termsColumn(split, panel, "m1");
  // What stands first is asked first: the values with the most in the whole period, not in each day.
  const columns: Record<string, Json> = panel.kind === "time" ? { b2, b1, m1 } : { b1, b2, m1 };
  return { type: "lnsXY", visualization, columns };
}

/** The attributes of a Lens panel by value; `reference` names its data view. */
export function lensAttributes(panel: AskingPanel, reference: Json): Json {
  const { type, visualization, columns } = lensOf(panel);
  const layer = {
    columns,
    columnOrder: Object.keys(columns),
    incompleteColumns: {},
    sampling: 1,
    ignoreGlobalFilters: false,
  };
  return {
    title: "",
    description: "",
    visualizationType: type,
    type: "lens",
    references: [reference],
    state: {
      visualization,
      query: kql(panel.where, panel.of),
      filters: [],
      internalReferences: [],
      adHocDataViews: {},
      datasourceStates: {
        formBased: { layers: { [LAYER]: layer } },
        indexpattern: { layers: {} },
        textBased: { layers: {} },
      },
    },
  };
}
