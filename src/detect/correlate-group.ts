// From the values of a match to its place in a correlation: the key of its group and the measure that is taken.
import { hash } from "node:crypto";
import { LIMITS } from "../core/limits.ts";
import type { NodeSlot, Origin } from "./correlate-join.ts";
import type { ExtractValue } from "./correlate-extract.ts";
import type { CorrelationType } from "./correlation-parse.ts";
import type { Row, Series } from "./window.ts";

/** The group's values, or undefined when the event lacks one: then it belongs to no group. */
export function groupOf(slot: NodeSlot, values: readonly ExtractValue[]): string[] | undefined {
  const group: string[] = [];
  for (let i = 0; i < slot.group.length; i++) {
    const value = values[slot.group[i]!];
    if (value === undefined || value === null) return undefined;
    group.push(String(value));
  }
  return group;
}

/** Values are compared as rules compare text, without regard to case. */
export function keyOf(group: readonly string[]): string {
  if (group.length === 1) return group[0]!.toLowerCase();
  const key = JSON.stringify(group).toLowerCase();
  return key.length <= LIMITS.correlation_text_chars ? key : hash("sha256", key, "hex");
}

const NUMBER = /^\s*-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\s*$/;

/** What is counted (text in lower case, a tuple of several) or added up (a finite number) of an event. */
export function measureOf(
  type: CorrelationType,
  slot: NodeSlot,
  values: readonly ExtractValue[],
): string | number | undefined {
  if (slot.value.length === 0) return undefined;
  if (type !== "value_count") return numberOf(values[slot.value[0]!]);
  const tuple: string[] = [];
  for (let i = 0; i < slot.value.length; i++) {
    const value = values[slot.value[i]!];
    if (value === undefined || value === null) return undefined;
    tuple.push(String(value));
  }
  return keyOf(tuple);
}

function numberOf(value: ExtractValue | undefined): number | undefined {
  const n = typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
  return typeof n === "number" && Number.isFinite(n) ? n : undefined;
}

/** Whether what the slot's groups and measures are made of differs among the events behind an inner firing. */
export function readsRows({ origins, needed }: NodeSlot): boolean {
  return needed.some((at) => typeof origins[at] === "object" && "rows" in origins[at]);
}

/**
 * What the firing of an inner correlation brings along: one list of values for each different set that the events
 * behind it have, since they may belong to different groups of the outer one. What only tells of whom an alert is comes
 * from the last event. `dropped` of the lists were too many.
 */
export function spread(
  slot: NodeSlot,
  series: Series,
  rows: readonly Row[],
  number: number,
): { lists: readonly (readonly ExtractValue[])[]; dropped: number } {
  const telling = slot.origins.map((origin, at) => {
    return typeof origin === "object" && "rows" in origin && slot.needed.includes(at);
  });
  const last = rows.at(-1);
  const read = (origin: Origin, row: Row | undefined): ExtractValue => {
    if (origin === "number") return number;
    if ("group" in origin) return series.group[origin.group] ?? null;
    return row?.values[origin.rows[row.slot]!] ?? null;
  };
  const lists = new Map<string, readonly ExtractValue[]>();
  let dropped = 0;
  for (let i = rows.length - 1; i >= 0; i--) {
    const values = slot.origins.map((origin, at) => read(origin, telling[at]! ? rows[i] : last));
    const key = telling.includes(true) ? JSON.stringify(values.filter((_, at) => telling[at])) : "";
    if (lists.has(key)) continue;
    if (lists.size < LIMITS.correlation_spread) lists.set(key, values);
    else dropped++;
    if (key === "") break;
  }
  if (rows.length === 0)
    lists.set(
      "",
      slot.origins.map((origin) => read(origin, undefined)),
    );
  return { lists: [...lists.values()], dropped };
}
