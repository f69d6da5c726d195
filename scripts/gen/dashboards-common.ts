// What the saved objects of both front ends share: conditions as KQL, checks against the field table, the grid, ids,
// formats of fields. Nothing here runs in the product.
import type { By, ByValue, Condition, Dashboard, Metric, Panel, Where } from "../../dashboards/define.ts";
import { HEADER_HEIGHT, SCOPE, TERMS, header } from "../../dashboards/header.ts";
import { type FieldType, readFields } from "./tables.ts";

export const DATA_VIEW = "tapline-events-view";
export const PATTERN = "logs-tapline.*-*";
export const TITLE = "[Tapline] ";
const COLUMNS = 48;

const { fields, sinkFields } = readFields();
export const TYPES: ReadonlyMap<string, FieldType> = new Map(
  [...fields, ...sinkFields].map(({ name, type }) => [name, type]),
);

const NUMBERS: readonly FieldType[] = ["long", "long[]", "double"];
const VALUES: readonly FieldType[] = [
  ...NUMBERS,
  "keyword",
  "keyword[]",
  "constant",
  "wildcard",
  "boolean",
  "date",
  "ip",
];
export const isAggregatable = (type: FieldType): boolean => VALUES.includes(type);

/** The type of a field; an error when there is none, or when it cannot be aggregated and `aggregated` is set. */
export function typeOf(field: string, aggregated: boolean): FieldType {
  const type = TYPES.get(field);
  if (type === undefined) throw new Error(`dashboards: no field ${field} in mappings/fields.yml`);
  if (aggregated && !isAggregatable(type))
    throw new Error(`dashboards: ${field} is ${type}: it cannot be aggregated`);
  return type;
}

export function checkMetric({ op, field }: Metric): void {
  if (op === "count") return;
  const type = typeOf(field ?? "", true);
  if (op === "distinct" || NUMBERS.includes(type)) return;
  if (type === "date" && (op === "min" || op === "max")) return;
  throw new Error(`dashboards: ${op} of ${field}, which is ${type}`);
}

function literal(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (/["\\]/.test(value)) throw new Error(`dashboards: a value with a quote: ${value}`);
  return `"${value}"`;
}

function conditionOf({ field, is, above, not }: Condition): string {
  typeOf(field, false);
  const before = not === true ? `not ${field}` : field;
  if (above !== undefined) return `${before} > ${above}`;
  if (is === undefined) return `${before}: *`;
  const values = is.map(literal);
  return values.length === 1 ? `${before}: ${values[0]}` : `${before}: (${values.join(" or ")})`;
}

export const kql = (where: Where): { query: string; language: "kuery" } => ({
  query: where.map(conditionOf).join(" and "),
  language: "kuery",
});
export const EVERYTHING = kql([]);

/** Whether events without the field get a bucket too: no condition asks for the field, and its type allows it. */
export function tellsMissing({ field }: ByValue, where: Where): boolean {
  const asked = where.some((condition) => condition.field === field && condition.not !== true);
  return !asked && ["keyword", "keyword[]", "wildcard", "constant"].includes(typeOf(field, true));
}

const SIZE = 10;
export const sizeOf = (by: ByValue): number => by.size ?? SIZE;
export const isByValue = (by: By): by is ByValue => "field" in by;

/** Titles say how many values are shown at most, where there may be more. */
export function titleOf(panel: Panel): string {
  const { title } = panel;
  if (panel.kind === "heat" || panel.kind === "bar") return `${title} (top ${sizeOf(panel.by)})`;
  if (panel.kind !== "table") return title;
  const sizes = panel.by.filter(isByValue);
  return sizes.length === 0 ? title : `${title} (top ${sizeOf(sizes[0]!)})`;
}

export interface Placed {
  readonly panel: Panel;
  readonly grid: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** The panels of a dashboard with its header, on the grid from the row `top` on. */
export function place(dashboard: Dashboard, all: readonly Dashboard[], top: number): Placed[] {
  const head = { height: HEADER_HEIGHT, panels: [header(dashboard, all), SCOPE] };
  const placed: Placed[] = [];
  let y = 0;
  for (const { height, panels } of dashboard.id === TERMS ? dashboard.rows : [head, ...dashboard.rows]) {
    let x = 0;
    for (const panel of panels) {
      placed.push({ panel, grid: { x, y, w: panel.width, h: height } });
      x += panel.width;
    }
    if (x > COLUMNS) throw new Error(`dashboards: ${dashboard.id}: a row of ${x} columns, ${COLUMNS} fit`);
    y += height;
    if (placed.length === panels.length) y += top; // room for the controls, below the header
  }
  const ids = placed.map(({ panel }) => panel.id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new Error(`dashboards: ${dashboard.id}: two panels ${twice}`);
  return placed;
}

/** Fields whose values only Tapline makes, of characters that a link can hold: those alone become links. */
const EVENT_IDS = [
  "event.id",
  "tapline.alert.event_ids",
  "tapline.cause.event_id",
  "tapline.flow.from_event",
  "tapline.provenance.source_event",
];
const CONTROLS = ["tapline.control.iso42001", "tapline.control.direct", "tapline.control.supporting"];
const EVERY_TIME = "_g=(time:(from:now-10y,to:now))&";

function linkFormat(field: string, time: string): unknown {
  const query = `_a=(query:(language:kuery,query:'${field}:%22{{value}}%22'))`;
  return {
    id: "url",
    params: {
      type: "a",
      urlTemplate: `../app/discover#/view/tapline-events?${time}${query}`,
      labelTemplate: "{{value}}",
      openLinkInCurrentTab: true,
    },
  };
}

/** How values are shown. Times end with their offset from UTC. */
export function fieldFormats(): Record<string, unknown> {
  const formats: Record<string, unknown> = {
    "event.duration": {
      id: "duration",
      params: { inputFormat: "nanoseconds", outputFormat: "asSeconds", outputPrecision: 3 },
    },
  };
  for (const [name, type] of TYPES) {
    if (type === "date") formats[name] = { id: "date", params: { pattern: "YYYY-MM-DD HH:mm:ss Z" } };
    if (name.includes(".data.bytes_")) formats[name] = { id: "bytes", params: { pattern: "0,0.[0]b" } };
  }
  for (const name of EVENT_IDS) formats[name] = linkFormat("event.id", EVERY_TIME);
  for (const name of CONTROLS) formats[name] = linkFormat(name, "");
  return formats;
}
