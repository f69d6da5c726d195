// The controls of a report: what was recorded of each in the period, what the statement of applicability says of it, what checks
// found, and whether these go together.
import type { Asked, Counted } from "./asked.ts";
import { type Crosswalk, readControls, readCrosswalk, termsOf } from "./map.ts";
import type {
  CheckResult,
  ClassCount,
  ControlReport,
  ControlResult,
  Count,
  SameSubject,
  SoaRow,
  Strength,
} from "./model.ts";
import type { Soa } from "./soa.ts";

const { controls } = readControls();
const { mappings } = readCrosswalk();
const STRENGTHS = ["direct", "supporting"] as const;

interface Question {
  readonly id: string;
  readonly strength: Strength;
}

/** What is drawn for each control, beside its counts. */
export interface Drawn {
  readonly population: number;
  readonly indexes: readonly number[];
}

export interface ControlsInput {
  readonly asked: Asked;
  /** Ids; those of the map's order. */
  readonly ids: readonly string[];
  readonly soa: Soa | undefined;
  readonly checks: readonly CheckResult[];
  readonly drawn: ReadonlyMap<string, Drawn>;
}

const questionsOf = (ids: readonly string[]): Question[] =>
  ids.flatMap((id) =>
    STRENGTHS.filter((strength) => controls[id]![strength] !== undefined).map((strength) => ({
      id,
      strength,
    })),
  );
const termsOfAll = (questions: readonly Question[]) =>
  questions.map(({ id, strength }) => termsOf(controls[id]!, strength)!);

/** What is drawn for each control: of the events that are evidence for it at its own strength. */
export async function drawFor(
  asked: Asked,
  ids: readonly string[],
  key: string,
  covered: number,
): Promise<Map<string, Drawn>> {
  const questions = questionsOf(ids).filter(({ id, strength }) => controls[id]!.evidence === strength);
  const rows = await asked.drawEach(termsOfAll(questions), key, covered);
  return new Map(
    rows.map(({ of, population, drawn }) => [questions[of]!.id, { population, indexes: drawn }]),
  );
}

/** Gaps first, then in the order of the map. */
export async function controlsOf(input: ControlsInput): Promise<ControlReport[]> {
  const { asked, ids } = input;
  const questions = questionsOf(ids);
  const terms = termsOfAll(questions);
  const by = async (field: string): Promise<Map<string, Counted[]>> => {
    const rows = await asked.countEach(terms, field);
    return Map.groupBy(rows, ({ of }) => keyOf(questions[of]!));
  };
  const [classes, agents, servers] = [
    await by("event.action"),
    await by("service.name"),
    await by("tapline.server.name"),
  ];
  const all = ids.map((id) => controlOf(id, input, { classes, agents, servers }));
  return [...all.filter(({ result }) => result === "gap"), ...all.filter(({ result }) => result !== "gap")];
}

const keyOf = ({ id, strength }: Question): string => `${id} ${strength}`;

interface Figures {
  readonly classes: ReadonlyMap<string, Counted[]>;
  readonly agents: ReadonlyMap<string, Counted[]>;
  readonly servers: ReadonlyMap<string, Counted[]>;
}

function controlOf(id: string, { soa, checks, drawn }: ControlsInput, figures: Figures): ControlReport {
  const { title, evidence, shows, direct: asksDirect, supporting: asksSupporting } = controls[id]!;
  const of = (strength: Strength): Counted[] => figures.classes.get(keyOf({ id, strength })) ?? [];
  const wholes = STRENGTHS.flatMap((strength) =>
    of(strength)
      .slice(0, 1)
      .map(({ whole }) => whole),
  );
  const [direct, supporting] = STRENGTHS.map((strength) => of(strength)[0]?.whole.events ?? 0) as [
    number,
    number,
  ];
  const row = soa?.rows.get(id);
  const judged = judge(evidence, direct + supporting, row);
  const { population = 0, indexes = [] } = drawn.get(id) ?? {};
  const { nist_ai_rmf = [], eu_ai_act = [] } = mappings[id] ?? {};
  return {
    id,
    title,
    evidence,
    shows,
    query: { direct: asksDirect, supporting: asksSupporting },
    ...judged,
    soa: row,
    direct,
    supporting,
    first: least(wholes.map(({ first }) => first)),
    last: least(wholes.map(({ last }) => last).toReversed(), true),
    classes: STRENGTHS.flatMap((strength) =>
      of(strength).map(({ name, events, last }): ClassCount => ({ action: name, strength, events, last })),
    ),
    agents: largest(figures.agents, id),
    servers: largest(figures.servers, id),
    checks: checks.filter((check) => check.controls.includes(id)),
    sample: indexes,
    population,
    crosswalk: { nist_ai_rmf: nist_ai_rmf.map(subject), eu_ai_act: eu_ai_act.map(subject) },
  };
}

const subject = ([
  id,
  confidence,
  sources,
]: Crosswalk["mappings"][string]["eu_ai_act"][number]): SameSubject => ({
  id,
  confidence,
  sources,
});

function least(times: readonly string[], most = false): string | null {
  const sorted = times.filter((time) => time !== "").toSorted();
  return (most ? sorted.at(-1) : sorted[0]) ?? null;
}

/** Of both strengths together; what has no name is left out. */
function largest(figures: ReadonlyMap<string, Counted[]>, id: string): Count[] {
  const all = new Map<string, number>();
  for (const strength of STRENGTHS)
    for (const { name, events } of figures.get(keyOf({ id, strength })) ?? [])
      if (name !== "") all.set(name, (all.get(name) ?? 0) + events);
  return [...all].map(([name, events]) => ({ name, events })).toSorted((a, b) => b.events - a.events);
}

/** Whether what is claimed of a control and what is there go together. */
export function judge(
  evidence: ControlReport["evidence"],
  events: number,
  row: SoaRow | undefined,
): { result: ControlResult; gap?: string } {
  if (row?.applicable === false) return { result: "not-applicable" };
  const claimed = row?.status === "implemented" || row?.status === "partial";
  if (events > 0) return { result: "evidence" };
  if (evidence === "none" && row !== undefined && row.reference.trim() !== "") return { result: "document" };
  if (!claimed) return { result: "nothing" };
  const why =
    evidence === "none"
      ? "no event can show it, and the statement names no document"
      : "no event that is evidence for it was recorded in the period";
  return {
    result: "gap",
    gap: `Said to be ${row.status === "partial" ? "implemented in part" : "implemented"}; ${why}.`,
  };
}
