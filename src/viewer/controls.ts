// Controls of the map: what was recorded of each in a period. A control without any event is in the list too.
import { readControls, readCrosswalk, termsOf } from "../evidence/map.ts";
import type { ControlDetail, ControlList, ControlRow, EventRow, ExhibitHeader } from "./api.ts";
import type { Ask } from "./asks.ts";
import type { Context } from "./context.ts";
import type { Question } from "./figures.ts";
import { findPage } from "./search.ts";
import { Sums } from "./sums.ts";
import { isoOf } from "./times.ts";

const EVIDENCE = 50;
const STRENGTHS = ["direct", "supporting"] as const;

const { controls, framework, map_version } = readControls();
const { mappings } = readCrosswalk();

const count = { op: "count" } as const;
const first = { op: "min", field: "@timestamp" } as const;
const last = { op: "max", field: "@timestamp" } as const;

/** Per strength, the controls that have evidence of it, with the question that finds it. */
const ASKED = STRENGTHS.map((strength) =>
  Object.entries(controls).flatMap(([id, control]) => {
    const terms = termsOf(control, strength);
    return terms === undefined ? [] : [{ id, terms }];
  }),
);

/** Per strength, by control (its place in ASKED) and class of event: events, first, last. */
export const CONTROLS: readonly Ask[] = ASKED.map((asked) => ({
  where: [],
  by: [
    { kind: "conditions", groups: asked.map(({ terms }) => terms) },
    { kind: "value", field: "event.action" },
  ],
  measures: [count, first, last],
}));

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
        const id = ASKED[i]![Number(keys[0])]!.id;
        classes.add({ keys: [id, ...keys.slice(1)], cells });
        whole.add({ keys: [id], cells });
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
  const rows = Object.entries(controls).map(([id, control]): ControlRow => {
    const { title, evidence, shows } = control;
    const [d, s] = [direct!, supporting!].map((all) => all.find(({ keys }) => keys[0] === id)?.values);
    return {
      id,
      title,
      evidence,
      shows,
      q: { direct: control.direct ?? null, supporting: control.supporting ?? null },
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
  const some = control.direct + control.supporting > 0;
  const own = termsOf(controls[id]!, control.direct > 0 ? "direct" : "supporting") ?? [];
  const terms = [...question.terms, ...own];
  if (some)
    await findPage(context.database, { ...question, terms }, { limit: EVIDENCE }, (page) =>
      events.push(...page),
    );
  const { nist_ai_rmf = [], eu_ai_act = [] } = mappings[id] ?? {};
  const crosswalk = { nist_ai_rmf: nist_ai_rmf.map(([to]) => to), eu_ai_act: eu_ai_act.map(([to]) => to) };
  return { control, header, classes: classes.toSorted((a, b) => b.events - a.events), events, crosswalk };
}
