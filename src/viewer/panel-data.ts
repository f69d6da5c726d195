// From the parts' answers to what a panel shows: the largest values, in buckets over time, others together. Pure.
import type { AskingPanel, By, Metric } from "../../dashboards/define.ts";
import type { Figure, Key, PanelData } from "./api.ts";
import type { Ask } from "./asks.ts";
import { bysOf, factorOf, metricsOf, unitOf } from "./panels.ts";
import { type Partial, Sums } from "./sums.ts";
import { type Span, bucketOf, bucketsOf, isoOf } from "./times.ts";

const SIZE = 10;

export interface Asked {
  readonly panel: AskingPanel;
  readonly ask: Ask;
  readonly partials: readonly Partial[];
  readonly span: Span;
  readonly step_ms: number;
  readonly tz: number;
}

type Figures = { readonly keys: readonly Key[]; readonly values: readonly (number | null)[] };

const shown = (metric: Metric, value: number | null | undefined): Figure =>
  value === null || value === undefined
    ? null
    : unitOf(metric) === "time"
      ? isoOf(value)
      : value * factorOf(metric);

const largestFirst = (a: Figures, b: Figures): number =>
  (b.values[0] ?? -Infinity) - (a.values[0] ?? -Infinity) || (String(a.keys) < String(b.keys) ? -1 : 1);

const smallestFirst = (a: Figures, b: Figures): number =>
  (a.values[0] ?? Infinity) - (b.values[0] ?? Infinity) || (String(a.keys) < String(b.keys) ? -1 : 1);

/** Sums under other keys. */
function sumsBy(
  { ask, partials }: Asked,
  keysOf: (keys: readonly Key[]) => readonly Key[] | undefined,
): Sums {
  const sums = new Sums(ask);
  for (const { groups } of partials) {
    for (const group of groups) {
      const keys = keysOf(group.keys);
      if (keys !== undefined) sums.add({ keys, cells: group.cells });
    }
  }
  return sums;
}

const figuresOf = (asked: Asked, sums: Sums): Figures[] =>
  sums.figures(metricsOf(asked.panel).map(({ percentile }) => percentile));

export function dataOf(asked: Asked): PanelData {
  const data = shownOf(asked);
  return asked.partials.some(({ cut }) => cut) ? { ...data, cut: true } : data;
}

function shownOf(asked: Asked): PanelData {
  const { panel } = asked;
  switch (panel.kind) {
    case "number": {
      const [first] = figuresOf(
        asked,
        sumsBy(asked, () => []),
      );
      const nothing = panel.metric.op === "count" || panel.metric.op === "distinct" ? 0 : null;
      return { id: panel.id, kind: "number", value: shown(panel.metric, first?.values[0] ?? nothing) };
    }
    case "time":
    case "heat":
      return overTime(asked, panel);
    case "bar":
      return bars(asked, panel);
    case "table":
    default:
      return table(asked);
  }
}

const sizeOf = (by: By): number => ("field" in by ? (by.size ?? SIZE) : by.groups.length);

function overTime(asked: Asked, panel: Extract<AskingPanel, { kind: "time" | "heat" }>): PanelData {
  const { ask, span, step_ms, tz } = asked;
  const base = ask.by.at(-1)!;
  const base_ms = base.kind === "time" ? base.step_ms : step_ms;
  const bucket = (keys: readonly Key[]): number => bucketOf(Number(keys.at(-1)) * base_ms, step_ms, tz);
  const times = bucketsOf(span, step_ms, tz);
  const places = new Map(times.map((time, i) => [time, i]));
  const series = (key: Key | null, other: boolean, figures: readonly Figures[]) => {
    const values = Array.from<Figure>({ length: times.length }).fill(panel.metric.op === "count" ? 0 : null);
    for (const { keys, values: found } of figures) {
      const at = places.get(Number(keys.at(-1)));
      if (at !== undefined) values[at] = shown(panel.metric, found[0]);
    }
    return { key, other, values };
  };
  const frame = { id: panel.id, kind: panel.kind, step_ms, times };
  if (panel.by === undefined) {
    const whole = figuresOf(
      asked,
      sumsBy(asked, (keys) => [bucket(keys)]),
    );
    return { ...frame, series: [series(null, false, whole)] };
  }
  const totals = figuresOf(
    asked,
    sumsBy(asked, (keys) => [keys[0]!]),
  ).toSorted(largestFirst);
  const named = new Set(totals.slice(0, sizeOf(panel.by)).map(({ keys }) => keys[0]!));
  const split = figuresOf(
    asked,
    sumsBy(asked, (keys) => (named.has(keys[0]!) ? [keys[0]!, bucket(keys)] : undefined)),
  );
  const shownSeries = [...named].map((key) =>
    series(
      key,
      false,
      split.filter(({ keys }) => keys[0] === key),
    ),
  );
  // Of what cannot be added up there is no rest.
  const adds = panel.metric.op === "count" || panel.metric.op === "sum";
  if (panel.kind === "time" && adds && totals.length > named.size) {
    const rest = figuresOf(
      asked,
      sumsBy(asked, (keys) => (named.has(keys[0]!) ? undefined : [bucket(keys)])),
    );
    shownSeries.push(series(null, true, rest));
  }
  return { ...frame, series: shownSeries };
}

