// Answers to asks over the whole store: part by part, the parts' answers remembered, then added up. A part that stays is
// asked once for a question; what is missing for one part is asked in one reading of it.
import { LIMITS } from "../core/limits.ts";
import type { Key } from "./api.ts";
import { type Ask, type Measure, anyOf, fieldsOf, isMany, sqlOf } from "./asks.ts";
import { type Database, type Part, type View, holdsAll, mayHold } from "./database.ts";
import { queryText, type Term } from "./query.ts";
import type { Row } from "./rows.ts";
import { type Cell, type Partial, Sums } from "./sums.ts";
import type { Span } from "./times.ts";
import { Parameters, column, conditionOf, inSpan } from "./where.ts";

/** What parts answered, by what they were asked; the least used goes first. */
export class Remembered {
  readonly #answers = new Map<string, { partial: Partial; cells: number }>();
  #cells = 0;

  get(key: string): Partial | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, found);
    return found.partial;
  }

  put(key: string, partial: Partial): void {
    const cells = sizeOf(partial);
    if (cells > LIMITS.viewer_cache_cells / 16) return;
    this.#cells += cells - (this.#answers.get(key)?.cells ?? 0);
    this.#answers.set(key, { partial, cells });
    for (const [old, { cells: freed }] of this.#answers) {
      if (this.#cells <= LIMITS.viewer_cache_cells) break;
      this.#answers.delete(old);
      this.#cells -= freed;
    }
  }

  get cells(): number {
    return this.#cells;
  }
}

/** About: a group is an object, two lists and its values. */
function sizeOf({ groups }: Partial): number {
  let cells = 8;
  for (const group of groups) {
    cells += 6 + group.keys.length + group.cells.length;
    for (const cell of group.cells) if (Array.isArray(cell)) cells += cell.length;
  }
  return cells;
}

export interface Question {
  readonly view: View;
  readonly span: Span;
  readonly terms: readonly Term[];
  readonly signal: AbortSignal;
}

export class Figures {
  readonly #database: Database;
  readonly #remembered = new Remembered();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Cells that are remembered. */
  get cells(): number {
    return this.#remembered.cells;
  }

  /** The parts' answers to every ask, in the order of the asks. `seen` is told how many entries were looked at. */
  async ask(
    { view, span, terms, signal }: Question,
    asks: readonly Ask[],
    seen?: (partials: readonly Partial[], part: Part) => void,
  ): Promise<Partial[][]> {
    const answers: Partial[][] = asks.map(() => []);
    const parts = view.parts.filter((part) => mayHold(part, span)).toReversed();
    let next = 0;
    const work = async (): Promise<void> => {
      for (let part = parts[next++]; part !== undefined; part = parts[next++]) {
        const partials = await this.askPart(
          part,
          holdsAll(part, span) ? undefined : span,
          terms,
          asks,
          signal,
        );
        partials.forEach((partial, i) => answers[i]!.push(partial));
        seen?.(partials, part);
      }
    };
    // Two at once: one reads while the other adds up.
    await Promise.all([work(), work()]);
    return answers;
  }

  /** Takes an answer of all of a part's events that was kept. */
  remember(part: Part, ask: Ask, partial: Partial): void {
    this.#remembered.put(keyOf(part, undefined, [], ask), partial);
  }

  /** The answers of one part; without a span, of all its events. */
  async askPart(
    part: Part,
    span: Span | undefined,
    terms: readonly Term[],
    asks: readonly Ask[],
    signal: AbortSignal,
  ): Promise<Partial[]> {
    const keys = asks.map((ask) => keyOf(part, span, terms, ask));
    const known = keys.map((key) => this.#remembered.get(key));
    const missing = asks.filter((_, i) => known[i] === undefined);
    if (missing.length === 0) return known as Partial[];
    const found = await this.#read(part, span, terms, missing, signal);
    let at = 0;
    return keys.map((key, i) => {
      const partial = known[i] ?? found[at++]!;
      if (known[i] === undefined) this.#remembered.put(key, partial);
      return partial;
    });
  }

  /** One reading of the columns that are needed, and every ask of what was read. */
  #read(
    part: Part,
    span: Span | undefined,
    terms: readonly Term[],
    asks: readonly Ask[],
    signal: AbortSignal,
  ): Promise<Partial[]> {
    const p = new Parameters();
    const conditions = [conditionOf(terms, p), anyOf(asks, p)];
    if (span !== undefined) conditions.push(inSpan(span, p));
    const from = `(SELECT ${fieldsOf(asks).map(column).join(", ")} FROM ${part.from} WHERE ${conditions.join(" AND ")})`;
    return this.#database.use(signal, async (run) => {
      if (asks.length === 1 && terms.length === 0 && span === undefined)
        return [await answer(run, asks[0]!, part.from)];
      await run(`CREATE OR REPLACE TEMP TABLE part AS FROM ${from}`, p.values, 1);
      const partials: Partial[] = [];
      for (const ask of asks) partials.push(await answer(run, ask, "part"));
      await run("DROP TABLE part", [], 1);
      return partials;
    });
  }
}

function keyOf(part: Part, span: Span | undefined, terms: readonly Term[], ask: Ask): string {
  const within = span === undefined ? "" : `${span.from} ${span.to}`;
  return `${part.key}\n${within}\n${queryText(terms)}\n${JSON.stringify(ask)}`;
}

async function answer(
  run: (sql: string, values: Parameters["values"], max: number) => Promise<Row[]>,
  ask: Ask,
  table: string,
): Promise<Partial> {
  const { sql, values } = sqlOf(ask, table);
  const rows = await run(sql, [...values], LIMITS.viewer_groups + 1);
  const kept = rows.slice(0, LIMITS.viewer_groups);
  const cells = kept.map((row) => ask.measures.map((measure, i) => cellOf(measure, row[`m${i}`])));
  const cut = rows.length > LIMITS.viewer_groups;
  if (!ask.by.some(isMany)) {
    return {
      groups: kept.map((row, n) => ({ keys: ask.by.map((_, i) => row[`k${i}`] as Key), cells: cells[n]! })),
      cut,
    };
  }
  const sums = new Sums(ask);
  kept.forEach((row, n) => {
    for (const keys of combinations(ask.by.map((_, i) => row[`k${i}`] as Key | readonly Key[])))
      sums.add({ keys, cells: cells[n]! });
  });
  return { groups: sums.groups(), cut };
}

/** One of each. */
function combinations(keys: readonly (Key | readonly Key[])[]): Key[][] {
  let all: Key[][] = [[]];
  for (const key of keys) {
    const each = Array.isArray(key) ? [...new Set(key as readonly Key[])] : [key as Key];
    all = all.flatMap((head) => each.map((one) => [...head, one]));
  }
  return all;
}

function cellOf({ op }: Measure, value: unknown): Cell {
  if (op === "percentile") {
    const entries = (value ?? []) as readonly { key: number; value: number | bigint }[];
    return entries.map((entry) => [entry.key, Number(entry.value)] as const);
  }
  if (op === "distinct" || op === "values") return (value ?? []) as readonly number[];
  return value === null || value === undefined ? null : Number(value);
}
