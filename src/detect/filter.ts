// Filters joined to the rules that they are for: a filtered rule is a rule like any other, whose condition also asks
// for the filter's. As the reference implementation does: excluding something takes `not` in the filter.
import { hash } from "node:crypto";
import { type Condition, FILTER, parseCondition } from "./condition.ts";
import { type Filter, type Logsource, type Problem, Report, type Rule, type Term } from "./rule.ts";

/** What is wrong with filters as such: those that are for none of the rules. */
export function unusedFilters(filters: readonly Filter[], rules: readonly Rule[]): Problem[] {
  return filters.flatMap((filter) => {
    if (rules.some((rule) => isFor(filter, rule))) return [];
    const report = new Report(filter.file, filter.line, filter.title);
    const remedy = "Check `rules` (ids or names) and `logsource`, which must contain that of the rules";
    report.warn("filter_unused", "filter.rules", "is for none of the rules", remedy);
    return report.problems;
  });
}

/** The rule with all filters that are for it. Their conditions must be readable. */
export function filtered(rule: Rule, filters: readonly Filter[]): Rule {
  const selections = new Map<string, Term>(rule.selections);
  let conditions = rule.conditions;
  const hashes = [rule.hash];
  for (const [i, filter] of filters.entries()) {
    if (!isFor(filter, rule)) continue;
    hashes.push(filter.hash);
    let prefix = `${FILTER}${i}_`;
    while ([...rule.selections.keys()].some((name) => name.startsWith(prefix))) prefix += "_";
    for (const [name, term] of filter.selections) selections.set(prefix + name, term);
    const names = [...filter.selections.keys()];
    const asked = filter.conditions.map((text) => written(parseCondition(text, names), prefix)).join(" or ");
    conditions = conditions.map((own) => `(${own}) and (${asked})`);
  }
  if (hashes.length === 1) return rule;
  const content = hash("sha256", hashes.join(), "hex").slice(0, 32);
  return { ...rule, selections, conditions, hash: content };
}

export function isFor(filter: Filter, rule: Rule): boolean {
  if (!within(rule.logsource, filter.logsource)) return false;
  if (filter.rules === "any") return true;
  return filter.rules.some((name) => name === rule.id || name === rule.name);
}

function within(inner: Logsource, outer: Logsource): boolean {
  return (["product", "category", "service"] as const).every(
    (part) => outer[part] === undefined || outer[part] === inner[part],
  );
}

function written(c: Condition, prefix: string): string {
  if (c.kind === "ref") return prefix + c.name;
  if (c.kind === "not") return `not (${written(c.child, prefix)})`;
  return c.children.map((child) => `(${written(child, prefix)})`).join(` ${c.kind} `);
}
