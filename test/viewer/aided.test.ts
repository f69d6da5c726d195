// What summary rows and runs of letters answer, against the events themselves: the same figures, the same hits.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { DASHBOARDS } from "../../dashboards/index.ts";
import type { Ask } from "../../src/viewer/asks.ts";
import { CONTROLS } from "../../src/viewer/controls.ts";
import type { Database } from "../../src/viewer/database.ts";
import { Figures } from "../../src/viewer/figures.ts";
import { mayHoldTerms } from "../../src/viewer/narrow.ts";
import { usualAsks } from "../../src/viewer/panels.ts";
import { type Term, parseQuery } from "../../src/viewer/query.ts";
import { rollupFor } from "../../src/viewer/rolled.ts";
import { RULES } from "../../src/viewer/rules.ts";
import { findPage, totalsAsks } from "../../src/viewer/search.ts";
import { SESSIONS } from "../../src/viewer/sessions.ts";
import { Sums } from "../../src/viewer/sums.ts";
import { ALWAYS, HOUR_MS, type Span, isoOf } from "../../src/viewer/times.ts";
import { BEGIN_MS, madeEvents, openMade } from "./made.ts";

const EVENTS = madeEvents(900);
const USUAL: readonly Ask[] = [
  ...new Map(
    [...DASHBOARDS.flatMap(usualAsks), SESSIONS, ...CONTROLS, RULES, ...totalsAsks(HOUR_MS)].map((ask) => [
      JSON.stringify(ask),
      ask,
    ]),
  ).values(),
];
const signal = new AbortController().signal;

let plain: Database;
let aided: Database;
beforeAll(async () => {
  plain = await openMade(EVENTS, [300, 600, 840]);
  aided = await openMade(EVENTS, [300, 600, 840], true);
}, 120_000);

const termsOf = (q: string): Term[] => parseQuery(q) as Term[];

async function figuresOf(database: Database, span: Span, terms: Term[], asks: readonly Ask[]) {
  const view = await database.view();
  const answers = await new Figures(database).ask({ view, span, terms, signal }, asks);
  return answers.map((partials, i) => {
    const sums = new Sums(asks[i]!);
    for (const { groups } of partials) for (const group of groups) sums.add(group);
    const percentiles = asks[i]!.measures.map(({ op }) => (op === "percentile" ? 95 : undefined));
    return sums
      .figures(percentiles)
      .filter(({ values }) => values.some((value) => value !== null && value !== 0))
      .map(({ keys, values }) => JSON.stringify([keys, values]))
      .toSorted();
  });
}

test("every question that pages usually ask is one that summary rows answer", () => {
  expect(USUAL.filter((ask) => rollupFor(ask, []) === undefined)).toEqual([]);
  const tool = termsOf("tool:Bash user:ann -outcome:failure");
  const sessions = USUAL.filter((ask) => rollupFor(ask, tool) === undefined);
  // Of sessions it is not kept which tools they used.
  expect(sessions.length).toBeLessThanOrEqual(2);
});

test("summary rows give the figures that the events give, in any period, under any condition", async () => {
  const HOURS = 60 * 24;
  const at = fc.integer({ min: -HOURS, max: HOURS }).map((half) => BEGIN_MS + half * (HOUR_MS / 2));
  const ms = fc.oneof(at, fc.integer({ min: BEGIN_MS - 86_400_000, max: BEGIN_MS + 60_000_000 }));
  const span = fc.oneof(
    fc.constant(ALWAYS),
    fc.tuple(ms, ms).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 })),
    ms.map((from) => ({ from, to: ALWAYS.to })),
  );
  const q = fc.constantFrom(
    "",
    "tool:Bash",
    "-user:ann outcome:*",
    "session:s3",
    "tapline.control.direct:A.6.2.8",
    "tool:(fetch read*)",
    "level:high tool:nothing",
    "tapline.primary:true quick",
    "tapline.data.bytes_out:>2000",
  );
  await fc.assert(
    fc.asyncProperty(
      span,
      q,
      fc.shuffledSubarray([...USUAL], { minLength: 1, maxLength: 12 }),
      async (s, text, asks) => {
        const terms = termsOf(text);
        const [a, b] = [await figuresOf(aided, s, terms, asks), await figuresOf(plain, s, terms, asks)];
        expect(a).toEqual(b);
      },
    ),
    { numRuns: 40 },
  );
}, 600_000);

