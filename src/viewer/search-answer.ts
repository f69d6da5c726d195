// The answer of a search in lines: hits, how far it is, totals. What is searched is a matter of search.ts.
import { LIMITS } from "../core/limits.ts";
import type { EventRow } from "./api.ts";
import type { Context } from "./context.ts";
import type { Term } from "./query.ts";
import type { Request } from "./request.ts";
import { findPage, findTotals } from "./search.ts";
import type { Stream } from "./send.ts";

/** Events by their indexes. */
const amongTerm = (indexes: readonly number[]): Term => ({
  kind: "is",
  not: false,
  field: "event.sequence",
  // None is before the first.
  values: (indexes.length === 0 ? [-1] : indexes).map((index) => ({ text: String(index), prefix: false })),
});

/** The hits of a page as they are found, then the totals. */
export async function tellSearch(
  { asked, signal }: Request,
  context: Context,
  stream: Stream,
): Promise<void> {
  const started_ms = performance.now();
  const question = asked.question(await context.database.view(), signal);
  const page = { limit: asked.limit(), after: asked.after() };
  const hits: number[] = [];
  const tell = (events: readonly EventRow[]): void => {
    hits.push(...events.map(({ index }) => index));
    stream.line({ type: "hits", events });
  };
  let searched = 0;
  let told_ms = started_ms;
  const next = await findPage(context.database, question, page, tell, (rows) => {
    searched += rows;
    if (performance.now() - told_ms < LIMITS.viewer_tell_ms) return;
    told_ms = performance.now();
    stream.line({ type: "total", total: hits.length, searched, entries: question.view.end });
  });
  stream.line({ type: "page", next, took_ms: Math.round(performance.now() - started_ms) });
  if (asked.text("total") === "no") {
    const took_ms = Math.round(performance.now() - started_ms);
    stream.line({ type: "end", histogram: null, facets: [], took_ms });
    return;
  }
  // All hits are known when they fill no page: then they alone are counted.
  const whole = next === null && page.after === undefined;
  const counted = whole ? { ...question, terms: [amongTerm(hits)] } : question;
  await findTotals(context.figures, counted, asked.tz(), (line) => stream.line(line), started_ms);
}
