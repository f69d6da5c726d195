// Figures that are asked of events: conditions, dimensions, measures; and what they are in SQL. A part's answer is a list
// of groups whose figures can be added to those of other parts (figures.ts).
import { LIMITS } from "../core/limits.ts";
import { BUCKET_BASE, type Rollup } from "../store/rollup.ts";
import { type Term, queryText } from "./query.ts";
import { HOUR_MS } from "./times.ts";
import { type Parameter, Parameters, column, conditionOf, isList, typeOf } from "./where.ts";

export type Dimension =
  /** `missing`: what is without the field is a group too, called NONE. */
  | { readonly kind: "value"; readonly field: string; readonly missing?: true }
  /** The number of each condition that an event meets. */
  | { readonly kind: "conditions"; readonly groups: readonly (readonly Term[])[] }
  /** Buckets of this width since 1970, in UTC. */
  | { readonly kind: "time"; readonly step_ms: number };

export const NONE = "(none)";

export interface Measure {
  readonly op: "count" | "sum" | "min" | "max" | "distinct" | "percentile" | "values";
  readonly field?: string;
  /** Of events that meet this, too. */
  readonly where?: readonly Term[];
}

export interface Ask {
  readonly where: readonly Term[];
  readonly by: readonly Dimension[];
  readonly measures: readonly Measure[];
}

/** Bucket of a percentile that a value is in: what comes out is right within half a bucket. */
export const bucketAt = (value: number): number =>
  Math.floor(Math.log(Math.max(value, 1)) / Math.log(BUCKET_BASE));
export const atBucket = (bucket: number): number => BUCKET_BASE ** (bucket + 0.5);

function fieldsIn(terms: readonly Term[]): string[] {
  return [...new Set(terms.flatMap((term) => (term.kind === "text" ? [] : [term.field])))];
}

/** Fields that the asks read. */
export function fieldsOf(asks: readonly Ask[]): string[] {
  const fields = new Set<string>(["@timestamp"]);
  const add = (terms: readonly Term[]): void => fieldsIn(terms).forEach((field) => fields.add(field));
  for (const { where, by, measures } of asks) {
    add(where);
    for (const dimension of by) {
      if (dimension.kind === "value") fields.add(dimension.field);
      else if (dimension.kind === "conditions") add(dimension.groups.flat());
    }
    for (const measure of measures) {
      if (measure.field !== undefined) fields.add(measure.field);
      add(measure.where ?? []);
    }
  }
  return [...fields];
}

function figure({ op, field }: Measure): string {
  if (op === "count") return "count(*)";
  const name = column(field!);
  switch (op) {
    case "sum":
      return `sum(${name})`;
    case "min":
    case "max": {
      const value = typeOf(field!) === "date" ? `epoch_ms(${name})` : name;
      return `${op}(${value})`;
    }
    case "distinct":
      return `list(DISTINCT ${hashed(name)})`;
    case "values":
      return `list(DISTINCT ${name})`;
    case "percentile":
    default:
      return `histogram(floor(ln(greatest(${name}, 1)) / ln(${BUCKET_BASE}))::INTEGER)`;
  }
}

// 53 bits of a hash, which a number holds: two values in a million meet once in 9,000 such counts.
const hashed = (value: string): string => `(hash(${value}) & 9007199254740991::UBIGINT)::DOUBLE`;

/** The same of summary rows, where a column holds what was found of each row's events. */
function summed({ op, field }: Measure, filter: string): string {
  switch (op) {
    case "count":
      return `coalesce(sum("count")${filter}, 0)::DOUBLE`;
    case "distinct": {
      const all = `list_distinct(flatten(list("distinct ${field}")${filter}))`;
      return `list_transform(${all}, lambda x: ${hashed("x")})`;
    }
    case "percentile":
      return "NULL"; // bucketsSql
    case "sum":
    case "min":
    case "max":
    case "values":
    default:
      return `(${op}("${op} ${field}")${filter})::DOUBLE`;
  }
}

/** Buckets of groups of summary rows, added up: columns j0…, b. `keys` are SELECT columns, `names` theirs. */
function bucketsSql(field: string, keys: readonly string[], names: readonly string[], rows: string): string {
  const each = `SELECT ${[...keys, `unnest("buckets ${field}") AS u`].join(", ")} FROM ${rows}`;
  const all = `SELECT ${[...names, "u.key AS key", "sum(u.value)::DOUBLE AS value"].join(", ")} FROM (${each}) GROUP BY ALL`;
  const columns = [...names.map((name, i) => `${name} AS j${i}`), "list({key: key, value: value}) AS b"];
  return `SELECT ${columns.join(", ")} FROM (${all})${names.length === 0 ? "" : " GROUP BY ALL"}`;
}