test("figures of any period over files that begin and end anywhere within hours are a plain count", async () => {
  // Three hours and a half, so that most periods begin or end in an hour that some file has in part.
  const minute = fc.integer({ min: 0, max: 210 });
  const asks: Ask[] = [
    { where: [], by: [], measures: [{ op: "count" }] },
    { where: [], by: [{ kind: "value", field: "event.action" }], measures: [{ op: "count" }] },
  ];
  const files = fc.array(fc.array(minute, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 });
  const spans = fc.array(fc.tuple(minute, minute), { minLength: 20, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(files, spans, async (times, asked) => {
      const at = times.flat();
      const events = madeEvents(at.length).map((event, i) => ({
        ...event,
        "@timestamp": isoOf(BEGIN_MS + at[i]! * 60_000),
      }));
      const ends = times.map((_, i) => times.slice(0, i + 1).flat().length);
      const database = await openMade(events, ends, true);
      // One and the same for all, so that what it remembers of one period is not taken for another.
      const figures = new Figures(database);
      const view = await database.view();
      for (const [a, b] of asked) {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const span = { from: BEGIN_MS + from * 60_000, to: BEGIN_MS + to * 60_000 };
        const answers = await figures.ask({ view, span, terms: [], signal }, asks);
        const counts = answers.map((partials) =>
          partials.flatMap(({ groups }) => groups).reduce((sum, { cells }) => sum + Number(cells[0]), 0),
        );
        const plainly = at.filter((one) => one >= from && one < to).length;
        expect(counts, `${from} to ${to} of ${JSON.stringify(times)}`).toEqual([plainly, plainly]);
      }
    }),
    { numRuns: 6 },
  );
}, 300_000);

test("the same hits, page by page, whatever is left out beforehand", async () => {
  const questions = [
    "",
    "tool:Bash",
    "rule.name:*",
    "level:high",
    "-tool:Bash user:bob",
    "session:s4",
    "brown",
    "zzunheard",
    "tool:Bash quick",
    "straße",
    "odd",
    "event.id:e17",
    "event.id:e899",
    "tapline.control.direct:A.6.2.6",
  ];
  for (const q of questions) {
    const terms = termsOf(q);
    const pages = async (database: Database): Promise<number[]> => {
      const view = await database.view();
      const found: number[] = [];
      let after: { ms: number; index: number } | undefined;
      for (let page = 0; page < 4; page++) {
        const next = await findPage(
          database,
          { view, span: ALWAYS, terms, signal },
          { limit: 20, after },
          (events) => found.push(...events.map(({ index }) => index)),
        );
        if (next === null) break;
        const [ms, index] = next.split(".").map(Number) as [number, number];
        after = { ms, index };
      }
      return found;
    };
    expect(await pages(aided), q).toEqual(await pages(plain));
  }
}, 300_000);

test("a word that is nowhere is known to be nowhere, without reading a file", async () => {
  const { parts } = await aided.view();
  const files = parts.filter(({ grams }) => grams !== undefined);
  expect(files).toHaveLength(3);
  expect(files.every(({ rollup }) => rollup !== undefined && rollup.rows > 0)).toBe(true);
  for (const q of ["zzunheard", "user:nosuchuser", "tool:read_files"])
    expect(files.filter((part) => mayHoldTerms(part, termsOf(q)))).toEqual([]);
  for (const q of ["brown", "-zzunheard", "tool:(nosuchtool read_file)", "BROWN"])
    expect(files.filter((part) => mayHoldTerms(part, termsOf(q)))).toHaveLength(3);
});
