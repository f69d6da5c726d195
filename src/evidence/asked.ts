// What a report asks of the store: the events of its period, as they stood when it began, counted where they lie. Nothing is
// read into memory that grows with the ledger.
import { LIMITS } from "../core/limits.ts";
import type { Store } from "../store/reader.ts";
import type { Term } from "../viewer/query.ts";
import { type Span, isoOf } from "../viewer/times.ts";
import { type Parameter, Parameters, column, conditionOf, inSpan } from "../viewer/where.ts";
import type { Count } from "./model.ts";

type Row = Readonly<Record<string, unknown>>;

export interface Counted {
  /** Number of the question. */
  readonly of: number;
  readonly name: string;
  readonly events: number;
  readonly last: string;
  /** Of all that meet the question, whatever the name. */
  readonly whole: { readonly events: number; readonly first: string; readonly last: string };
}

/** Recorded here first: events of other collectors may be here, too. */
export const HERE = `"tapline.upstream.origin" IS NULL`;
/** What this ledger's own collector says: neither what a mapping makes of somebody's records, nor what another collector said
 * of itself. */
export const OURS = `"tapline.vantage" = 'self' AND ${HERE}`;

const fieldsIn = (terms: readonly Term[]): string[] =>
  terms.flatMap((term) => (term.kind === "text" ? [] : [column(term.field)]));

/** Foreign text as a column: cut before it is read. */
export const textColumn = (field: string): string =>
  `left(coalesce(${column(field)}, ''), ${LIMITS.report_note_chars}) AS ${column(field)}`;
export const timeColumn = (field: string): string => `epoch_ms(${column(field)}) AS ${column(field)}`;
export const textAt = (row: Row, field: string): string => {
  const value = row[field];
  return typeof value === "string" ? value : "";
};
export const timeAt = (row: Row, field: string): string =>
  row[field] === null || row[field] === undefined ? "" : isoOf(Number(row[field]));

const whole = (figure: string): string => `${figure} OVER (PARTITION BY of)`;

export class Asked {
  readonly span: Span;
  /** Entries [first, end) were there when the report began. */
  readonly first: number;
  readonly end: number;
  readonly #store: Store;

  constructor(store: Store, span: Span, { first, end }: { first: number; end: number }) {
    this.#store = store;
    this.span = span;
    this.first = first;
    this.end = end;
  }

