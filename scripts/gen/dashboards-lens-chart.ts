// Lens panels: type, state and colours of one panel. Where a bucket's values are known beforehand, colours are
// bound to them (from Kibana 8.11 on; before, its own palette is shown).
import { GREYS, PLAIN } from "../../dashboards/colours.ts";
import type { AskingPanel, ByValue } from "../../dashboards/define.ts";
import { columnWidths, isByValue, kql } from "./dashboards-common.ts";
import { bucketColumn, metricColumn, termsColumn, timeColumn } from "./dashboards-lens-columns.ts";

type Json = Record<string, unknown>;

const LAYER = "layer1";
export const LAYER_REF = `indexpattern-datasource-layer-${LAYER}`;

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

/** Lens has blue and red without it. In hundredths of the way from the smallest figure, mostly none, to the largest. */
const HEAT_FROM = [0, 1, 34, 67, 100];
const HEAT_PALETTE = {
  type: "palette",
  name: "custom",
  accessor: "m1",
  params: {
    name: "custom",
    steps: GREYS.length,
    reverse: false,
    progression: "fixed",
    continuity: "above",
    rangeType: "percent",
    rangeMin: 0,
    rangeMax: null,
    colorStops: GREYS.map((color, i) => ({ color, stop: HEAT_FROM[i] })),
    stops: GREYS.map((color, i) => ({ color, stop: HEAT_FROM[i + 1] })),
  },
};

const HEAT = {
  shape: "heatmap",
  layerId: LAYER,
  layerType: "data",
  xAccessor: "b1",
  yAccessor: "b2",
  valueAccessor: "m1",
  palette: HEAT_PALETTE,
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
    // Names of conditions would stand on the right, as figures do.
    const alignment = panel.by.map((by) => (isByValue(by) ? {} : { alignment: "left" }));
    const shown = Object.keys(columns).map((columnId, i) => ({
      columnId,
      width: widths[i],
      ...alignment[i],
    }));
    // Without pages: as many rows as fit are seen, and the others by scrolling.
    return {
      type: "lnsDatatable",
      visualization: { layerId: LAYER, layerType: "data", columns: shown },
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
