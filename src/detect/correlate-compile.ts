// Which rules correlations refer to, and whether that can be honoured: names, circles, fields, aliases. What cannot is
// an error of that correlation; correlate-join.ts makes the rest ready to run.
import { LIMITS } from "../core/limits.ts";
import {
  type BaseRule,
  type CorrelationSet,
  type Draft,
  isDraft,
  isNumber,
  join,
  named,
} from "./correlate-join.ts";
import type { Correlation } from "./correlation-parse.ts";
import { type FieldSet, slotFor, suggestField } from "./fields.ts";
import { type Problem, Report, nearest } from "./rule.ts";

export type { BaseRule, CorrelationSet } from "./correlate-join.ts";

/** Joins what can be joined; what cannot is in `problems`, and the rest runs. */
export function compileCorrelations(
  rules: readonly BaseRule[],
  correlations: readonly Correlation[],
  fields: FieldSet,
): { set: CorrelationSet; problems: readonly Problem[] } {
  const drafts = correlations.map((rule): Draft => {
    const report = new Report(rule.file, rule.line, rule.title);
    return { rule, report, refs: [], state: "new", depth: 1, through: new Set(), settled: false };
  });
  const known = new Map<string, (BaseRule | Draft)[]>();
  const learn = (name: string | undefined, ref: BaseRule | Draft): void => {
    if (name === undefined || known.get(name)?.includes(ref) === true) return;
    known.set(name, [...(known.get(name) ?? []), ref]);
  };
  for (const rule of rules) for (const name of [rule.id, rule.name]) learn(name, rule);
  for (const draft of drafts) for (const name of [draft.rule.id, draft.rule.name]) learn(name, draft);
  const order: Draft[] = [];
  for (const draft of drafts) resolve(draft, known, order);
  for (const draft of order) checkFields(draft, fields);
  const good = order.filter((draft) => usable(draft));
  const suppresses = rules.some((rule) => rule.suppress !== undefined);
  return { set: join(good, suppresses), problems: drafts.flatMap((draft) => draft.report.problems) };
}

function usable(draft: Draft): boolean {
  return !draft.report.refused && draft.refs.every((ref) => !isDraft(ref) || usable(ref));
}

/** Depth first, so that `order` has inner correlations before outer ones. */
function resolve(draft: Draft, known: ReadonlyMap<string, (BaseRule | Draft)[]>, order: Draft[]): void {
  if (draft.state !== "new") return;
  draft.state = "open";
  const { rule, report } = draft;
  for (const name of rule.rules) {
    const place = `correlation.rules "${name}"`;
    const found = known.get(name) ?? [];
    const ref = found[0];
    if (ref === undefined) {
      const near = nearest(name, known.keys());
      const remedy =
        near === undefined ? "Give its id, or the name that it has in `name`" : `Did you mean "${near}"?`;
      report.error("reference", place, "there is no such rule, or it was refused", remedy);
    } else if (found.length > 1) {
      report.error("reference", place, `${found.length} rules have this name`, "Refer to it by its id");
    } else {
      if (isDraft(ref)) {
        resolve(ref, known, order);
        draft.depth = Math.max(draft.depth, ref.depth + 1);
        if (ref.state === "open") {
          report.error(
            "reference",
            place,
            "the correlations refer to each other in a circle",
            "Break the circle",
          );
          continue;
        }
        if (ref.report.refused)
          report.error("reference", place, "that rule was refused", "Correct that rule first");
      }
      draft.refs.push(ref);
    }
  }
  if (draft.depth > LIMITS.correlation_depth) {
    const message = `stands on more than ${LIMITS.correlation_depth} levels of correlations`;
    report.error("too_many", "correlation.rules", message, "Make the chain shorter");
  }
  draft.state = "done";
  order.push(draft);
}

function checkFields(draft: Draft, fields: FieldSet): void {
  const { rule, report, refs } = draft;
  if (report.refused) return;
  const wanted = [...rule.group_by, ...rule.fields];
  for (const name of wanted) {
    for (const at of refs.keys()) {
      const missing = missingField(draft, at, name, fields);
      if (missing === undefined) continue;
      const aliased = rule.aliases[name] !== undefined && missing === name;
      const message = aliased
        ? `the alias says nothing of the rule "${rule.rules[at]}"`
        : `there is no field "${missing}"`;
      const remedy = aliased ? "Add that rule to the alias" : suggestField(missing);
      report.error("field", `correlation "${name}"`, message, remedy);
      break;
    }
  }
  for (const [alias, mapping] of Object.entries(rule.aliases)) {
    if (!wanted.includes(alias)) {
      report.warn(
        "unused",
        `correlation.aliases.${alias}`,
        "nothing uses it",
        "Use it in group-by, or remove it",
      );
    }
    for (const name of Object.keys(mapping)) {
      const known = refs.some((ref, at) => {
        const who = isDraft(ref) ? ref.rule : ref;
        return name === rule.rules[at] || name === who.name || name === who.id;
      });
      const place = `correlation.aliases.${alias}.${name}`;
      if (!known)
        report.error(
          "alias",
          place,
          "this correlation refers to no such rule",
          `Rules: ${rule.rules.join(", ")}`,
        );
    }
  }
}

/** The name that no event of one of the rules can have, or undefined. */
function missingField(draft: Draft, at: number, name: string, fields: FieldSet): string | undefined {
  const ref = draft.refs[at]!;
  const field = named(draft, at, name);
  if (!isDraft(ref)) return slotFor(field, fields) === undefined ? field : undefined;
  if (isNumber(ref, field) || ref.rule.group_by.includes(field)) return undefined;
  for (const inner of ref.refs.keys()) {
    const missing = missingField(ref, inner, field, fields);
    if (missing !== undefined) return missing;
  }
  return undefined;
}
