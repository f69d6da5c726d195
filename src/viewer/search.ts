// The newest events that meet a question, page by page, and how many there are. Parts are asked newest first, and no more of
// them than the page needs; hits are told as soon as no other part can hold a newer one.
import { LIMITS } from "../core/limits.ts";
import type { EventRow, Facet, SearchLine, ValueList } from "./api.ts";
import type { Ask } from "./asks.ts";
import { type Database, type Part, holdsAll, mayHold } from "./database.ts";
import type { Figures, Question } from "./figures.ts";
import { mayHoldTerms, narrow } from "./narrow.ts";
import { FIELDS_OF_ROW, columnsOf, rowOf } from "./rows.ts";
import { Sums } from "./sums.ts";
import { type Span, bucketOf, bucketsOf, stepOf } from "./times.ts";
import { Parameters, conditionOf, inSpan, refuse } from "./where.ts";
import { queryText } from "./query.ts";
import { baseOf } from "./panels.ts";

/** Place of a hit in the order: time, then index. */
export interface Place {
  readonly ms: number;
  readonly index: number;
}

export function parsePlace(text: string): Place {
  const found = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (found === null) return refuse("`after` is no cursor of an answer");
  return { ms: Number(found[1]), index: Number(found[2]) };
}

const placeText = ({ ms, index }: Place): string => `${ms}.${index}`;

export interface Page {
  readonly limit: number;
  readonly after?: Place | undefined;
  readonly fields?: readonly string[];
}

interface Hit extends Place {
  readonly event: EventRow;
}

/** Parts that are asked before it is looked up which others are worth it. */
const AHEAD = 2;

/** Hits of a page in order. `emit` is told of those that are certain; gives the place after the last, or undefined. */
export async function findPage(
  database: Database,
  question: Question,
  page: Page,
  emit: (events: EventRow[]) => void,
  seen?: (searched: number) => void,
): Promise<string | null> {
  const { view, terms, signal } = question;
  let { span } = question;
  const fields = page.fields ?? FIELDS_OF_ROW;
  const before = page.after?.ms ?? Infinity;
  let parts = view.parts
    .filter((part) => mayHold(part, span) && part.times.from <= before)
    .toSorted((a, b) => b.times.to - a.times.to || b.end - a.end);
  let hits: Hit[] = [];
  let told = 0;
  for (let i = 0; i < parts.length; i++) {
    if (i === AHEAD) {
      const left = await narrow(database, parts.slice(i), question, page.limit + 1, before);
      parts = [...parts.slice(0, i), ...left.parts];
      span = { ...span, from: left.from };
    }
    const part = parts[i];
    if (part === undefined || !mayHold(part, span)) continue;
    const full = hits.length > page.limit ? hits[page.limit]!.ms : undefined;
    if (full !== undefined && full > part.times.to) break;
    const found = await hitsOf(database, part, span, terms, page, fields, signal);
    hits = [...hits, ...found].toSorted((a, b) => b.ms - a.ms || b.index - a.index).slice(0, page.limit + 1);
    seen?.(part.rows);
    const next_ms = parts[i + 1]?.times.to ?? -Infinity;
    const certain = Math.min(hits.findLastIndex(({ ms }) => ms > next_ms) + 1, page.limit);
    if (certain > told) emit(hits.slice(told, certain).map(({ event }) => event));
    told = Math.max(told, certain);
  }
  const rest = hits.slice(told, page.limit);
  if (rest.length > 0) emit(rest.map(({ event }) => event));
  return hits.length > page.limit ? placeText(hits[page.limit - 1]!) : null;
}

async function hitsOf(
  database: Database,
  part: Part,
  span: Span,
  terms: Question["terms"],
  { limit, after }: Page,
  fields: readonly string[],
  signal: AbortSignal,
): Promise<Hit[]> {
  if (!mayHoldTerms(part, terms)) return [];
  // What a part has no hit for at all, it has in no page and no period.
  const name = `${part.key}\n${queryText(terms)}`;
  if (database.nothing.has(name)) return [];
  const p = new Parameters();
  const conditions = [conditionOf(terms, p), inSpan(span, p)];
  if (after !== undefined) {
    const ms = `epoch_ms(${p.add(after.ms)}::BIGINT)`;
    conditions.push(
      `("@timestamp" < ${ms} OR ("@timestamp" = ${ms} AND "event.sequence" < ${p.add(after.index)}))`,
    );
  }
  const newest = `FROM ${part.from} WHERE ${conditions.join(" AND ")} ORDER BY "@timestamp" DESC, "event.sequence" DESC LIMIT ${limit + 1}`;
  const rows = await database.run(`SELECT ${columnsOf(fields)} ${newest}`, p.values, limit + 1, signal);
  if (rows.length === 0 && part.stays && after === undefined && holdsAll(part, span)) {
    if (database.nothing.size >= LIMITS.viewer_nothing) database.nothing.clear();
    database.nothing.add(name);
  }
  return rows.map((row) => ({
    ms: Number(row["@timestamp"]),
    index: Number(row["event.sequence"]),
    event: rowOf(row, fields),
  }));
}

