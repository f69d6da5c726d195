// Answers to asks over the whole store: part by part, the parts' answers remembered, then added up. A part that stays is
// asked once for a question. What summary rows tell is asked of them, of many parts at once; the rest in one reading of a part.
import { createHash } from "node:crypto";
import { quoted } from "../store/parquet.ts";
import { ROLLUPS } from "../store/rollup.ts";
import { answer } from "./answer.ts";
import { type Ask, anyOf, fieldsOf } from "./asks.ts";
import { type Database, type Part, type View, holdsAll, mayHold } from "./database.ts";
import { queryText, type Term } from "./query.ts";
import { mayHoldTerms } from "./narrow.ts";
import { Remembered } from "./remembered.ts";
import { chunksOf, edgesOf, hoursOf, rolledColumns, rollupFor } from "./rolled.ts";
import type { Partial } from "./sums.ts";
import type { Span } from "./times.ts";
import { Parameters, column, conditionOf, inSpan } from "./where.ts";

export interface Question {
  readonly view: View;
  readonly span: Span;
  readonly terms: readonly Term[];
  readonly signal: AbortSignal;
}

/** What is asked of some parts at once, each with its place among the asks of the question. */
interface Job {
  readonly parts: readonly Part[];
  readonly places: readonly number[];
  /** Rows that are told as looked at when it is done. */
  readonly rows: number;
  run(): Promise<Partial[]>;
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

  /** The parts' answers to every ask, in the order of the asks. `seen` is told of answers to the first ask, and how many
   * entries they are of. */
  async ask(
    question: Question,
    asks: readonly Ask[],
    seen?: (first: readonly Partial[], rows: number) => void,
  ): Promise<Partial[][]> {
    const answers: Partial[][] = asks.map(() => []);
    const jobs = this.#jobs(question, asks);
    const work = async (): Promise<void> => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const partials = await job.run();
        const first = partials.filter((_, i) => job.places[i % job.places.length] === 0);
        partials.forEach((partial, i) => answers[job.places[i % job.places.length]!]!.push(partial));
        if (job.places.includes(0)) seen?.(first, job.rows);
      }
    };
    // Two at once: one reads while the other adds up.
    await Promise.all([work(), work()]);
    return answers;
  }

  /** What is remembered first, then summaries of many parts at once, then events part by part, newest first. */
  #jobs({ view, span, terms, signal }: Question, asks: readonly Ask[]): Job[] {
    const places = asks.map((_, i) => i);
    const rollups = asks.map((ask) => rollupFor(ask, terms));
    const [rolled, read] = [true, false].map((is) => places.filter((i) => (rollups[i] !== undefined) === is));
    const jobs: Job[] = [];
    // Of parts wholly within the span all summary rows count, also those of the hours in which the span begins and ends.
    const whole: Part[] = [];
    const partly: Part[] = [];
    const one = (part: Part, of: readonly number[], within: Span | undefined, rows: number): void => {
      if (of.length === 0) return;
      const run = (): Promise<Partial[]> =>
        this.askPart(
          part,
          within,
          terms,
          of.map((i) => asks[i]!),
          signal,
        );
      jobs.push({ parts: [part], places: of, rows, run });
    };
    for (const part of view.parts.toReversed()) {
      if (!mayHold(part, span)) continue;
      const all = holdsAll(part, span);
      const within = all ? undefined : span;
      const known = all && asks.every((ask) => this.#remembered.has(keyOf(part, undefined, terms, ask)));
      if (known || part.rollup === undefined || rolled!.length === 0) one(part, places, within, part.rows);
      else {
        (all ? whole : partly).push(part);
        one(part, read!, within, part.rows);
        if (!all) for (const edge of edgesOf(span)) if (mayHold(part, edge)) one(part, rolled!, edge, 0);
      }
    }
    const roll = (parts: readonly Part[], hours: Span | undefined): void => {
      const rows = parts.reduce((sum, part) => sum + part.rows, 0);
      const run = (): Promise<Partial[]> =>
        this.#roll(
          parts,
          hours,
          terms,
          rolled!.map((i) => asks[i]!),
          signal,
        );
      jobs.unshift({ parts, places: rolled!, rows, run });
    };
    for (const parts of chunksOf(partly)) roll(parts, span);
    for (const parts of chunksOf(whole)) roll(parts, undefined);
    return jobs;
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
    const found = keys.map((key) => this.#remembered.get(key));
    const summed = (ask: Ask): boolean =>
      span === undefined && part.rollup !== undefined && rollupFor(ask, terms) !== undefined;
    const missing = asks.filter((_, i) => found[i] === undefined);
    const [rolled, read] = [missing.filter(summed), missing.filter((ask) => !summed(ask))];
    const answers = new Map<Ask, Partial>();
    if (rolled.length > 0)
      (await this.#roll([part], undefined, terms, rolled, signal)).forEach((one, i) =>
        answers.set(rolled[i]!, one),
      );
    if (read.length > 0 && mayHoldTerms(part, terms))
      (await this.#read(part, span, terms, read, signal)).forEach((one, i) => answers.set(read[i]!, one));
    return keys.map((key, i) => {
      if (found[i] !== undefined) return found[i];
      const partial = answers.get(asks[i]!) ?? NO_GROUPS;
      this.#remembered.put(key, partial);
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

  /** The same of the parts' summary rows: all, or those of whole hours within a span. */
  async #roll(
    parts: readonly Part[],
    span: Span | undefined,
    terms: readonly Term[],
    asks: readonly Ask[],
    signal: AbortSignal,
  ): Promise<Partial[]> {
    // All of one part's is that part's answer; of its whole hours alone it is not.
    const own = parts.length === 1 && span === undefined;
    const key = own ? parts[0]! : { key: `summary ${digestOf(parts.map((part) => part.key).join("\n"))}` };
    const keys = asks.map((ask) => keyOf(key, span, terms, ask));
    const answers = keys.map((one) => this.#remembered.get(one));
    const missing = asks.filter((_, i) => answers[i] === undefined);
    const found = new Map<Ask, Partial>();
    for (const rollup of ROLLUPS) {
      const of = missing.filter((ask) => rollupFor(ask, terms) === rollup);
      if (of.length === 0) continue;
      const p = new Parameters();
      const conditions = [`rollup = '${rollup.name}'`, conditionOf(terms, p), anyOf(of, p)];
      if (span !== undefined)
        conditions.push(`hour >= ${hoursOf(span).first} AND hour < ${hoursOf(span).end}`);
      const files = parts.map(({ rollup: file }) => quoted(file!.path)).join(", ");
      const from = `SELECT ${rolledColumns(rollup, of)} FROM read_parquet([${files}]) WHERE ${conditions.join(" AND ")}`;
      await this.#database.use(signal, async (run) => {
        await run(`CREATE OR REPLACE TEMP TABLE part AS ${from}`, p.values, 1);
        for (const ask of of) found.set(ask, await answer(run, ask, "part", rollup));
        await run("DROP TABLE part", [], 1);
      });
    }
    return keys.map((one, i) => {
      if (answers[i] !== undefined) return answers[i];
      const partial = found.get(asks[i]!)!;
      this.#remembered.put(one, partial);
      return partial;
    });
  }
}

const NO_GROUPS: Partial = { groups: [], cut: false };
const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22);
function keyOf(part: Pick<Part, "key">, span: Span | undefined, terms: readonly Term[], ask: Ask): string {
  const within = span === undefined ? "" : `${span.from} ${span.to}`;
  return `${part.key}\n${within}\n${queryText(terms)}\n${JSON.stringify(ask)}`;
}
