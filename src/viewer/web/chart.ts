// Draws bars over time with ECharts, as SVG. In a file of its own, since it is the largest part of the application. All text is
// drawn as text (`richText`): ECharts would else make HTML of tooltips. Colours follow the theme, and go light for paper.
import { BarChart, type BarSeriesOption } from "echarts/charts";
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  TooltipComponent,
  type TooltipComponentOption,
} from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { type TimeFigures, figure } from "./figures.ts";
import { type Ink, themed } from "./palette.ts";
import { cut, visible } from "./text.ts";
import { bucketName, local } from "./time.ts";

use([BarChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

type Option = ComposeOption<
  BarSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>;

export interface Drawn {
  dispose(): void;
}

const DAY_MS = 86_400_000;
const NAME_CHARS = 40;
const FONT = 11;

/** What is special to ECharts' own small language of rich text is taken away. */
const plain = (text: string): string => visible(cut(text, NAME_CHARS)).replaceAll(/[{}|]/g, "¦");

function axisName(ms: number, step_ms: number): string {
  const text = local(ms);
  return step_ms >= DAY_MS ? text.slice(5, 10) : `${text.slice(5, 10)} ${text.slice(11, 16)}`;
}

/** Series are told apart by number: two names may be cut to the same. */
const nameOf = (id: string): string => plain(id.slice(id.indexOf("\u0000") + 1));

function tooltipOf({ times, step_ms, unit }: TimeFigures, ink: Ink): TooltipComponentOption {
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    axisPointer: { type: "shadow", shadowStyle: { color: ink.hover } },
    backgroundColor: ink.panel,
    borderColor: ink.line,
    textStyle: { color: ink.text, fontSize: 12 },
    formatter: (given) => {
      const list = Array.isArray(given) ? given : [given];
      const at = times[list[0]?.dataIndex ?? 0] ?? 0;
      const rows = list
        .filter(({ value }) => value !== null && value !== 0)
        .map(({ seriesName, value }) => `${nameOf(seriesName ?? "")}  ${figure(value as number, unit)}`);
      return [bucketName(at, step_ms), ...(rows.length === 0 ? ["nothing"] : rows)].join("\n");
    },
  };
}

function optionOf(figures: TimeFigures, dark: boolean, quiet: boolean): Option {
  const { series, times, step_ms, unit } = figures;
  const ink = themed(dark);
  const named = series.length > 1 || (series[0]?.colour !== undefined && series.length > 0);
  const names = series.map(({ name }, i) => `${i}\u0000${name}`);
  return {
    animation: !quiet,
    animationDuration: 250,
    textStyle: { fontFamily: ink.font, fontSize: FONT, color: ink.dim },
    grid: {
      left: 4,
      right: 6,
      top: named ? 26 : 8,
      bottom: 2,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    legend: {
      show: named,
      top: 0,
      left: 0,
      type: "plain",
      itemWidth: 10,
      itemHeight: 10,
      icon: "rect",
      selectedMode: false,
      textStyle: { color: ink.text, fontSize: FONT },
      formatter: nameOf,
    },
    tooltip: tooltipOf(figures, ink),
    xAxis: {
      type: "category",
      data: times.map((ms) => axisName(ms, step_ms)),
      axisLine: { lineStyle: { color: ink.line } },
      axisTick: { show: false },
      axisLabel: { color: ink.dim, hideOverlap: true, fontSize: FONT },
    },
    yAxis: {
      type: "value",
      splitNumber: 3,
      minInterval: unit === "number" ? 1 : 0,
      axisLabel: { color: ink.dim, fontSize: FONT, formatter: (value: number) => figure(value, unit) },
      splitLine: { lineStyle: { color: ink.line } },
    },
    series: series.map(({ values, colour }, i) => ({
      type: "bar" as const,
      name: names[i]!,
      stack: "all",
      barMaxWidth: 28,
      barCategoryGap: "22%",
      itemStyle: {
        color: colour === undefined ? ink.series(i) : ink.given(colour),
        borderColor: ink.panel,
        borderWidth: 0.5,
      },
      emphasis: { disabled: true },
      data: values.map((value) => (typeof value === "number" ? value : null)),
    })),
  };
}

export function draw(element: HTMLDivElement, figures: TimeFigures, pick: (bucket: number) => void): Drawn {
  const chart = init(element, undefined, { renderer: "svg" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const show = (quiet: boolean): void =>
    chart.setOption(optionOf(figures, dark.matches && !paper.matches, quiet || still.matches), {
      notMerge: true,
    });
  // On paper the style sheet fits what is drawn: nobody waits for another drawing then.
  chart.on("rendered", () => {
    const box = `0 0 ${chart.getWidth()} ${chart.getHeight()}`;
    element.querySelector("svg")?.setAttribute("viewBox", box);
  });
  show(false);
  const redraw = (): void => {
    show(true);
    chart.getZr().flush();
  };
  const sized = new ResizeObserver(() => {
    if (!paper.matches) chart.resize();
  });
  sized.observe(element);
  dark.addEventListener("change", redraw);
  paper.addEventListener("change", redraw);
  chart.getZr().on("click", ({ offsetX, offsetY }: { offsetX: number; offsetY: number }) => {
    const [bucket] = chart.convertFromPixel({ gridIndex: 0 }, [offsetX, offsetY]);
    if (bucket !== undefined && bucket >= 0) pick(Math.round(bucket));
  });
  return {
    dispose: () => {
      sized.disconnect();
      dark.removeEventListener("change", redraw);
      paper.removeEventListener("change", redraw);
      chart.dispose();
    },
  };
}