const FACETS = [
  "event.action",
  "service.name",
  "user.name",
  "tapline.server.name",
  "gen_ai.tool.name",
  "event.outcome",
  "tapline.decision.verdict",
  "tapline.alert.level",
] as const;
const FACET_VALUES = 10;

/** When, and the facets. */
export function totalsAsks(base_ms: number): Ask[] {
  const measures = [{ op: "count" }] as const;
  return [
    { where: [], by: [{ kind: "time", step_ms: base_ms }], measures },
    ...FACETS.map((field): Ask => ({ where: [], by: [{ kind: "value", field }], measures })),
  ];
}

/** The most frequent values of a field in a question's events. */
export async function valuesOf(figures: Figures, question: Question, field: string): Promise<ValueList> {
  const ask: Ask = { where: [], by: [{ kind: "value", field }], measures: [{ op: "count" }] };
  const [partials] = await figures.ask(question, [ask]);
  const sums = new Sums(ask);
  for (const { groups } of partials!) for (const group of groups) sums.add(group);
  const all = sums.figures().map(({ keys, values: [n] }) => ({ key: keys[0]!, count: n ?? 0 }));
  const most = all.toSorted((a, b) => b.count - a.count || (String(a.key) < String(b.key) ? -1 : 1));
  return { field, values: most.slice(0, LIMITS.viewer_offers), more: most.length > LIMITS.viewer_offers };
}

/** Totals of a question: how many, when, and the most frequent values of a few fields. */
export async function findTotals(
  figures: Figures,
  question: Question,
  tz: number,
  emit: (line: SearchLine) => void,
  started_ms: number,
): Promise<void> {
  const { view, span } = question;
  const inside = shownSpan(question);
  const step_ms = stepOf(inside, LIMITS.viewer_buckets / 4);
  const base_ms = baseOf(step_ms, tz);
  const asks = totalsAsks(base_ms);
  let total = 0;
  let searched = view.parts.filter((part) => !mayHold(part, span)).reduce((sum, { rows }) => sum + rows, 0);
  let told_ms = performance.now();
  const entries = view.end;
  const answers = await figures.ask(question, asks, (counted, rows) => {
    for (const { groups } of counted) for (const { cells } of groups) total += Number(cells[0]);
    searched += rows;
    if (performance.now() - told_ms < LIMITS.viewer_tell_ms) return;
    told_ms = performance.now();
    emit({ type: "total", total, searched: Math.min(searched, entries), entries });
  });
  emit({ type: "total", total, searched: entries, entries });
  const sums = asks.map((ask, i) => {
    const all = new Sums(ask);
    for (const { groups } of answers[i]!) for (const group of groups) all.add(group);
    return all.figures();
  });
  const times = bucketsOf(inside, step_ms, tz);
  const values = times.map(() => 0);
  const places = new Map(times.map((time, i) => [time, i]));
  for (const {
    keys,
    values: [n],
  } of sums[0]!) {
    const at = places.get(bucketOf(Number(keys[0]) * base_ms, step_ms, tz));
    if (at !== undefined) values[at]! += n ?? 0;
  }
  const facets = FACETS.map((field, i): Facet => {
    const found = sums[i + 1]!.map(({ keys, values: [n] }) => ({ key: keys[0]!, count: n ?? 0 }));
    return { field, values: found.toSorted((a, b) => b.count - a.count).slice(0, FACET_VALUES) };
  });
  const took_ms = Math.round(performance.now() - started_ms);
  emit({
    type: "end",
    histogram: { step_ms, times, values },
    facets: facets.filter((facet) => facet.values.length > 0),
    ...(answers.flat().some(({ cut }) => cut) && { cut: true }),
    took_ms,
  });
}

/** The span that a chart shows: what was asked, but no more than there are events in. */
export function shownSpan({ view, span }: Pick<Question, "view" | "span">): Span {
  const parts = view.parts.filter((part) => mayHold(part, span));
  if (parts.length === 0) return { from: 0, to: 0 };
  const from = Math.max(span.from, Math.min(...parts.map(({ times }) => times.from)));
  const to = Math.min(span.to, Math.max(...parts.map(({ times }) => times.to)) + 1);
  return { from, to: Math.max(from, to) };
}
