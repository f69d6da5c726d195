// What a report finds: gaps first, between what was claimed and what is there, then what is worth a look. A report of some controls
// finds what is about them, and what bears on all evidence: the ledger's integrity and what was not heard. Pure.
import { listed, n, plural } from "../core/words.ts";
import type {
  CheckResult,
  ControlReport,
  Coverage,
  Exceptions,
  Finding,
  Harm,
  Integrity,
  SoaRow,
} from "./model.ts";
import { CONTROL_IDS, type Soa } from "./soa.ts";

export interface FindingsInput {
  readonly controls: readonly ControlReport[];
  /** Events of the period, whatever they are evidence for. */
  readonly events: number;
  readonly soa: Soa | undefined;
  readonly checks: readonly CheckResult[];
  readonly harms: readonly Harm[] | null;
  /** The rule set that harms are held against, and those that the period names; undefined without harms. */
  readonly rule_sets: { readonly now: string; readonly period: readonly string[] } | undefined;
  readonly coverage: Coverage;
  readonly integrity: Integrity;
  readonly exceptions: Exceptions;
  /** The day on which the period ends, or on which the report is made if that is before. */
  readonly today: string;
  /** The period ends after the report was made. */
  readonly open_ended: boolean;
}

const YEAR_DAYS = 365;
/** Ids that one sentence names. */
const LISTED = 12;

export function findingsOf(input: FindingsInput): Finding[] {
  const all = [
    ...periodOf(input),
    ...input.controls.flatMap(ofControl),
    ...checksOf(input.checks, input.controls),
    ...(input.harms ?? []).flatMap(ofHarm),
    ...ruleSetsOf(input),
    ...statementOf(input),
    ...integrityOf(input.integrity),
    ...coverageOf(input.coverage),
    ...exceptionsOf(input.exceptions),
  ];
  const shown = new Set(input.controls.map(({ id }) => id));
  const about = all.flatMap((finding) => among(finding, shown));
  return [...about.filter(({ level }) => level === "gap"), ...about.filter(({ level }) => level === "note")];
}

/** The finding, if it bears on one of these controls. What no source heard is about the log, and bears on every control. */
function among(finding: Finding, shown: ReadonlySet<string>): Finding[] {
  const controls = finding.controls.filter((id) => shown.has(id));
  const bears = controls.length > 0 || finding.controls.length === 0 || finding.kind === "coverage";
  return bears ? [{ ...finding, controls }] : [];
}

function periodOf({ events, open_ended }: FindingsInput): Finding[] {
  const found: Finding[] = [];
  if (events === 0)
    found.push({
      level: "gap",
      kind: "coverage",
      text: "Nothing was recorded in the period, not even that the collector ran.",
      controls: [],
    });
  if (open_ended)
    found.push(
      note("coverage", "The period had not ended when this was made: what came later is not in it."),
    );
  return found;
}

const note = (kind: Finding["kind"], text: string, controls: readonly string[] = []): Finding => ({
  level: "note",
  kind,
  text,
  controls,
});

function ofControl({ id, title, result, gap, direct, supporting }: ControlReport): Finding[] {
  if (result === "gap")
    return [{ level: "gap", kind: "control", text: `${id} ${title}: ${gap}`, controls: [id] }];
  if (result === "not-applicable" && direct + supporting > 0)
    return [
      note(
        "statement",
        `${id} ${title} is said not to apply, and ${plural(direct + supporting, "event")} in the period ${direct + supporting === 1 ? "is" : "are"} about its subject.`,
        [id],
      ),
    ];
  return [];
}

function checksOf(checks: readonly CheckResult[], controls: readonly ControlReport[]): Finding[] {
  const shown = new Set(controls.map(({ id }) => id));
  return checks.flatMap(({ name, outcome, detail, at, controls: of }): Finding[] => {
    const about = of.filter((id) => shown.has(id));
    if (about.length === 0 || outcome === "pass") return [];
    const text = `The check ${name} ${outcome === "fail" ? "failed" : "could not tell"} (${at})${detail === "" ? "" : `: ${detail}`}`;
    return [{ level: outcome === "fail" ? "gap" : "note", kind: "check", text, controls: about }];
  });
}

function ofHarm({ id, description, controls, untreated, missing, rules }: Harm): Finding[] {
  if (untreated !== undefined)
    return [
      {
        level: "gap",
        kind: "harm",
        text: `Harm ${id}, ${description}, is untreated: ${untreated}.`,
        controls,
      },
    ];
  const idle = rules.flatMap(({ title, idle: why }) => (why === undefined ? [] : [`${title} ${why}`]));
  const said = [
    ...(missing.length === 0 ? [] : [`Harm ${id} names rules that are not loaded: ${missing.join(", ")}.`]),
    ...(idle.length === 0 ? [] : [`Harm ${id} names rules that do not run: ${idle.join("; ")}.`]),
  ];
  return said.map((text) => note("harm", text, controls));
}

