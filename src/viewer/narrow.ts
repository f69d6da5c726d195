// Leaves out parts, and times of them, that cannot hold what is looked for: by the runs of letters in a part's entries, and by its
// summary rows. What is left may hold it or not.
import { ROLLUPS } from "../store/rollup.ts";
import { quoted } from "../store/parquet.ts";
import { gramsOf, mayHoldGrams } from "../store/grams.ts";
import type { Database, Part } from "./database.ts";
import type { Term } from "./query.ts";
import { tells } from "./rolled.ts";
import { HOUR_MS, type Span } from "./times.ts";
import { Parameters, conditionOf, typeOf } from "./where.ts";

/** Types whose values stand in the entry as they are written. */
const WRITTEN: ReadonlySet<string> = new Set([
  "keyword",
  "keyword[]",
  "wildcard",
  "constant",
  "text",
  "stored",
  "object",
]);

/** Texts of which one is in every entry that meets the term; undefined when nothing is known of them. */
function textsOf(term: Term): readonly string[] | undefined {
  if (term.not) return undefined;
  if (term.kind === "text") return [term.text];
  if (term.kind !== "is" || term.field === "event.hash") return undefined;
  return WRITTEN.has(typeOf(term.field) ?? "") ? term.values.map(({ text }) => text) : undefined;
}

/** Whether a part may hold an event that meets all terms. */
export function mayHoldTerms({ grams, first, end }: Part, terms: readonly Term[]): boolean {
  return terms.every((term) => {
    if (term.kind === "is" && !term.not && term.field === "event.sequence")
      return term.values.some(({ text }) => Number(text) >= first && Number(text) < end);
    if (grams === undefined) return true;
    const texts = textsOf(term)?.map(gramsOf);
    return texts === undefined || texts.some((runs) => mayHoldGrams(grams.path, grams.bytes, runs));
  });
}

interface Narrowed {
  readonly parts: Part[];
  /** No event before this is among the newest that are wanted. */
  readonly from: number;
}

/** Of parts, those that may hold hits, and since when: `wanted` newest ones before `before`, ms. */
export async function narrow(
  database: Database,
  parts: readonly Part[],
  {
    span,
    terms,
    signal,
  }: { readonly span: Span; readonly terms: readonly Term[]; readonly signal: AbortSignal },
  wanted: number,
  before: number,
): Promise<Narrowed> {
  const whole = { parts: [...parts], from: span.from };
  const [best] = ROLLUPS.filter(({ only }) => only === undefined)
    .map((rollup) => ({ rollup, told: terms.filter((term) => tells(rollup, term)) }))
    .toSorted((a, b) => b.told.length - a.told.length);
  const rolled = parts.filter(({ rollup }) => rollup !== undefined);
  if (best === undefined || best.told.length === 0 || rolled.length === 0) return whole;
  const p = new Parameters();
  const hours = `hour >= ${Math.floor(span.from / HOUR_MS)} AND hour <= ${Math.floor(Math.min(span.to, before) / HOUR_MS)}`;
  const files = rolled.map(({ rollup }) => quoted(rollup!.path)).join(", ");
  const sql = `SELECT filename, hour, sum("count")::DOUBLE AS n FROM read_parquet([${files}], filename = true) WHERE rollup = '${best.rollup.name}' AND ${hours} AND ${conditionOf(best.told, p)} GROUP BY ALL ORDER BY hour DESC`;
  const rows = await database.run(sql, p.values, rolled.length * 100_000, signal);
  const names = new Set(rows.map((row) => String(row["filename"])));
  const left = parts.filter(({ rollup }) => rollup === undefined || names.has(rollup.path));
  if (best.told.length < terms.length) return { parts: left, from: span.from };
  // Whole hours only: of the one that is cut off it is not known how many are before its end.
  const last = Math.floor(Math.min(span.to, before) / HOUR_MS);
  let found = 0;
  for (const { hour, n } of rows) {
    if (Number(hour) < last) found += Number(n);
    if (found >= wanted) return { parts: left, from: Math.max(span.from, Number(hour) * HOUR_MS) };
  }
  return { parts: left, from: span.from };
}
