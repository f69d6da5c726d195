// What a dashboard is made of. One definition makes the saved objects of both front ends: it names fields of the table,
// conditions and figures, and nothing that only one front end knows.
import type { FieldName as EventField, PRESENT_FIELDS } from "../src/core/generated/event.ts";

/** What is asked: events as they were recorded, or incidents as they are now, which is a view and no evidence. */
export type Source = "events" | "incidents";
/** Of events, and of the present of incidents. */
export type FieldName = EventField | keyof typeof PRESENT_FIELDS;

/** One condition on a field; several are all to be met. Without `is` and `above`: the field is there. */
export interface Condition {
  readonly field: FieldName;
  /** One of these values. */
  readonly is?: readonly (string | number | boolean)[];
  readonly above?: number;
  readonly not?: true;
}
export type Where = readonly Condition[];

/** In the date arithmetic of the servers: `now-30d`. */
export interface Period {
  readonly from: string;
  readonly to: string;
}
/** For what has to be seen whatever the period: nothing older is kept. */
export const ANY_TIME: Period = { from: "now-10y", to: "now" };

export interface Metric {
  readonly op: "count" | "distinct" | "sum" | "min" | "max" | "percentile";
  /** Of which field; not for `count`. */
  readonly field?: FieldName;
  readonly percentile?: 50 | 95;
  readonly label: string;
}

/** Buckets by the values of a field, the largest first. */
export interface ByValue {
  readonly field: FieldName;
  readonly label: string;
  /** How many values at most; default 10. */
  readonly size?: number;
  /** Fixed colours, for fields whose values are known beforehand. */
  readonly colours?: Readonly<Record<string, string>>;
}
/** Buckets by conditions: each is shown, also when nothing meets it. */
export interface ByCondition {
  readonly label: string;
  readonly groups: readonly { readonly label: string; readonly where: Where }[];
}
export type By = ByValue | ByCondition;

interface Framed {
  /** Unique in its dashboard; part of the saved object's id. */
  readonly id: string;
  readonly title: string;
  /** Columns of 48. */
  readonly width: number;
}
interface Asked extends Framed {
  readonly where: Where;
  /** Default: events. */
  readonly of?: Source;
  /** Of its own, whatever the time picker says. */
  readonly period?: Period;
}
/** Markdown of ours: never anything that was recorded. */
export interface TextPanel extends Framed {
  readonly kind: "text";
  readonly text: string;
}
export interface NumberPanel extends Asked {
  readonly kind: "number";
  readonly metric: Metric;
}
/** Bars over time, stacked by `by`. */
export interface TimePanel extends Asked {
  readonly kind: "time";
  readonly metric: Metric;
  readonly by?: ByValue;
}
/** Days × values, with the figure in each cell: for values that are not known beforehand. */
export interface HeatPanel extends Asked {
  readonly kind: "heat";
  readonly metric: Metric;
  readonly by: ByValue;
}
export interface BarPanel extends Asked {
  readonly kind: "bar";
  readonly metric: Metric;
  readonly by: ByValue;
  readonly stack?: ByValue;
}
export interface TablePanel extends Asked {
  readonly kind: "table";
  readonly by: readonly By[];
  /** The first decides on the order: the largest first, or the smallest. */
  readonly metrics: readonly Metric[];
  readonly smallestFirst?: true;
}
/** The events of a saved search. */
export interface EventsPanel extends Framed {
  readonly kind: "events";
  readonly search: string;
}
export type AskingPanel = NumberPanel | TimePanel | HeatPanel | BarPanel | TablePanel;
export type Panel = TextPanel | AskingPanel | EventsPanel;

/** Panels side by side, all of one height (rows of 20 pixels). */
export interface Row {
  readonly height: number;
  readonly panels: readonly Panel[];
}

export interface Search {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly of?: Source;
  readonly where: Where;
  readonly columns: readonly FieldName[];
}

export interface Dashboard {
  readonly id: string;
  readonly title: string;
  /** In navigation rows. */
  readonly short: string;
  readonly about: string;
  /** Period when it is opened. */
  readonly from: string;
  /** Fields that can be filtered by, above the panels. */
  readonly filters: readonly { readonly field: FieldName; readonly label: string }[];
  /** What the header says besides what all headers say: what is shown, what it is evidence for, what is not here. */
  readonly shows: string;
  readonly rows: readonly Row[];
}

export const count = (label: string): Metric => ({ op: "count", label });
export const distinct = (field: FieldName, label: string): Metric => ({ op: "distinct", field, label });
export const sum = (field: FieldName, label: string): Metric => ({ op: "sum", field, label });
export const first = (label = "First"): Metric => ({ op: "min", field: "@timestamp", label });
export const last = (label = "Last"): Metric => ({ op: "max", field: "@timestamp", label });
export const highest = (field: FieldName, label: string): Metric => ({ op: "max", field, label });
export const lowest = (field: FieldName, label: string): Metric => ({ op: "min", field, label });
export const percentile = (field: FieldName, of: 50 | 95, label: string): Metric => ({
  op: "percentile",
  field,
  percentile: of,
  label,
});
export const is = (field: FieldName, ...values: (string | number | boolean)[]): Condition => ({
  field,
  is: values,
});
export const there = (field: FieldName): Condition => ({ field });
export const by = (field: FieldName, label: string, size?: number): ByValue =>
  size === undefined ? { field, label } : { field, label, size };
/** Events of these classes. */
export const action = (...names: string[]): Condition => is("event.action", ...names);
/** One observation of a call: the one that counts. */
export const PRIMARY: Condition = is("tapline.primary", true);
/** Tool calls, each once. */
export const CALLS: Where = [action("tool-call"), PRIMARY];

export const number = (
  id: string,
  title: string,
  width: number,
  where: Where,
  metric: Metric,
): NumberPanel => ({ kind: "number", id, title, width, where, metric });
/** A figure over incidents as they are now, whenever they last changed. */
export const present = (
  id: string,
  title: string,
  width: number,
  where: Where,
  metric: Metric,
): NumberPanel => ({ ...number(id, title, width, where, metric), of: "incidents", period: ANY_TIME });
/** The last row of a page: the events that it rests on. */
export const eventsRow = (title: string, search: string): Row => ({
  height: 16,
  panels: [{ kind: "events", id: "events", title, width: 48, search }],
});
