// The detection section of a rule, and of a filter: selections as trees of items. Decides nothing about fields,
// modifiers or conditions, which compile.ts does.
import type { Item, Report, Rule, Scalar, Term } from "./rule.ts";
import { isMapping } from "./yaml.ts";

/** What a detection section, or a filter's, says. `place` is its path in the rule; `known` are keys of others in it. */
export function readDetection(
  value: unknown,
  place: string,
  report: Report,
  known: readonly string[] = [],
): Pick<Rule, "selections" | "conditions"> {
  const selections = new Map<string, Term>();
  const conditions: string[] = [];
  if (!isMapping(value)) {
    report.error(place, place, `a rule needs a ${place}`, `Add \`${place}:\` with a \`condition\``);
    return { selections, conditions };
  }
  for (const key of Object.keys(value)) {
    const at = `${place}.${key}`;
    if (known.includes(key)) continue;
    if (key === "condition") {
      for (const c of Array.isArray(value[key]) ? value[key] : [value[key]]) {
        if (typeof c === "string" && c.trim() !== "") conditions.push(c);
        else report.error("condition", at, "a condition is text", "Write it as text or a list of texts");
      }
    } else if (key === "timeframe") {
      const remedy = "Use a correlation rule with `timespan`";
      report.warn("legacy_timeframe", at, "`timeframe` left Sigma with version 2 and says nothing", remedy);
    } else {
      const term = readTerm(value[key], at, report);
      if (term !== undefined) selections.set(key, term);
    }
  }
  if (conditions.length === 0) report.error("condition", place, "no condition", "Add `condition: selection`");
  return { selections, conditions };
}

/** A map is "all of", a list of maps "any of", a list of scalars keywords. */
function readTerm(value: unknown, place: string, report: Report): Term | undefined {
  if (isScalar(value)) return keyword([value], place);
  if (isMapping(value)) {
    const terms = Object.keys(value).flatMap(
      (key) => readItem(key, value[key], `${place}.${key}`, report) ?? [],
    );
    if (Object.keys(value).length === 0) {
      report.error("empty", place, "an empty selection", "Give it at least one field");
    }
    return terms.length === 1 ? terms[0] : { kind: "all", terms };
  }
  if (!Array.isArray(value) || value.length === 0) {
    report.error(
      "detection",
      place,
      "a selection is a map or a list",
      "Write `field: value` pairs or keywords",
    );
    return undefined;
  }
  const scalars = value.filter(isScalar);
  const terms: Term[] = scalars.length > 0 ? [keyword(scalars, place)] : [];
  for (const entry of value) {
    if (isScalar(entry)) continue;
    const term = readTerm(entry, place, report);
    if (term !== undefined) terms.push(term);
  }
  return terms.length === 1 ? terms[0] : { kind: "any", terms };
}

function keyword(values: readonly Scalar[], place: string): Item {
  return { kind: "item", field: undefined, modifiers: [], values, place };
}

function readItem(key: string, value: unknown, place: string, report: Report): Item | undefined {
  const [field, ...modifiers] = key.split("|");
  const values = Array.isArray(value) ? value : [value];
  if (!values.every(isScalar)) {
    report.error(
      "value",
      place,
      "values are text, numbers, true, false or null",
      "Write a value or a list of values",
    );
    return undefined;
  }
  if (values.includes(null) && values.length > 1) {
    report.warn("null_in_list", place, "null in a list is not Sigma", "Give null a selection of its own");
  }
  // An empty list is null, as in the reference implementation.
  const list = values.length === 0 ? [null] : values;
  return { kind: "item", field: field === "" ? undefined : field, modifiers, values: list, place };
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
