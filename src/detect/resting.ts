// Rules that rest: nothing defines a placeholder that they ask for, so they match nothing. That is no error, since the
// values come from whoever runs them; but it has to be told wherever rules are counted or named.
import type { Correlation } from "./correlation-parse.ts";
import { GIVE_VALUES, type Placeholders } from "./modifiers.ts";
import type { Parsed } from "./parse.ts";
import { parseText } from "./pattern.ts";
import { Problem, type Filter, type Rule, type Term } from "./rule.ts";

export interface Resting {
  /** A filter that rests takes nothing away: its rules match more than they should. */
  readonly kind: "rule" | "correlation" | "filter";
  readonly rule: Rule | Correlation | Filter;
  /** Placeholders without values; of a correlation those of the rules that it counts. */
  readonly missing: readonly string[];
  /** Where the rule asks for the first of them. */
  readonly place: string;
}

/** Of what rests, what would find something if it ran: rules and correlations. */
export const rulesAtRest = (resting: readonly Resting[]): Resting[] =>
  resting.filter(({ kind }) => kind !== "filter");

/** Whether a problem is one for which a rule is refused: without values it rests. */
export const isRefusal = ({ severity, code }: Problem): boolean =>
  severity === "error" && code !== "placeholder";

/** `nothing defines %a%, %b% and %c%`. */
export function undefinedNames(missing: readonly string[]): string {
  const names = missing.map((name) => `%${name}%`);
  const last = names.pop()!;
  return `nothing defines ${names.length === 0 ? last : `${names.join(", ")} and ${last}`}`;
}

/** Why a rule rests, and what to do. */
export const whyResting = ({ missing }: Pick<Resting, "missing">): string =>
  `${undefinedNames(missing)} (\`placeholders:\` in the configuration, or a policy)`;

/** A line about a rule that rests, for people. */
export function restingLine(resting: Resting): string {
  const { kind, rule } = resting;
  const what = kind === "rule" ? "" : `the ${kind} `;
  const effect = kind === "filter" ? "; its rules match as if it were not there" : "";
  return `${what}"${rule.title}" (${rule.file}:${rule.line}) rests: ${whyResting(resting)}${effect}`;
}

/** A rule that rests, as `--json` has it. */
export const restingRow = ({ kind, rule, missing }: Resting) => ({
  kind,
  id: rule.id,
  title: rule.title,
  file: rule.file,
  missing,
});

/** The same as a remark on the rule, for lint. */
export function restingProblem({ rule, missing, place }: Resting): Problem {
  const message = `rests: ${undefinedNames(missing)}`;
  const { file, line, title } = rule;
  return new Problem({
    severity: "warning",
    code: "placeholder",
    file,
    line,
    rule: title,
    place,
    message,
    remedy: GIVE_VALUES,
  });
}

/** Rules that rest with these placeholders, in the order of their files. One that has an error besides is refused, not at
 * rest: it is among the `problems`. */
export function restingOf(
  { rules, filters, correlations }: Pick<Parsed, "rules" | "filters" | "correlations">,
  placeholders: Placeholders,
  problems: readonly Problem[],
): Resting[] {
  const refused = new Set(problems.filter(isRefusal).map(placeOf));
  const out: Resting[] = [];
  const add = (kind: Resting["kind"], rule: Resting["rule"], found: ReadonlyMap<string, string>): void => {
    if (found.size === 0 || refused.has(placeOf(rule))) return;
    out.push({ kind, rule, missing: [...found.keys()], place: [...found.values()][0]! });
  };
  const byName = new Map<string, Resting>();
  for (const rule of rules) add("rule", rule, missingIn(rule.selections.values(), placeholders));
  for (const one of out) for (const name of namesOf(one.rule)) byName.set(name, one);
  for (const filter of filters) add("filter", filter, missingIn(filter.selections.values(), placeholders));
  const inner = new Map(correlations.flatMap((one) => namesOf(one).map((name) => [name, one] as const)));
  for (const correlation of correlations) add("correlation", correlation, below(correlation, byName, inner));
  return out;
}

const placeOf = ({ file, line }: { file: string; line: number }): string => `${file}:${line}`;

const namesOf = ({ id, name }: Resting["rule"]): string[] => (name === undefined ? [id] : [id, name]);

/** Placeholders of selections that nothing defines, each with the place where it is asked for first. */
export function missingIn(selections: Iterable<Term>, placeholders: Placeholders): Map<string, string> {
  const found = new Map<string, string>();
  const look = (term: Term): void => {
    if (term.kind !== "item") return term.terms.forEach(look);
    if (!term.modifiers.includes("expand")) return;
    for (const part of term.values.flatMap((value) => parseText(String(value), true))) {
      if (typeof part !== "object" || Object.hasOwn(placeholders, part.placeholder)) continue;
      if (!found.has(part.placeholder)) found.set(part.placeholder, term.place);
    }
  };
  for (const term of selections) look(term);
  return found;
}

/** What is missing to the rules that a correlation counts, however far below it. */
function below(
  correlation: Correlation,
  resting: ReadonlyMap<string, Resting>,
  inner: ReadonlyMap<string, Correlation>,
): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<Correlation>();
  const pending = correlation.rules.map((name) => [name, `correlation.rules "${name}"`] as const);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, place] = next;
    for (const missing of resting.get(name)?.missing ?? [])
      if (!found.has(missing)) found.set(missing, place);
    const deeper = inner.get(name);
    if (deeper === undefined || seen.has(deeper)) continue;
    seen.add(deeper);
    pending.push(...deeper.rules.map((of) => [of, place] as const));
  }
  return found;
}
