// The organisation's impact assessment as far as logs can follow it: named harms, the rules that watch for each, and what came
// of them. A harm without a rule that is loaded and runs, or whose rules see no log, is untreated. What a harm is, and whether its
// rules are the right ones, is the organisation's word.
import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import type { Correlation } from "../detect/correlation-parse.ts";
import type { Loaded } from "../detect/load.ts";
import type { Parsed } from "../detect/parse.ts";
import { undefinedNames } from "../detect/resting.ts";
import type { Rule } from "../detect/rule.ts";
import type { Asked } from "./asked.ts";
import type { RuleAlerts } from "./exceptions.ts";
import type { Harm, HarmRule } from "./model.ts";
import { CONTROL_IDS } from "./soa.ts";
import { parseFile, textOfFile } from "./yaml-file.ts";

const harm = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,64}$/, "an id: letters, digits, dots, dashes and _, at most 64"),
  description: z.string().min(1).max(LIMITS.report_note_chars),
  controls: z
    .array(z.string().refine((id) => CONTROL_IDS.includes(id), "no control of Annex A"))
    .max(LIMITS.report_harms)
    .default([]),
  /** Ids of rules, or their file's name without its ending. */
  rules: z.array(z.string().min(1)).max(LIMITS.report_harms).default([]),
});
const schema = z.strictObject({
  harms: z
    .array(harm)
    .max(LIMITS.report_harms)
    .superRefine((harms, context) => {
      for (const [i, { id }] of harms.entries())
        if (harms.findIndex((other) => other.id === id) < i)
          context.addIssue({ code: "custom", path: [i, "id"], message: `${id} is the id of another harm` });
    }),
});
export type ImpactFile = z.output<typeof schema>;

const keysAt = (path: readonly PropertyKey[]): readonly string[] =>
  Object.keys(path.length === 0 ? schema.shape : harm.shape);

/** Throws FILE_UNREADABLE, and FILE_INVALID with every problem. */
export async function readImpact(path: string): Promise<ImpactFile> {
  return parseFile(await textOfFile(path), path, schema, keysAt).value;
}

/** The harms that are about one of these controls, and those that name none. */
export const harmsAbout = ({ harms }: ImpactFile, ids: readonly string[]): ImpactFile => ({
  harms: harms.filter(({ controls }) => controls.length === 0 || controls.some((id) => ids.includes(id))),
});

/** Rules as their files have them, and what of them a collector runs. */
export interface Watching {
  readonly parsed: Pick<Parsed, "rules" | "correlations">;
  readonly loaded: Pick<Loaded, "set" | "correlations" | "resting">;
}

/** The harms with what was seen of them in the period. `alerts` are by id of the rule. */
export async function harmsOf(
  asked: Asked,
  { harms }: ImpactFile,
  { parsed, loaded }: Watching,
  alerts: RuleAlerts,
): Promise<Harm[]> {
  const byName = new Map<string, Rule | Correlation>();
  const idleOf = idle(loaded);
  for (const rule of [...parsed.rules, ...parsed.correlations]) {
    byName.set(rule.id, rule);
    byName.set(stem(rule.file), rule);
    if (rule.name !== undefined) byName.set(rule.name, rule);
  }
  const classes = new Map((await asked.countAll("event.action")).map(({ name, events }) => [name, events]));
  return harms.map(({ id, description, controls, rules: named }): Harm => {
    const missing = named.filter((name) => !byName.has(name));
    const rules = [...new Set(named.flatMap((name) => byName.get(name) ?? []))].map((rule): HarmRule => {
      const { alerts: all, closed } = alerts.get(rule.id) ?? { alerts: 0, closed: 0 };
      const seen = { alerts: all, closed, events: seenBy(rule, byName, classes) };
      return { id: rule.id, title: rule.title, ...seen, idle: idleOf(rule) };
    });
    const untreated = whyUntreated(named, missing, rules);
    return { id, description, controls, rules, missing, treated: untreated === undefined, untreated };
  });
}

/** Why a rule that is loaded matches nothing; undefined of one that runs. */
function idle({ set, correlations, resting }: Watching["loaded"]) {
  const runs = new Set<unknown>([
    ...set.rules.map(({ written }) => written),
    ...correlations.nodes.map(({ rule }) => rule),
  ]);
  return (rule: Rule | Correlation): string | undefined => {
    if (runs.has(rule)) return undefined;
    const rests = resting.find((one) => one.rule === rule);
    return rests === undefined
      ? "has an error: see `tapline rules lint`"
      : `rests: ${undefinedNames(rests.missing)}`;
  };
}

const stem = (file: string): string => file.replace(/^.*[\\/]/, "").replace(/\.ya?ml$/, "");

/** Events in the period of the classes that a rule looks at; a correlation looks at what its rules do. */
function seenBy(
  rule: Rule | Correlation,
  byName: ReadonlyMap<string, Rule | Correlation>,
  classes: ReadonlyMap<string, number>,
): number {
  const seen = new Set<Rule | Correlation>();
  const categories = new Set<string>();
  const pending = [rule];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    if ("logsource" in one) {
      // Without a category it looks at every event.
      if (one.logsource.category === undefined) return sum([...classes.values()]);
      categories.add(one.logsource.category);
    } else pending.push(...one.rules.flatMap((name) => byName.get(name) ?? []));
  }
  return sum([...categories].map((category) => classes.get(category) ?? 0));
}

const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);

function whyUntreated(
  named: readonly string[],
  missing: readonly string[],
  rules: readonly HarmRule[],
): string | undefined {
  if (named.length === 0) return "no rule is named for it";
  if (rules.length === 0) return `none of its rules is loaded: ${missing.join(", ")}`;
  if (rules.every((rule) => rule.idle !== undefined))
    return `none of its rules runs: ${rules.map(({ title, idle: why }) => `${title} ${why}`).join("; ")}`;
  if (rules.every((rule) => rule.idle !== undefined || rule.events === 0))
    return "its rules saw no log in the period: nothing of the classes that they look at was recorded";
  return undefined;
}