function measureSql(measure: Measure, p: Parameters, rollup: Rollup | undefined): string {
  // What summary rows group by is a column as in the events.
  if (rollup !== undefined && !rollup.values.includes(measure.field ?? "")) {
    const filter = measure.where === undefined ? "" : ` FILTER (WHERE ${conditionOf(measure.where, p)})`;
    return summed(measure, filter);
  }
  const conditions: string[] = [];
  if (measure.field !== undefined) conditions.push(`${column(measure.field)} IS NOT NULL`);
  if (measure.where !== undefined) conditions.push(conditionOf(measure.where, p));
  const filter = conditions.length === 0 ? "" : ` FILTER (WHERE ${conditions.join(" AND ")})`;
  const sql = figure(measure) + filter;
  if (measure.op === "percentile") return `map_entries(${sql})`;
  // A sum of whole numbers has 128 bits.
  return measure.op === "sum" || measure.op === "min" || measure.op === "max" ? `(${sql})::DOUBLE` : sql;
}

/** A statement over `table`, events or summary rows of them, and its parameters: columns k0…, m0…, the largest
 * groups first. A field with several values is grouped by all of them at once, and conditions by the fields that they read: there are far fewer of these than events.
 * So a key may be a list: its group belongs to each of them (`isMany`). */
export function sqlOf(
  ask: Ask,
  table: string,
  rollup?: Rollup,
): { sql: string; values: readonly Parameter[] } {
  const p = new Parameters();
  const inner: string[] = [];
  const names: string[] = [];
  const outer: string[] = [];
  const conditions = [conditionOf(ask.where, p)];
  ask.by.forEach((dimension, i) => {
    outer.push(`k${i}`);
    if (dimension.kind === "time") {
      const ms = rollup === undefined ? `epoch_ms("@timestamp")` : `hour * ${HOUR_MS}`;
      inner.push(`floor(${ms} / ${dimension.step_ms})::DOUBLE AS k${i}`);
      names.push(`k${i}`);
    } else if (dimension.kind === "value") {
      inner.push(`${valueSql(dimension)} AS k${i}`);
      names.push(`k${i}`);
      if (dimension.missing !== true) conditions.push(`${column(dimension.field)} IS NOT NULL`);
    } else {
      const cases = dimension.groups.map((terms, n) => `CASE WHEN ${conditionOf(terms, p)} THEN ${n} END`);
      outer[i] = `list_filter([${cases.join(", ")}], x -> x IS NOT NULL) AS k${i}`;
      const fields = fieldsIn(dimension.groups.flat()).map(column);
      inner.push(...fields);
      names.push(...fields);
    }
  });
  const measures = ask.measures.map((measure, i) => `${measureSql(measure, p, rollup)} AS m${i}`);
  const percentile = rollup === undefined ? undefined : ask.measures.find(({ op }) => op === "percentile");
  const figures = ask.measures.map(({ op }, i) =>
    percentile !== undefined && op === "percentile" ? `b AS m${i}` : `m${i}`,
  );
  const most = LIMITS.viewer_groups + 1;
  const group =
    inner.length === 0
      ? ""
      : ` GROUP BY ${inner.map((_, i) => i + 1).join(", ")} ORDER BY ${rollup === undefined ? "count(*)" : `sum("count")`} DESC`;
  const rows = `${table} WHERE ${conditions.join(" AND ")}`;
  let groups = `(SELECT ${[...inner, ...measures].join(", ")} FROM ${rows}${group} LIMIT ${most})`;
  if (percentile !== undefined) {
    const same = ["true", ...names.map((name, i) => `${name} IS NOT DISTINCT FROM j${i}`)].join(" AND ");
    groups += ` LEFT JOIN (${bucketsSql(percentile.field!, inner, names, rows)}) ON ${same}`;
  }
  return { sql: `SELECT ${[...outer, ...figures].join(", ")} FROM ${groups}`, values: p.values };
}

function valueSql({ field, missing }: Extract<Dimension, { kind: "value" }>): string {
  const name = column(field);
  if (missing !== true) return name;
  return isList(field)
    ? `CASE WHEN len(${name}) > 0 THEN ${name} ELSE ['${NONE}'] END`
    : `coalesce(${name}, '${NONE}')`;
}

/** Whether keys of a dimension come as lists. */
export function isMany(dimension: Dimension): boolean {
  return dimension.kind === "conditions" || (dimension.kind === "value" && isList(dimension.field));
}

/** A condition that every event meets that one of the asks counts. */
export function anyOf(asks: readonly Ask[], p: Parameters): string {
  if (asks.length === 0 || asks.some(({ where }) => where.length === 0)) return "true";
  const different = new Map(asks.map(({ where }) => [queryText(where), where]));
  return `(${[...different.values()].map((where) => `coalesce(${conditionOf(where, p)}, false)`).join(" OR ")})`;
}
