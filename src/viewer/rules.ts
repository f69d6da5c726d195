// Rules: those that are loaded, as they are written, and the hits of each in a period, also of rules that are gone.
import { stat, readFile } from "node:fs/promises";
import { LIMITS } from "../core/limits.ts";
import { ruleStamps, readRules } from "../detect/load.ts";
import type { Meta } from "../detect/rule.ts";
import { threatOf } from "../detect/threat.ts";
import type { Level, RuleDetail, RuleList, RuleRow } from "./api.ts";
import type { Ask } from "./asks.ts";
import type { Context } from "./context.ts";
import type { Question } from "./figures.ts";
import type { Term } from "./query.ts";
import { shownSpan } from "./search.ts";
import { Sums } from "./sums.ts";
import { bucketOf, bucketsOf, isoOf, stepOf } from "./times.ts";

const HITS = 50;
const ALERT: Term = {
  kind: "is",
  not: false,
  field: "event.action",
  values: [{ text: "rule-alert", prefix: false }],
};
const count = { op: "count" } as const;
/** Per rule: hits, sessions, last, name, level. */
export const RULES: Ask = {
  where: [ALERT],
  by: [{ kind: "value", field: "rule.id" }],
  measures: [
    count,
    { op: "distinct", field: "gen_ai.conversation.id" },
    { op: "max", field: "@timestamp" },
    { op: "values", field: "rule.name" },
    { op: "values", field: "tapline.alert.level" },
  ],
};

/** The rules below some paths, read again when a file changed. */
export class Rules {
  readonly #paths: readonly string[];
  #stamps = "";
  #rules: ReadonlyMap<string, Meta> = new Map();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  async all(): Promise<ReadonlyMap<string, Meta>> {
    const stamps = await ruleStamps(this.#paths);
    if (stamps !== this.#stamps) {
      const { rules, correlations } = await readRules(this.#paths);
      this.#rules = new Map([...rules, ...correlations].map((rule) => [rule.id, rule]));
      this.#stamps = stamps;
    }
    return this.#rules;
  }

  /** Text of a rule's file; null when it is too long or gone. */
  async source({ file }: Meta): Promise<string | null> {
    try {
      return (await stat(file)).size > LIMITS.rule_file_bytes ? null : await readFile(file, "utf8");
    } catch {
      return null;
    }
  }
}

export async function listRules(context: Context, question: Question): Promise<RuleList> {
  const [partials] = await context.figures.ask(question, [RULES]);
  const sums = new Sums(RULES);
  for (const { groups } of partials!) for (const group of groups) sums.add(group);
  const loaded = await context.rules.all();
  const rows = new Map<string, RuleRow>();
  for (const rule of loaded.values()) {
    const { id, title, level, tags } = rule;
    const techniques = threatOf(tags).techniques ?? [];
    rows.set(id, { id, title, level, loaded: true, hits: 0, sessions: 0, last: null, techniques });
  }
  for (const { keys, values } of sums.figures()) {
    const id = String(keys[0]);
    const known = rows.get(id);
    rows.set(id, {
      id,
      title: known?.title ?? sums.texts(keys, 3)[0] ?? "",
      level: known?.level ?? ((sums.texts(keys, 4)[0] ?? "informational") as Level),
      loaded: known !== undefined,
      hits: values[0] ?? 0,
      sessions: values[1] ?? 0,
      last: values[2] === null || values[2] === undefined ? null : isoOf(values[2]),
      techniques: known?.techniques ?? [],
    });
  }
  const rules = [...rows.values()].toSorted((a, b) => b.hits - a.hits || (a.title < b.title ? -1 : 1));
  return { ruleset: context.status()?.ruleset ?? "", rules };
}

/** Undefined when there is no such rule, and never was in the period. */
export async function ruleDetail(
  context: Context,
  question: Question,
  id: string,
): Promise<RuleDetail | undefined> {
  const rule = (await listRules(context, question)).rules.find((row) => row.id === id);
  if (rule === undefined) return undefined;
  const written = (await context.rules.all()).get(id);
  const { view, span, signal } = question;
  const presents = await context.alerts.presents(view, signal);
  const lights = (await context.alerts.lights(view, signal)).filter(
    (light) => light.rule === id && light.ms >= span.from && light.ms < span.to,
  );
  const inside = shownSpan(question);
  const step_ms = stepOf(inside, LIMITS.viewer_buckets / 4);
  const times = bucketsOf(inside, step_ms, 0);
  const values = times.map(() => 0);
  const places = new Map(times.map((time, i) => [time, i]));
  for (const { ms } of lights) {
    const at = places.get(bucketOf(ms, step_ms, 0));
    if (at !== undefined) values[at]!++;
  }
  const newest = lights.toSorted((a, b) => b.ms - a.ms || b.index - a.index).slice(0, HITS);
  return {
    rule,
    description: written?.description?.trim() ?? null,
    references: written?.references ?? [],
    false_positives: written?.falsepositives ?? [],
    source: written === undefined ? null : await context.rules.source(written),
    hits: await context.alerts.rows(view, newest, presents, signal),
    histogram: { step_ms, times, values },
  };
}
