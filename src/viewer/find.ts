// Events by what identifies them: index, id, class. Rows of rare classes are remembered for parts that stay.
import type { EventRow } from "./api.ts";
import type { Database, Part, View } from "./database.ts";
import { mayHoldTerms } from "./narrow.ts";
import type { Term } from "./query.ts";
import { FIELDS_OF_ROW, type Row, columnsOf, cut, rowOf } from "./rows.ts";
import { type Parameter, Parameters } from "./where.ts";

/** Rows of a class of events that are few: the same columns of each, oldest first. */
export class RareRows {
  readonly #database: Database;
  readonly #sql: string;
  readonly #most: number;
  readonly #known = new Map<string, readonly Row[]>();

  /** `condition` is SQL of ours. */
  constructor(database: Database, fields: readonly string[], condition: string, most: number) {
    const columns = fields.map((field) => (field === "entry" ? field : cut(field)));
    this.#database = database;
    this.#sql = `SELECT ${columns.join(", ")} FROM $from WHERE ${condition} ORDER BY "event.sequence" DESC`;
    this.#most = most;
  }

  /** The newest, as many as the bound allows. */
  async rows(view: View, signal: AbortSignal): Promise<Row[]> {
    const newest = view.parts.toSorted((a, b) => b.end - a.end);
    const found: (readonly Row[])[] = [];
    let left = this.#most;
    for (const part of newest) {
      if (left <= 0) break;
      const rows = this.#known.get(part.key) ?? (await this.#read(part, signal));
      found.push(rows);
      left -= rows.length;
    }
    this.#forget(view);
    const all = found.flat().toSorted((a, b) => Number(a["event.sequence"]) - Number(b["event.sequence"]));
    return all.slice(-this.#most);
  }

  async #read(part: Part, signal: AbortSignal): Promise<readonly Row[]> {
    const sql = this.#sql.replace("$from", part.from);
    const rows = await this.#database.run(sql, [], this.#most, signal);
    if (part.stays) this.#known.set(part.key, rows);
    return rows;
  }

  #forget(view: View): void {
    if (this.#known.size <= 2 * view.parts.length + 16) return;
    const now = new Set(view.parts.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!now.has(key)) this.#known.delete(key);
  }
}

/** Rows at these indexes, in any order. */
export async function rowsAt(
  database: Database,
  view: View,
  indexes: readonly number[],
  columns: string,
  signal: AbortSignal,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const part of view.parts) {
    const here = indexes.filter((index) => index >= part.first && index < part.end);
    if (here.length === 0) continue;
    const sql = `SELECT ${columns} FROM ${part.from} WHERE "event.sequence" IN (${here.map(Number).join(", ")})`;
    rows.push(...(await database.run(sql, [], here.length, signal)));
  }
  return rows;
}

export async function eventsAt(
  database: Database,
  view: View,
  indexes: readonly number[],
  signal: AbortSignal,
  fields: readonly string[] = FIELDS_OF_ROW,
): Promise<Map<number, EventRow>> {
  const rows = await rowsAt(database, view, indexes, columnsOf(fields), signal);
  return new Map(rows.map((row) => [Number(row["event.sequence"]), rowOf(row, fields)]));
}

/** Index of the event with this id, the newest if there were several; undefined when there is none. */
export async function indexOfId(
  database: Database,
  view: View,
  id: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const named: Term = { kind: "is", not: false, field: "event.id", values: [{ text: id, prefix: false }] };
  for (const part of view.parts.toSorted((a, b) => b.end - a.end)) {
    if (!mayHoldTerms(part, [named])) continue;
    const sql = `SELECT max("event.sequence") AS at FROM ${part.from} WHERE "event.id" = $1`;
    const [row] = await database.run(sql, [id], 1, signal);
    if (row?.["at"] !== null && row?.["at"] !== undefined) return Number(row["at"]);
  }
  return undefined;
}

/** Events of some parts that meet a condition, at most `most` of each. */
export async function eventsWhere(
  database: Database,
  parts: readonly Part[],
  condition: (p: Parameters) => string,
  fields: readonly string[],
  most: number,
  signal: AbortSignal,
): Promise<{ row: Row; event: EventRow }[]> {
  const found: { row: Row; event: EventRow }[] = [];
  for (const part of parts) {
    const p = new Parameters();
    const where = condition(p);
    const values: Parameter[] = p.values;
    // Which they are first: few columns of all rows, then all columns of few.
    const sql = `SELECT "event.sequence" AS at FROM ${part.from} WHERE ${where} ORDER BY "event.sequence" LIMIT ${most}`;
    const indexes = (await database.run(sql, values, most, signal)).map(({ at }) => Number(at));
    if (indexes.length === 0) continue;
    const all = `SELECT ${columnsOf(fields)} FROM ${part.from} WHERE "event.sequence" IN (${indexes.join(", ")}) ORDER BY "event.sequence"`;
    for (const row of await database.run(all, [], indexes.length, signal))
      found.push({ row, event: rowOf(row, fields) });
  }
  return found;
}