  /** The entries that are looked at: those there were, before another index if one is named. */
  #there(before = Infinity): string {
    return `"event.sequence" >= ${this.first} AND "event.sequence" < ${Math.min(before, this.end)}`;
  }

  /** Rows of the events that meet a condition, within the period unless `always`; at most `report_rows`. */
  async rows(
    select: string,
    where: string,
    rest = "",
    options: { values?: readonly Parameter[]; always?: boolean; from?: string } = {},
  ): Promise<Row[]> {
    const p = new Parameters();
    for (const value of options.values ?? []) p.add(value);
    const within = options.always === true ? "true" : inSpan(this.span, p);
    return await this.#store.query(
      `SELECT ${select} FROM ${options.from ?? "events"} WHERE ${this.#there()} AND ${within} AND (${where}) ${rest}`,
      p.values,
    );
  }

  /** One number. */
  async number(select: string, where = "true", always = false): Promise<number> {
    const [row] = await this.rows(`${select} AS n`, where, "", { always });
    return Number(row?.["n"] ?? 0);
  }

  /** Events by the values of a field, the largest first, and what the others come to. */
  async countBy(field: string, where = "true"): Promise<Count[]> {
    const name = column(field);
    const p = new Parameters();
    const counted = `SELECT 0 AS of, left(${name}, ${LIMITS.report_note_chars}) AS name, count(*) AS n
      FROM events WHERE ${this.#there()} AND ${inSpan(this.span, p)} AND ${name} IS NOT NULL AND (${where}) GROUP BY 2`;
    return (await this.#store.query(largestOf(counted), p.values)).map(countOf);
  }

  /** Events by the values of a field of few kinds: all of them. */
  async countAll(field: string): Promise<Count[]> {
    const name = column(field);
    const rows = await this.rows(
      `${name} AS name, count(*) AS n`,
      `${name} IS NOT NULL`,
      `GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${LIMITS.report_rows}`,
    );
    return rows.map((row) => ({ name: textAt(row, "name"), events: Number(row["n"]) }));
  }

  /** Rows `of, name, n, a, b`: one reading for all questions, each with its number. What they ask for has few kinds, so that
   * events are grouped by these before each group is held against every question. */
  #counted(
    questions: readonly (readonly Term[])[],
    numbers: readonly number[],
    field: string,
    p: Parameters,
  ): string {
    const fields = [...new Set(questions.flatMap(fieldsIn))];
    const name = `coalesce(left(${column(field)}, ${LIMITS.report_note_chars}), '')`;
    const groups = `SELECT ${fields.join(", ")}, ${name} AS name, count(*) AS n, min("@timestamp") AS a, max("@timestamp") AS b
      FROM events WHERE ${this.#there()} AND ${inSpan(this.span, p)} GROUP BY ALL`;
    return `SELECT unnest(${matching(questions, p, numbers)}) AS of, name, n, a, b FROM (${groups})`;
  }

  /** For each question, its events by the values of a field of few kinds: all of them, the largest first. */
  async countEach(questions: readonly (readonly Term[])[], field: string): Promise<Counted[]> {
    if (questions.length === 0) return [];
    const p = new Parameters();
    const rows = await this.#store.query(
      `SELECT of, name, sum(n)::BIGINT AS n, epoch_ms(max(b)) AS last, (${whole("sum(sum(n))")})::BIGINT AS all_n,
         epoch_ms(${whole("min(min(a))")}) AS all_first, epoch_ms(${whole("max(max(b))")}) AS all_last
       FROM (${this.#counted(questions, [...questions.keys()], field, p)}) GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2`,
      p.values,
    );
    return rows.map((row) => ({
      of: Number(row["of"]),
      name: textAt(row, "name"),
      events: Number(row["n"]),
      last: timeAt(row, "last"),
      whole: {
        events: Number(row["all_n"]),
        first: timeAt(row, "all_first"),
        last: timeAt(row, "all_last"),
      },
    }));
  }

  /** Events by the values of a field, those of questions with the same number together: the largest first, and what the others
   * come to. What has no value is left out. */
  async countMost(
    questions: readonly (readonly Term[])[],
    numbers: readonly number[],
    field: string,
  ): Promise<Map<number, Count[]>> {
    if (questions.length === 0) return new Map();
    const p = new Parameters();
    const named = `SELECT of, name, n FROM (${this.#counted(questions, numbers, field, p)}) WHERE name <> ''`;
    const rows = await this.#store.query(largestOf(named), p.values);
    const all = Map.groupBy(rows, (row) => Number(row["of"]));
    return new Map([...all].map(([of, each]) => [of, each.map(countOf)]));
  }

  /** For each question, how many of its events are before `covered`, and the first of these in the order of a key. */
  async drawEach(
    questions: readonly (readonly Term[])[],
    key: string,
    covered: number,
  ): Promise<{ of: number; population: number; drawn: number[] }[]> {
    if (questions.length === 0) return [];
    const p = new Parameters();
    const where = `${this.#there(covered)} AND ${inSpan(this.span, p)}`;
    const rows = await this.#store.query(
      `SELECT of, count(*) AS n, arg_min(seq, key, ${LIMITS.report_sample}) AS drawn
       FROM (SELECT unnest(${matching(questions, p)}) AS of, "event.sequence" AS seq, ${key} AS key FROM events WHERE ${where})
       GROUP BY 1`,
      p.values,
    );
    return rows.map((row) => ({
      of: Number(row["of"]),
      population: Number(row["n"]),
      drawn: (row["drawn"] as unknown[]).map(Number),
    }));
  }
}

/** Of rows `of, name, n`: the names that come to most, and one row without a name of all the others. */
const largestOf = (rows: string): string =>
  `SELECT of, CASE WHEN place <= ${LIMITS.report_listed} THEN one END AS name, sum(m)::BIGINT AS n, count(*) AS names
   FROM (SELECT of, name AS one, sum(n) AS m, row_number() OVER (PARTITION BY of ORDER BY sum(n) DESC, name) AS place
         FROM (${rows}) GROUP BY 1, 2)
   GROUP BY 1, 2 ORDER BY of, name IS NULL, n DESC, name`;

function countOf(row: Row): Count {
  const [name, events] = [textAt(row, "name"), Number(row["n"])];
  return row["name"] === null ? { name, events, more: Number(row["names"]) } : { name, events };
}

/** A list of the numbers of the questions that a row meets. */
function matching(
  questions: readonly (readonly Term[])[],
  p: Parameters,
  numbers: readonly number[] = [...questions.keys()],
): string {
  const cases = questions.map((terms, i) => `CASE WHEN ${conditionOf(terms, p)} THEN ${numbers[i]} END`);
  return `list_filter([${cases.join(", ")}], x -> x IS NOT NULL)`;
}
