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
  const counted = await asked.countEach(terms, "event.action");
  const classes = Map.groupBy(counted, ({ of }) => keyOf(questions[of]!));
  // Of both strengths together.
  const most = async (field: string): Promise<Map<string, Count[]>> => {
    const numbers = questions.map(({ id }) => ids.indexOf(id));
    const counts = await asked.countMost(terms, numbers, field);
    return new Map([...counts].map(([of, each]) => [ids[of]!, each]));
  };
  const [agents, servers] = [await most("service.name"), await most("tapline.server.name")];
  const all = ids.map((id) => controlOf(id, input, { classes, agents, servers }));
  return [...all.filter(({ result }) => result === "gap"), ...all.filter(({ result }) => result !== "gap")];
}

const keyOf = ({ id, strength }: Question): string => `${id} ${strength}`;

interface Figures {
  readonly classes: ReadonlyMap<string, Counted[]>;
  readonly agents: ReadonlyMap<string, Count[]>;
  readonly servers: ReadonlyMap<string, Count[]>;
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
    agents: figures.agents.get(id) ?? [],
    servers: figures.servers.get(id) ?? [],
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
