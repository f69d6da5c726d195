// The columns of a Lens panel: what is counted, and by what.
import type { AskingPanel, By, ByValue, Metric, Source } from "../../dashboards/define.ts";
import { checkMetric, isByValue, kql, labelOf, sizeOf, tellsMissing, typeOf } from "./dashboards-common.ts";

type Json = Record<string, unknown>;

const OPERATIONS = {
  count: "count",
  distinct: "unique_count",
  sum: "sum",
  min: "min",
  max: "max",
  percentile: "percentile",
} as const;

export function metricColumn(metric: Metric, of: Source | undefined): Json {
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

export function termsColumn(by: ByValue, panel: AskingPanel, orderBy: string): Json {
  const missing = tellsMissing(by, panel);
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
      // Lens counts what lacks the field only where it also shows "Other", what is beyond the values shown.
      otherBucket: missing,
      missingBucket: missing,
      parentFormat: { id: "terms" },
      include: [],
      exclude: [],
      includeIsRegex: false,
      excludeIsRegex: false,
    },
  };
}

export function bucketColumn(by: By, panel: AskingPanel, orderBy: string): Json {
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

export const timeColumn = (interval: string): Json => ({
  label: "@timestamp",
  dataType: "date",
  operationType: "date_histogram",
  sourceField: "@timestamp",
  isBucketed: true,
  scale: "interval",
  params: { interval, includeEmptyRows: true, dropPartials: false },
});
