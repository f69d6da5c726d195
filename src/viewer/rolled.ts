// Which asks summary rows can answer, and what they are asked then. The rows are the store's (store/rollup.ts): an ask that
// reads anything else goes to the events themselves.
import { LIMITS } from "../core/limits.ts";
import { ROLLUPS, type Rollup } from "../store/rollup.ts";
import { type Ask, type Dimension, type Measure, fieldsOf } from "./asks.ts";
import type { Part } from "./database.ts";
import type { Term } from "./query.ts";
import { HOUR_MS, type Span } from "./times.ts";
import { column } from "./where.ts";

/** Whether a condition can be asked of summary rows. */
export function tells(rollup: Rollup, term: Term): boolean {
  if (term.kind === "text") return false;
  if (rollup.values.includes(term.field)) return true;
  return term.kind === "there" && Object.hasOwn(rollup.there, term.field);
}

/** A column of summary rows that a measure is made of; undefined when there is none. */
function columnOf(
  { values, sums, largest, different, buckets }: Rollup,
  { op, field }: Measure,
): string | undefined {
  if (op === "count") return field === undefined ? "count" : undefined;
  if (field === undefined) return undefined;
  const kept = (fields: readonly string[], name: string): string | undefined =>
    fields.includes(field) ? `${name} ${field}` : undefined;
  switch (op) {
    case "sum":
      return kept(sums, op);
    case "min":
      return kept(["@timestamp"], op);
    case "max":
      return kept(["@timestamp", ...largest], op);
    case "distinct":
      return values.includes(field) ? field : kept(different, op);
    case "values":
      return values.includes(field) ? field : undefined;
    case "percentile":
    default:
      return kept(buckets, "buckets");
  }
}

function groupsBy(rollup: Rollup, dimension: Dimension): boolean {
  if (dimension.kind === "time") return dimension.step_ms % HOUR_MS === 0;
  if (dimension.kind === "value") return rollup.values.includes(dimension.field);
  return dimension.groups.flat().every((term) => tells(rollup, term));
}

/** Every event that the ask counts has the field without which there is no row. */
function needs(field: string, ask: Ask, terms: readonly Term[]): boolean {
  const asked = [...terms, ...ask.where].some(
    (term) => !term.not && (term.kind === "there" || term.kind === "is") && term.field === field,
  );
  return asked || ask.by.some((by) => by.kind === "value" && by.field === field && by.missing !== true);
}

/** The set of summary rows that answers an ask under these terms. */
export function rollupFor(ask: Ask, terms: readonly Term[]): Rollup | undefined {
  return ROLLUPS.find((rollup) => {
    const all = [...terms, ...ask.where, ...ask.measures.flatMap(({ where }) => where ?? [])];
    return (
      all.every((term) => tells(rollup, term)) &&
      ask.by.every((by) => groupsBy(rollup, by)) &&
      ask.measures.every((measure) => columnOf(rollup, measure) !== undefined) &&
      (rollup.only === undefined || needs(rollup.only, ask, terms))
    );
  });
}

/** Columns of summary rows that the asks read, as they are selected. */
export function rolledColumns(rollup: Rollup, asks: readonly Ask[]): string {
  const names = new Set(["hour", "count"]);
  for (const field of fieldsOf(asks))
    if (rollup.values.includes(field) || Object.hasOwn(rollup.there, field)) names.add(field);
  for (const measure of asks.flatMap(({ measures }) => measures)) names.add(columnOf(rollup, measure)!);
  return [...names].map(column).join(", ");
}

/** Whole hours of a span, since 1970: [first, end). */
export const hoursOf = ({ from, to }: Span): { first: number; end: number } => ({
  first: Math.ceil(from / HOUR_MS),
  end: Math.floor(to / HOUR_MS),
});

/** What of a span is not whole hours. */
export function edgesOf(span: Span): Span[] {
  const { from, to } = span;
  const { first, end: last } = hoursOf(span);
  const [begin, end] = [first * HOUR_MS, last * HOUR_MS];
  if (begin > end) return [{ from, to }];
  return [
    { from, to: begin },
    { from: end, to },
  ].filter((edge) => edge.from < edge.to);
}

/** Parts whose summary rows are read at once. */
export function chunksOf(parts: readonly Part[]): Part[][] {
  const chunks: Part[][] = [];
  let rows = 0;
  for (const part of parts) {
    if (chunks.length === 0 || rows + part.rollup!.rows > LIMITS.viewer_rollup_rows) {
      chunks.push([]);
      rows = 0;
    }
    rows += part.rollup!.rows;
    chunks.at(-1)!.push(part);
  }
  return chunks;
}