/** A rule of today says nothing of a time when other rules were in force. */
function ruleSetsOf({ harms, rule_sets }: FindingsInput): Finding[] {
  const others = rule_sets?.period.filter((name) => name !== rule_sets.now) ?? [];
  if (rule_sets === undefined || harms?.length === 0 || others.length === 0) return [];
  const text = `Harms are held against the rules in force now, set ${rule_sets.now}. The period names ${rule_sets.period.includes(rule_sets.now) ? "others too" : "others"}: ${listed(others)}.`;
  return [note("harm", text, [])];
}

function statementOf({ soa, today, controls }: FindingsInput): Finding[] {
  if (soa === undefined)
    return [
      note(
        "statement",
        "There is no statement of applicability: nothing says which controls are claimed, so no claim can be held against what was recorded.",
      ),
    ];
  const shown = new Set(controls.map(({ id }) => id));
  const rows = [...soa.rows].filter(([id]) => shown.has(id));
  const those = (which: (row: SoaRow) => boolean): string[] =>
    rows.filter(([, row]) => which(row)).map(([id]) => id);
  const say = (ids: readonly string[], text: string): Finding[] =>
    ids.length === 0 ? [] : [note("statement", `${text}: ${listed(ids, LISTED)}.`, ids)];
  const old = (row: SoaRow): boolean =>
    row.last_review !== undefined &&
    (Date.parse(today) - Date.parse(row.last_review)) / 86_400_000 > YEAR_DAYS;
  return [
    ...say(
      CONTROL_IDS.filter((id) => shown.has(id) && !soa.rows.has(id)),
      "The statement of applicability says nothing of",
    ),
    ...say(
      those(({ planned_for }) => planned_for !== undefined && planned_for < today),
      "Planned for a day that has passed",
    ),
    ...say(
      those(({ justification }) => justification.trim() === ""),
      "Without a justification",
    ),
    ...say(
      those((row) => row.applicable && row.owner.trim() === ""),
      "Applicable and without an owner",
    ),
    ...say(
      those((row) => row.last_review === undefined && row.applicable),
      "Applicable and without the day of a review",
    ),
    ...say(those(old), "Last reviewed more than a year before the end of the period"),
  ];
}

function integrityOf({ cosigned, open, unwitnessed }: Integrity): Finding[] {
  const found: Finding[] = [];
  if (open > 0)
    found.push(note("integrity", `No checkpoint covers ${plural(open, "event")} of the period yet.`));
  if (cosigned === null)
    found.push(
      note(
        "integrity",
        "No witness has cosigned a checkpoint: the evidence rests on the ledger's own key, and on checkpoints that others kept.",
      ),
    );
  else if (unwitnessed > 0)
    found.push(
      note(
        "integrity",
        `${plural(unwitnessed, "event")} of the period ${unwitnessed === 1 ? "is" : "are"} newer than the last cosigned checkpoint.`,
      ),
    );
  return found;
}

function coverageOf({
  gaps,
  unparsable,
  bypasses,
  holes,
  longest_silence,
  sources,
  dead_letters,
}: Coverage): Finding[] {
  const found: Finding[] = [];
  const lost = gaps.reduce((sum, { events }) => sum + events, 0);
  const say = (text: string) => found.push(note("coverage", text, ["A.6.2.8"]));
  if (lost > 0)
    say(
      `${plural(lost, "gap")} in what was read: ${gaps.map(({ name, events }) => `${name} ${n(events)}`).join(", ")}.`,
    );
  if (unparsable > 0)
    say(
      `${plural(unparsable, "record")} could not be read, and ${unparsable === 1 ? "is" : "are"} kept raw.`,
    );
  if (bypasses > 0) say(`${plural(bypasses, "call")} in a transcript without a decision at the chokepoint.`);
  if (holes > 0) say(`${plural(holes, "decision")} at the chokepoint that no transcript shows.`);
  if (longest_silence !== null)
    say(
      `The collector gave no sign of life for ${plural(longest_silence.seconds, "second")} from ${longest_silence.from} on.`,
    );
  const mute = sources.filter(({ expected, silent }) => expected > 0 && silent === expected);
  if (mute.length > 0)
    say(`Nothing was heard from ${mute.map(({ name }) => name).join(", ")} in the period.`);
  if (dead_letters.length > 0)
    say(
      `Dead letters wait to be replayed: ${dead_letters.map(({ name, events }) => `${name} ${n(events)}`).join(", ")}.`,
    );
  return found;
}

function exceptionsOf({ alerts, incidents }: Exceptions): Finding[] {
  const found: Finding[] = [];
  const open = alerts.by_status.find(({ name }) => name === "open")?.events ?? 0;
  if (open > 0)
    found.push(
      note(
        "control",
        `${plural(open, "alert")} of the period ${open === 1 ? "is" : "are"} open: nobody has said anything of ${open === 1 ? "it" : "them"}.`,
        ["A.6.2.6"],
      ),
    );
  if (incidents.late > 0)
    found.push(note("control", `${plural(incidents.late, "incident")} missed a deadline.`, ["A.8.4"]));
  return found;
}
