// Controls of the map: what was recorded of each in a period. A control without any event is in the list too.
import { readControls, readCrosswalk } from "../../scripts/gen/tables.ts";
import type { ControlDetail, ControlList, ControlRow, EventRow, ExhibitHeader } from "./api.ts";
import type { Ask } from "./asks.ts";
import type { Context } from "./context.ts";
import type { Question } from "./figures.ts";
import type { Term } from "./query.ts";
import { findPage } from "./search.ts";
import { Sums } from "./sums.ts";
import { isoOf } from "./times.ts";

const EVIDENCE = 50;
const STRENGTHS = ["direct", "supporting"] as const;
type Strength = (typeof STRENGTHS)[number];

const { controls, framework, map_version } = readControls();
const { mappings } = readCrosswalk();

const count = { op: "count" } as const;
const first = { op: "min", field: "@timestamp" } as const;
const last = { op: "max", field: "@timestamp" } as const;
const fieldOf = (strength: Strength): string => `tapline.control.${strength}`;

/** Per strength, by control and class of event: events, first, last. */
export const CONTROLS: readonly Ask[] = STRENGTHS.map((strength) => ({
  where: [],
  by: [
    { kind: "value", field: fieldOf(strength) },
    { kind: "value", field: "event.action" },
  ],
  measures: [count, first, last],
}));

const tagged = (field: string, id: string): Term => ({
  kind: "is",
  not: false,
  field,
  values: [{ text: id, prefix: false }],
});

type Figures = ReturnType<Sums["figures"]>;

/** Per strength: by control and class, and by control. */
async function figuresOf(
  context: Context,
  question: Question,
): Promise<{ byClass: Figures; byControl: Figures }[]> {
  const answers = await context.figures.ask(question, CONTROLS);
  return CONTROLS.map((ask, i) => {
    const [classes, whole] = [new Sums(ask), new Sums(ask)];
    for (const { groups } of answers[i]!) {
      for (const { keys, cells } of groups) {
        classes.add({ keys, cells });
        whole.add({ keys: keys.slice(0, 1), cells });
      }
    }
    return { byClass: classes.figures(), byControl: whole.figures() };
  });
}

const timeOf = (times: readonly (number | null | undefined)[], pick: (...ms: number[]) => number) => {
  const known = times.filter((time) => typeof time === "number");
  return known.length === 0 ? null : isoOf(pick(...known));
};

export async function listControls(context: Context, question: Question): Promise<ControlList> {
  return listOf(await figuresOf(context, question));
}

function listOf(figures: Awaited<ReturnType<typeof figuresOf>>): ControlList {
  const [direct, supporting] = figures.map(({ byControl }) => byControl);
  const rows = Object.entries(controls).map(([id, { title, evidence, shows }]): ControlRow => {
    const [d, s] = [direct!, supporting!].map((all) => all.find(({ keys }) => keys[0] === id)?.values);
    return {
      id,
      title,
      evidence,
      shows,
      direct: d?.[0] ?? 0,
      supporting: s?.[0] ?? 0,
      first: timeOf([d?.[1], s?.[1]], Math.min),
      last: timeOf([d?.[2], s?.[2]], Math.max),
    };
  });
  return { framework, map_version, controls: rows };
}

/** Undefined when the map has no such control. */
export async function controlDetail(
  context: Context,
  question: Question,
  id: string,
  header: ExhibitHeader,
): Promise<ControlDetail | undefined> {
  const figures = await figuresOf(context, question);
  const control = listOf(figures).controls.find((row) => row.id === id);
  if (control === undefined) return undefined;
  const classes = STRENGTHS.flatMap((strength, i) =>
    figures[i]!.byClass.filter(({ keys }) => keys[0] === id).map(({ keys, values }) => ({
      action: String(keys[1]),
      strength,
      events: values[0] ?? 0,
      last: isoOf(values[2] ?? 0),
    })),
  );
  const events: EventRow[] = [];
  const terms = [...question.terms, tagged("tapline.control.iso42001", id)];
  const some = control.direct + control.supporting > 0;
  if (some)
    await findPage(context.database, { ...question, terms }, { limit: EVIDENCE }, (page) =>
      events.push(...page),
    );
  const { nist_ai_rmf = [], eu_ai_act = [] } = mappings[id] ?? {};
  const crosswalk = { nist_ai_rmf: nist_ai_rmf.map(([to]) => to), eu_ai_act: eu_ai_act.map(([to]) => to) };
  return { control, header, classes: classes.toSorted((a, b) => b.events - a.events), events, crosswalk };
}
