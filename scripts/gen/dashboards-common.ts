// What the saved objects of both front ends share: conditions as KQL, checks against the field table, the grid, ids,
// formats of fields. Nothing here runs in the product.
import type {
  AskingPanel,
  By,
  ByValue,
  Condition,
  Dashboard,
  Metric,
  Panel,
  Search,
  Source,
  TablePanel,
  Where,
} from "../../dashboards/define.ts";
import { HEADER_HEIGHT, SCOPE, SCOPE_HEIGHT, TERMS, header } from "../../dashboards/header.ts";
import { type Field, type FieldType, readFields } from "./tables.ts";
import { PRESENT } from "./templates.ts";

/** Data views: id, index pattern, title. */
export const VIEWS = {
  events: { id: "tapline-events-view", pattern: "logs-tapline.*-*", name: "Tapline events" },
  incidents: { id: "tapline-incidents-view", pattern: "tapline-incident-state", name: "Tapline incidents" },
} as const satisfies Record<Source, unknown>;
export const SOURCES = Object.keys(VIEWS) as Source[];
export const TITLE = "[Tapline] ";
const COLUMNS = 48;

const { fields, sinkFields, presentFields } = readFields();
const ofEvents = [...fields, ...sinkFields];
const typesOf = (some: readonly Field[]): ReadonlyMap<string, FieldType> =>
  new Map(some.map(({ name, type }) => [name, type]));
/** Fields of each data view. */
export const TYPES: Readonly<Record<Source, ReadonlyMap<string, FieldType>>> = {
  events: typesOf(ofEvents),
  incidents: typesOf([...ofEvents.filter(({ name }) => PRESENT.test(name)), ...presentFields]),
};

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
export function typeOf(field: string, aggregated: boolean, of: Source = "events"): FieldType {
  const type = TYPES[of].get(field);
  if (type === undefined) throw new Error(`dashboards: no field ${field} of ${of} in mappings/fields.yml`);
  if (aggregated && !isAggregatable(type))
    throw new Error(`dashboards: ${field} is ${type}: it cannot be aggregated`);
  return type;
}

export function checkMetric({ op, field }: Metric, of: Source | undefined): void {
  if (op === "count") return;
  const type = typeOf(field ?? "", true, of);
  if (op === "distinct" || NUMBERS.includes(type)) return;
  if (type === "date" && (op === "min" || op === "max")) return;
  throw new Error(`dashboards: ${op} of ${field}, which is ${type}`);
}