function bars(asked: Asked, panel: Extract<AskingPanel, { kind: "bar" }>): PanelData {
  const totals = figuresOf(
    asked,
    sumsBy(asked, (keys) => [keys[0]!]),
  ).toSorted(largestFirst);
  const named = totals.slice(0, sizeOf(panel.by));
  const parts =
    panel.stack === undefined
      ? []
      : figuresOf(
          asked,
          sumsBy(asked, (keys) => keys),
        ).toSorted(largestFirst);
  const most = panel.stack === undefined ? 0 : sizeOf(panel.stack);
  return {
    id: panel.id,
    kind: "bar",
    bars: named.map(({ keys: [key], values }) => ({
      key: key!,
      value: shown(panel.metric, values[0]),
      parts: parts
        .filter(({ keys }) => keys[0] === key)
        .slice(0, most)
        .map(({ keys, values: [value] }) => ({ key: keys[1]!, value: shown(panel.metric, value) })),
    })),
    more: totals.length - named.length,
  };
}

/** The largest of the first field, of each of these the largest of the second, and so on. */
function table(asked: Asked): PanelData {
  const bys = bysOf(asked.panel);
  const metrics = metricsOf(asked.panel);
  const levels = bys.map((_, level) => {
    const under = new Map<string, Figures[]>();
    for (const figures of figuresOf(
      asked,
      sumsBy(asked, (keys) => keys.slice(0, level + 1)),
    )) {
      const parent = JSON.stringify(figures.keys.slice(0, -1));
      const siblings = under.get(parent);
      if (siblings === undefined) under.set(parent, [figures]);
      else siblings.push(figures);
    }
    return under;
  });
  const rows: { keys: Key[]; values: Figure[] }[] = [];
  const { panel } = asked;
  const order = panel.kind === "table" && panel.smallestFirst === true ? smallestFirst : largestFirst;
  const walk = (parent: readonly Key[]): void => {
    const by = bys[parent.length]!;
    const found = levels[parent.length]!.get(JSON.stringify(parent)) ?? [];
    const chosen =
      "field" in by ? found.toSorted(order).slice(0, sizeOf(by)) : all(by, parent, found, metrics);
    for (const { keys, values } of chosen) {
      if (keys.length < bys.length) walk(keys);
      else
        rows.push({
          keys: keys.map((key, i) => labelOf(bys[i]!, key)),
          values: metrics.map((m, i) => shown(m, values[i])),
        });
    }
  };
  walk([]);
  const leaves = [...levels.at(-1)!.values()].reduce((sum, siblings) => sum + siblings.length, 0);
  return { id: asked.panel.id, kind: "table", rows, more: Math.max(0, leaves - rows.length) };
}

const labelOf = (by: By, key: Key): Key => ("field" in by ? key : by.groups[Number(key)]!.label);

/** Every condition, in its order, also when nothing meets it. */
function all(
  by: Exclude<By, { field: unknown }>,
  parent: readonly Key[],
  found: readonly Figures[],
  metrics: readonly Metric[],
): Figures[] {
  const nothing = metrics.map(({ op }) => (op === "count" || op === "distinct" ? 0 : null));
  return by.groups.map(
    (_, n) => found.find(({ keys }) => keys.at(-1) === n) ?? { keys: [...parent, n], values: nothing },
  );
}
