// Questions in SQL: the same hits, totals and figures as a plain filter over the events in memory gives.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../src/core/generated/event.ts";
import type { EventRow, SearchLine } from "../../src/viewer/api.ts";
import type { Ask } from "../../src/viewer/asks.ts";
import type { Database } from "../../src/viewer/database.ts";
import { Figures } from "../../src/viewer/figures.ts";
import type { Term } from "../../src/viewer/query.ts";
import { findPage, findTotals, parsePlace } from "../../src/viewer/search.ts";
import { Sums } from "../../src/viewer/sums.ts";
import { ALWAYS, type Span, isoOf } from "../../src/viewer/times.ts";
import { readQuery } from "../../src/viewer/where.ts";
import { BEGIN_MS, madeEvents, meets, openMade } from "./made.ts";

const EVENTS = madeEvents(900);
const { signal } = new AbortController();
let database: Database;
beforeAll(async () => {
  // Three files, and 150 events in the ledger after them.
  database = await openMade(EVENTS, [300, 310, 750]);
});

const value = fc.oneof(
  fc
    .constantFrom(
      "Bash",
      "fetch",
      `it's "odd" \\ *`,
      "Ünï",
      "ann",
      "s1",
      "'; DROP TABLE tail; --",
      "$1",
      "%",
      "",
    )
    .map((text) => ({ text, prefix: false })),
  fc.constantFrom("B", "f", "Ü", "s").map((text) => ({ text, prefix: true })),
);
const not = fc.boolean();
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({
    kind: fc.constant("is" as const),
    not,
    field: fc.constantFrom("gen_ai.tool.name", "user.name", "gen_ai.conversation.id"),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
  fc.constantFrom("A.6.2.6", "A.6").chain((text) =>
    fc.record({
      kind: fc.constant("is" as const),
      not,
      field: fc.constant("tapline.control.direct"),
      values: fc.constant([{ text, prefix: text === "A.6" }]),
    }),
  ),
  fc.record({
    kind: fc.constant("is" as const),
    not,
    field: fc.constant("tapline.primary"),
    values: fc.constantFrom([{ text: "true", prefix: false }], [{ text: "false", prefix: false }]),
  }),
  fc.record({
    kind: fc.constant("there" as const),
    not,
    field: fc.constantFrom("gen_ai.tool.name", "tapline.control.direct", "message", "event.duration"),
  }),
  fc.record({
    kind: fc.constantFrom("above" as const, "below" as const),
    not,
    field: fc.constantFrom("event.duration", "tapline.data.bytes_out"),
    value: fc.constantFrom("0", "500", "1e6"),
  }),
  fc.record({
    kind: fc.constantFrom("above" as const, "below" as const),
    not,
    field: fc.constant("@timestamp"),
    value: fc.nat(900).map((minutes) => isoOf(BEGIN_MS + minutes * 60_000)),
  }),
  fc.record({
    kind: fc.constant("text" as const),
    not,
    text: fc.constantFrom(
      "quick",
      "QUICK",
      `"`,
      "\\",
      "straße",
      "äö",
      "bash",
      "lines",
      "and\nlines",
      "_",
      "%",
    ),
  }),
);
const span: fc.Arbitrary<Span> = fc.oneof(
  fc.constant(ALWAYS),
  fc.tuple(fc.nat(900), fc.nat(900)).map(([a, b]) => ({
    from: BEGIN_MS + Math.min(a, b) * 60_000,
    to: BEGIN_MS + Math.max(a, b) * 60_000,
  })),
);

const msOf = (e: Event): number => Date.parse(e["@timestamp"]!);
function expected(terms: readonly Term[], { from, to }: Span): number[] {
  return EVENTS.map((event, index) => ({ event, index, ms: msOf(event) }))
    .filter(({ event, ms }) => ms >= from && ms < to && terms.every((one) => meets(event, one)))
    .toSorted((a, b) => b.ms - a.ms || b.index - a.index)
    .map(({ index }) => index);
}

const terms = fc.array(term, { maxLength: 3 });

test("pages of a search are the events that a plain filter finds, newest first, each once", async () => {
  await fc.assert(
    fc.asyncProperty(terms, span, fc.integer({ min: 60, max: 400 }), async (asked, within, limit) => {
      const question = { view: await database.view(), span: within, terms: asked, signal };
      const wanted = expected(asked, within);
      const found: number[] = [];
      let next: string | null = "";
      do {
        const events: EventRow[] = [];
        const after = next === "" ? undefined : parsePlace(next);
        next = await findPage(database, question, { limit, after }, (page) => events.push(...page));
        expect(events.length).toBeLessThanOrEqual(limit);
        found.push(...events.map(({ index }) => index));
      } while (next !== null);
      expect(found).toEqual(wanted);
    }),
    { numRuns: 25 },
  );
});

test("totals, the chart and the facets count the same events", async () => {
  const figures = new Figures(database);
  await fc.assert(
    fc.asyncProperty(terms, span, async (asked, within) => {
      const question = { view: await database.view(), span: within, terms: asked, signal };
      const wanted = expected(asked, within);
      const lines: SearchLine[] = [];
      await findTotals(figures, question, 0, (line) => lines.push(line), 0);
      const total = lines.findLast((line) => line.type === "total")!;
      const end = lines.at(-1)!;
      expect(total).toMatchObject({ total: wanted.length, searched: EVENTS.length, entries: EVENTS.length });
      if (end.type !== "end") throw new Error("the last line is the end");
      expect(end.histogram!.values.reduce((sum, n) => sum + n, 0)).toBe(wanted.length);
      const actions = end.facets.find(({ field }) => field === "event.action")?.values ?? [];
      const counts = new Map(actions.map(({ key, count }) => [key, count]));
      const byAction = Map.groupBy(wanted, (index) => EVENTS[index]!["event.action"]!);
      expect(counts).toEqual(new Map([...byAction].map(([action, all]) => [action, all.length])));
    }),
    { numRuns: 30 },
  );
});

describe("figures", () => {
  const ask: Ask = {
    where: [],
    by: [{ kind: "value", field: "gen_ai.tool.name" }],
    measures: [
      { op: "count" },
      { op: "sum", field: "tapline.data.bytes_out" },
      { op: "max", field: "event.duration" },
      { op: "distinct", field: "gen_ai.conversation.id" },
      { op: "percentile", field: "event.duration" },
    ],
  };

  test("of groups are those of the events in memory, asked once or again", async () => {
    const figures = new Figures(database);
    await fc.assert(
      fc.asyncProperty(terms, span, async (asked, within) => {
        const question = { view: await database.view(), span: within, terms: asked, signal };
        const hits = expected(asked, within).map((index) => EVENTS[index]!);
        const groups = Map.groupBy(hits, (e) => e["gen_ai.tool.name"]);
        groups.delete(undefined);
        for (let again = 0; again < 2; again++) {
          const [partials] = await figures.ask(question, [ask]);
          const sums = new Sums(ask);
          for (const partial of partials!) for (const group of partial.groups) sums.add(group);
          const found = new Map(
            sums
              .figures(ask.measures.map(({ op }) => (op === "percentile" ? 50 : undefined)))
              .map(({ keys, values }) => [keys[0], values]),
          );
          expect(new Set(found.keys())).toEqual(new Set(groups.keys()));
          for (const [tool, events] of groups) checkGroup(found.get(tool)!, events);
        }
      }),
      { numRuns: 30 },
    );
  });

  function checkGroup(values: readonly (number | null)[], events: readonly Event[]): void {
    const numbers = (field: "tapline.data.bytes_out" | "event.duration") =>
      events.flatMap((e) => (e[field] === undefined ? [] : [e[field]]));
    const bytes = numbers("tapline.data.bytes_out");
    const durations = numbers("event.duration").toSorted((a, b) => a - b);
    expect(values[0]).toBe(events.length);
    expect(values[1]).toBe(bytes.length === 0 ? null : bytes.reduce((sum, n) => sum + n, 0));
    expect(values[2]).toBe(durations.length === 0 ? null : durations.at(-1));
    expect(values[3]).toBe(new Set(events.map((e) => e["gen_ai.conversation.id"])).size);
    if (durations.length === 0) expect(values[4]).toBeNull();
    else {
      const middle = Math.max(1, durations[Math.ceil(durations.length / 2) - 1]!);
      expect(Math.abs(values[4]! - middle) / middle).toBeLessThanOrEqual(0.0101);
    }
  }

  test("by a field of several values count an event for each, and by conditions for each that it meets", async () => {
    const figures = new Figures(database);
    const controls: Ask = {
      where: [],
      by: [{ kind: "value", field: "tapline.control.direct" }],
      measures: [{ op: "count" }],
    };
    const conditions: Ask = {
      ...controls,
      by: [
        {
          kind: "conditions",
          groups: [readQuery("user:ann"), readQuery("tool:B*"), readQuery("user:nobody")],
        },
      ],
    };
    const question = { view: await database.view(), span: ALWAYS, terms: [], signal };
    const answers = await figures.ask(question, [controls, conditions]);
    const [byControl, byCondition] = [controls, conditions].map((one, i) => {
      const sums = new Sums(one);
      for (const { groups } of answers[i]!) for (const group of groups) sums.add(group);
      return new Map(sums.figures().map(({ keys, values }) => [keys[0], values[0]]));
    });
    const tagged = (id: string) =>
      EVENTS.filter((e) => e["tapline.control.direct"]?.includes(id) === true).length;
    expect(byControl).toEqual(
      new Map([
        ["A.6.2.6", tagged("A.6.2.6")],
        ["A.6.2.8", tagged("A.6.2.8")],
      ]),
    );
    expect(byCondition!.get(0)).toBe(EVENTS.filter((e) => e["user.name"] === "ann").length);
    expect(byCondition!.get(1)).toBe(EVENTS.filter((e) => e["gen_ai.tool.name"] === "Bash").length);
    expect(byCondition!.get(2)).toBeUndefined();
  });
});

test("what a field cannot be asked is refused with what to do", () => {
  for (const [query, message] of [
    ["gen_ai.tool.nam:x", /did you mean gen_ai\.tool\.name/],
    ["event.duration:soon", /is a number/],
    ["tool:>3", /cannot be compared/],
    ["@timestamp:>yesterday", /is a time/],
    ["tapline.primary:maybe", /true or false/],
  ] as const) {
    expect(() => readQuery(query), query).toThrow(message);
  }
});

test("what lacks a field is a group of its own where it is asked for", async () => {
  const figures = new Figures(database);
  const count = [{ op: "count" }] as const;
  const asks: Ask[] = ["gen_ai.tool.name", "tapline.control.direct"].map((field) => ({
    where: [],
    by: [{ kind: "value", field, missing: true }],
    measures: count,
  }));
  const question = { view: await database.view(), span: ALWAYS, terms: [], signal };
  const answers = await figures.ask(question, asks);
  const none = asks.map((ask, i) => {
    const sums = new Sums(ask);
    for (const { groups } of answers[i]!) for (const group of groups) sums.add(group);
    return sums.figures().find(({ keys }) => keys[0] === "(none)")?.values[0];
  });
  const without = EVENTS.filter((e) => e["gen_ai.tool.name"] === undefined).length;
  const untagged = EVENTS.filter((e) => (e["tapline.control.direct"] ?? []).length === 0).length;
  expect(none).toEqual([without, untagged]);
});