function literal(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (/["\\]/.test(value)) throw new Error(`dashboards: a value with a quote: ${value}`);
  return `"${value}"`;
}

function conditionOf({ field, is, above, not }: Condition, of: Source | undefined): string {
  typeOf(field, false, of);
  const before = not === true ? `not ${field}` : field;
  if (above !== undefined) return `${before} > ${above}`;
  if (is === undefined) return `${before}: *`;
  const values = is.map(literal);
  return values.length === 1 ? `${before}: ${values[0]}` : `${before}: (${values.join(" or ")})`;
}

export const kql = (where: Where, of?: Source): { query: string; language: "kuery" } => ({
  query: where.map((condition) => conditionOf(condition, of)).join(" and "),
  language: "kuery",
});
export const EVERYTHING = kql([]);

type Asked = Pick<AskingPanel, "where" | "of">;

/** Whether events without the field get a bucket too: no condition asks for the field, and its type allows it. */
export function tellsMissing({ field }: ByValue, { where, of }: Asked): boolean {
  const asked = where.some((condition) => condition.field === field && condition.not !== true);
  return !asked && ["keyword", "keyword[]", "wildcard", "constant"].includes(typeOf(field, true, of));
}

const SIZE = 10;
export const sizeOf = (by: ByValue): number => by.size ?? SIZE;
export const isByValue = (by: By): by is ByValue => "field" in by;

/** Whether a condition leaves no more values of the field than are shown. */
const isAllShown = (by: ByValue, where: Where): boolean =>
  where.some(({ field, is }) => field === by.field && is !== undefined && is.length <= sizeOf(by));

/** Titles say how many values are shown at most, where there may be more. */
export function titleOf(panel: Panel): string {
  const { title } = panel;
  if (panel.kind !== "heat" && panel.kind !== "bar" && panel.kind !== "table") return title;
  const first = [panel.by].flat().find(isByValue);
  return first === undefined || isAllShown(first, panel.where) ? title : `${title} (top ${sizeOf(first)})`;
}

/** Pixels of a panel's columns, of a table that is shown 1,600 wide. */
const COLUMN_PX = 33.1;
const PADDING_PX = 24;
const DATE_PX = 165;
const ZONED_PX = 240;
const LETTER_PX = 8;
const HEAD_PX = 44;

const sum = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0);
const headWidth = (label: string): number => Math.min(Math.max(label.length * LETTER_PX + HEAD_PX, 90), 210);

/** How wide each column of a table is: its head and its figures are seen whole, and what is left is for values. */
export function columnWidths(panel: TablePanel): number[] {
  const metrics = panel.metrics.map((metric) => {
    const { field, op } = metric;
    if (field !== undefined && op !== "distinct" && typeOf(field, true, panel.of) === "date")
      return ZONED.has(field) ? ZONED_PX : DATE_PX;
    return headWidth(labelOf(metric));
  });
  const left = panel.width * COLUMN_PX - PADDING_PX - sum(metrics);
  const heads = panel.by.map(({ label }) => headWidth(label));
  const spare = left - sum(heads);
  // Names stand first and are longer than what follows.
  const shares = panel.by.map((_, i) => (i === 0 ? 2 : 1));
  const share = (of: number, i: number): number => Math.floor((of * shares[i]!) / sum(shares));
  const values = heads.map((head, i) =>
    spare < 0 ? Math.max(70, Math.floor((head * left) / sum(heads))) : head + share(spare, i),
  );
  return [...values, ...metrics];
}
/** OpenSearch Dashboards puts this before the name of a percentile, but for the median. */
export const labelOf = ({ label, percentile }: Pick<Metric, "label" | "percentile">): string =>
  percentile === 95 ? `95th percentile of ${label}` : label;

/** Rows of a table that a panel of this height shows without scrolling. */
export const rowsShown = (height: number): number => Math.max(1, Math.floor((28 * height - 152) / 34));

export interface Placed {
  readonly panel: Panel;
  readonly grid: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** The panels of a dashboard with its header, on the grid from the row `top` on. */
export function place(dashboard: Dashboard, all: readonly Dashboard[], top: number): Placed[] {
  const head = [
    { height: HEADER_HEIGHT, panels: [header(dashboard, all)] },
    { height: SCOPE_HEIGHT, panels: [SCOPE] },
  ];
  const placed: Placed[] = [];
  let y = 0;
  for (const { height, panels } of dashboard.id === TERMS ? dashboard.rows : [...head, ...dashboard.rows]) {
    let x = 0;
    for (const panel of panels) {
      placed.push({ panel, grid: { x, y, w: panel.width, h: height } });
      x += panel.width;
    }
    if (x > COLUMNS) throw new Error(`dashboards: ${dashboard.id}: a row of ${x} columns, ${COLUMNS} fit`);
    y += height;
    if (panels[0]?.id === SCOPE.id) y += top; // room for the controls, below the header
  }
  // A filter is applied to every panel: one whose documents lack the field would be empty.
  for (const { field } of dashboard.filters)
    for (const { panel } of placed) if ("where" in panel) typeOf(field, true, panel.of);
  const ids = placed.map(({ panel }) => panel.id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new Error(`dashboards: ${dashboard.id}: two panels ${twice}`);
  return placed;
}

/** Fields whose values only Tapline makes, of characters that a link can hold: those alone become links. */
const EVENT_IDS = [
  "event.id",
  "tapline.alert.event_ids",
  "tapline.incident.alert_ids",
  "tapline.flow.from_event",
  "tapline.provenance.source_event",
];
const CONTROLS = ["tapline.control.iso42001", "tapline.control.direct", "tapline.control.supporting"];
const EVERY_TIME = "_g=(time:(from:now-10y,to:now))&";

/** Discover of Kibana forgets the columns of a saved search whose link says something else: the link says them too. */
type Columns = readonly Pick<Search, "id" | "columns">[];

function linkFormat(search: string, field: string, searches: Columns): unknown {
  const found = searches.find(({ id }) => id === search);
  const columns = found === undefined ? "" : `columns:!(${found.columns.join(",")}),`;
  const query = `_a=(${columns}query:(language:kuery,query:'${field}:%22{{value}}%22'))`;
  return {
    id: "url",
    params: {
      type: "a",
      urlTemplate: `../app/discover#/view/tapline-${search}?${EVERY_TIME}${query}`,
      labelTemplate: "{{value}}",
      openLinkInCurrentTab: true,
    },
  };
}

/** Times that say their offset from UTC; others leave it out, so that they fit a column. */
const ZONED: ReadonlySet<string> = new Set(["event.created"]);

const duration = (inputFormat: string, outputFormat: string, outputPrecision: number): unknown => ({
  id: "duration",
  params: { inputFormat, outputFormat, outputPrecision },
});

function formatOf(name: string, type: FieldType, searches: Columns): unknown {
  if (type === "date")
    return { id: "date", params: { pattern: `YYYY-MM-DD HH:mm:ss${ZONED.has(name) ? " Z" : ""}` } };
  if (name === "event.duration") return duration("nanoseconds", "asSeconds", 3);
  if (name.startsWith("tapline.incident.seconds.")) return duration("seconds", "asMinutes", 1);
  if (name.includes(".data.bytes_")) return { id: "bytes", params: { pattern: "0,0.[0]b" } };
  if (EVENT_IDS.includes(name)) return linkFormat("events", "event.id", searches);
  if (CONTROLS.includes(name)) return linkFormat("events", name, searches);
  return name === "tapline.incident.id" ? linkFormat("timeline", name, searches) : undefined;
}

/** How values are shown; links name the columns of `searches`. */
export function fieldFormats(of: Source, searches: Columns = []): Record<string, unknown> {
  const formats: Record<string, unknown> = {};
  for (const [name, type] of TYPES[of]) {
    const format = formatOf(name, type, searches);
    if (format !== undefined) formats[name] = format;
  }
  return formats;
}
