// Charts in the classic form: kind, parameters, aggregations and colours of one panel.
import { PLAIN } from "../../dashboards/colours.ts";
import type {
  AskingPanel,
  BarPanel,
  By,
  ByValue,
  Metric,
  Source,
  TimePanel,
} from "../../dashboards/define.ts";
import {
  checkMetric,
  columnWidths,
  isByValue,
  kql,
  rowsShown,
  sizeOf,
  tellsMissing,
} from "./dashboards-common.ts";

type Json = Record<string, unknown>;

const OPERATIONS = { distinct: "cardinality", sum: "sum", min: "min", max: "max" } as const;

function metricAgg(metric: Metric, id: string, of: Source | undefined): Json {
  checkMetric(metric, of);
  const { op, field, percentile, label } = metric;
  const agg = { id, enabled: true, schema: "metric" };
  if (op === "count") return { ...agg, type: "count", params: { customLabel: label } };
  // Of the median the whole name is ours.
  if (percentile === 50)
    return { ...agg, type: "median", params: { field, percents: [50], customLabel: label } };
  if (op === "percentile")
    return { ...agg, type: "percentiles", params: { field, percents: [percentile], customLabel: label } };
  return { ...agg, type: OPERATIONS[op], params: { field, customLabel: label } };
}

function termsAgg(by: ByValue, panel: AskingPanel, id: string, schema: string): Json {
  const params = {
    field: by.field,
    orderBy: "1",
    order: panel.kind === "table" && panel.smallestFirst === true ? "asc" : "desc",
    size: sizeOf(by),
    otherBucket: false,
    otherBucketLabel: "Other",
    missingBucket: tellsMissing(by, panel),
    missingBucketLabel: "(none)",
    customLabel: by.label,
  };
  return { id, enabled: true, type: "terms", schema, params };
}

function bucketAgg(by: By, panel: AskingPanel, id: string, schema: string): Json {
  if (isByValue(by)) return termsAgg(by, panel, id, schema);
  const filters = by.groups.map(({ label, where }) => ({ input: kql(where, panel.of), label }));
  return { id, enabled: true, type: "filters", schema, params: { filters, customLabel: by.label } };
}

const histogram = (id: string, interval: string): Json => ({
  id,
  enabled: true,
  type: "date_histogram",
  schema: "segment",
  params: {
    field: "@timestamp",
    useNormalizedOpenSearchInterval: true,
    useNormalizedEsInterval: true,
    scaleMetricValues: false,
    interval,
    drop_partials: false,
    min_doc_count: 1,
    extended_bounds: {},
  },
});

function axes(kind: "time" | "bar", label: string, stacked: boolean): Json {
  const [category, value] = kind === "time" ? ["bottom", "left"] : ["left", "bottom"];
  return {
    type: "histogram",
    grid: { categoryLines: false },
    categoryAxes: [
      {
        id: "CategoryAxis-1",
        type: "category",
        position: category,
        show: true,
        style: {},
        scale: { type: "linear" },
        labels: { show: true, filter: kind === "time", truncate: 200, rotate: 0 },
        title: {},
      },
    ],
    valueAxes: [
      {
        id: "ValueAxis-1",
        name: kind === "time" ? "LeftAxis-1" : "BottomAxis-1",
        type: "value",
        position: value,
        show: true,
        style: {},
        scale: { type: "linear", mode: "normal" },
        labels: { show: true, rotate: 0, filter: kind === "bar", truncate: 100 },
        title: { text: label },
      },
    ],
    seriesParams: [
      {
        show: true,
        type: "histogram",
        mode: stacked ? "stacked" : "normal",
        data: { label, id: "1" },
        valueAxis: "ValueAxis-1",
        drawLinesBetweenPoints: true,
        lineWidth: 2,
        showCircles: true,
        interpolate: "linear",
      },
    ],
    addTooltip: true,
    addLegend: stacked,
    legendPosition: "right",
    times: [],
    addTimeMarker: false,
    labels: { show: false },
    thresholdLine: { show: false, value: 10, width: 1, style: "full", color: PLAIN },
  };
}

const NUMBER = {
  addTooltip: true,
  addLegend: false,
  type: "metric",
  metric: {
    percentageMode: false,
    useRanges: false,
    colorSchema: "Green to Red",
    metricColorMode: "None",
    colorsRange: [{ from: 0, to: 10_000 }],
    labels: { show: true },
    invertColors: false,
    style: { bgFill: "#000", bgColor: false, labelColor: false, subText: "", fontSize: 36 },
  },
};
const TABLE = {
  showPartialRows: false,
  showMetricsAtAllLevels: false,
  sort: { columnIndex: null, direction: null },
  showTotal: false,
  totalFunc: "sum",
  percentageCol: "",
};
const HEAT = {
  type: "heatmap",
  addTooltip: true,
  addLegend: true,
  enableHover: false,
  legendPosition: "right",
  times: [],
  colorsNumber: 4,
  colorSchema: "Greys",
  setColorRange: false,
  colorsRange: [],
  invertColors: false,
  percentageMode: false,
  valueAxes: [
    {
      show: false,
      id: "ValueAxis-1",
      type: "value",
      scale: { type: "linear", defaultYExtents: false },
      labels: { show: true, rotate: 0, truncate: 120, overwriteColor: false, color: "black" },
    },
  ],
};

function colours(panel: TimePanel | BarPanel): Json {
  const by = panel.kind === "time" ? panel.by : panel.stack;
  return { vis: { colors: by === undefined ? { [panel.metric.label]: PLAIN } : (by.colours ?? {}) } };
}

/** Kind, parameters, aggregations and state of one panel. */
export function classicChart(
  panel: AskingPanel,
  height: number,
): {
  type: string;
  params: Json;
  aggs: Json[];
  uiState: Json;
} {
  const { of } = panel;
  if (panel.kind === "table") {
    const { metrics, by } = panel;
    const aggs = [
      ...metrics.map((metric, i) => metricAgg(metric, String(i + 1), of)),
      ...by.map((one, i) => bucketAgg(one, panel, String(metrics.length + i + 1), "bucket")),
    ];
    const columnsWidth = columnWidths(panel).map((width, colIndex) => ({ colIndex, width }));
    return {
      type: "table",
      params: { ...TABLE, perPage: rowsShown(height) },
      aggs,
      uiState: { vis: { columnsWidth } },
    };
  }
  const metric = metricAgg(panel.metric, "1", of);
  if (panel.kind === "number") return { type: "metric", params: NUMBER, aggs: [metric], uiState: {} };
  if (panel.kind === "heat") {
    const aggs = [metric, termsAgg(panel.by, panel, "3", "group"), histogram("2", "d")];
    return { type: "heatmap", params: HEAT, aggs, uiState: {} };
  }
  const split = panel.kind === "time" ? panel.by : panel.stack;
  const group = split === undefined ? [] : [termsAgg(split, panel, "3", "group")];
  const across = panel.kind === "time" ? histogram("2", "auto") : termsAgg(panel.by, panel, "2", "segment");
  return {
    type: panel.kind === "time" ? "histogram" : "horizontal_bar",
    params: axes(panel.kind, panel.metric.label, split !== undefined),
    // What stands first is asked first: the values with the most in the whole period, not in each day.
    aggs: panel.kind === "time" ? [metric, ...group, across] : [metric, across, ...group],
    uiState: colours(panel),
  };
}
