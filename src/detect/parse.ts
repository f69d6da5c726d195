// Sigma rules from YAML text. Reports everything that is wrong with a rule at once; decides nothing about fields,
// modifiers or conditions, which compile.ts does.
import { hash } from "node:crypto";
import { canonical } from "../core/digest.ts";
import {
  type Item,
  LEVELS,
  type Level,
  type Problem,
  Report,
  type Rule,
  type Scalar,
  type Term,
} from "./rule.ts";
import { type Mapping, isMapping, readDocuments } from "./yaml.ts";

const STATUSES = ["stable", "test", "experimental", "deprecated", "unsupported"];

/** The rules of one file, and the problems of those that are refused. Never throws for what the text holds. */
export function parseRules(source: string, file: string): { rules: Rule[]; problems: Problem[] } {
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  const shared: Shared = { global: {}, last: {} };
  for (const { map, line, report } of readDocuments(source, file)) {
    const whole = map === undefined ? undefined : withAction(map, shared, report);
    const rule = whole === undefined ? undefined : readRule(whole, file, line, report);
    if (rule !== undefined && !report.refused) rules.push(rule);
    problems.push(...report.problems);
  }
  return { rules, problems };
}

interface Shared {
  global: Mapping;
  last: Mapping;
}

/** The old way to share parts between the documents of a file; undefined for a document that is no rule itself. */
function withAction(map: Mapping, shared: Shared, report: Report): Mapping | undefined {
  const { action, ...own } = map;
  if (action === "global") shared.global = merge(shared.global, own);
  else if (action === "reset") shared.global = {};
  else if (action === "repeat") return (shared.last = merge(shared.last, own));
  else if (action === undefined) return (shared.last = merge(shared.global, own));
  else report.error("action", "action", `${JSON.stringify(action)} is no action`, "Write each rule in full");
  return undefined;
}

function merge(a: Mapping, b: Mapping): Mapping {
  const out = { ...a };
  for (const key of Object.keys(b)) {
    const [left, right] = [out[key], b[key]];
    out[key] = isMapping(left) && isMapping(right) ? merge(left, right) : right;
  }
  return out;
}

function readRule(map: Mapping, file: string, line: number, report: Report): Rule | undefined {
  const title = text(map, "title", report) ?? "";
  report.rule = title === "" ? undefined : title;
  if (map["correlation"] !== undefined) {
    const remedy = "Leave the file out, or keep only the detection rules that it refers to";
    report.error("correlation", "correlation", "correlations are not supported yet", remedy);
    return undefined;
  }
  if (map["filter"] !== undefined) {
    const remedy = "Put the exclusion into the rule's condition as `and not`";
    report.error("filter", "filter", "filters are not supported yet", remedy);
    return undefined;
  }
  if (title === "") report.error("title", "title", "a rule needs a title", "Add `title`");
  else if (title.length > 256) report.error("title", "title", "longer than 256 characters", "Shorten it");
  const level = text(map, "level", report) ?? "medium";
  if (!LEVELS.includes(level as Level)) {
    report.error("level", "level", `"${level}" is no level`, `Use one of ${LEVELS.join(", ")}`);
  }
  const status = text(map, "status", report);
  if (status !== undefined && !STATUSES.includes(status)) {
    report.error("status", "status", `"${status}" is no status`, `Use one of ${STATUSES.join(", ")}`);
  }
  const content = hash("sha256", canonical(map), "hex").slice(0, 32);
  const { selections, conditions } = readDetection(map["detection"], report);
  return {
    file,
    line,
    id: text(map, "id", report) ?? content,
    title,
    description: text(map, "description", report),
    level: level as Level,
    status,
    tags: texts(map, "tags", report),
    references: texts(map, "references", report),
    falsepositives: texts(map, "falsepositives", report),
    logsource: readLogsource(map["logsource"], report),
    selections,
    conditions,
    hash: content,
  };
}

function readLogsource(value: unknown, report: Report): Rule["logsource"] {
  if (!isMapping(value)) {
    report.error(
      "logsource",
      "logsource",
      "a rule needs a logsource",
      "Add `logsource:` with `product: tapline`",
    );
    return { product: undefined, category: undefined, service: undefined };
  }
  const part = (key: string): string | undefined => text(value, key, report, "logsource.")?.toLowerCase();
  return { product: part("product"), category: part("category"), service: part("service") };
}

function readDetection(value: unknown, report: Report): Pick<Rule, "selections" | "conditions"> {
  const selections = new Map<string, Term>();
  const conditions: string[] = [];
  if (!isMapping(value)) {
    report.error("detection", "detection", "a rule needs a detection", "Add `detection:` with a `condition`");
    return { selections, conditions };
  }
  for (const key of Object.keys(value)) {
    const place = `detection.${key}`;
    if (key === "condition") {
      for (const c of Array.isArray(value[key]) ? value[key] : [value[key]]) {
        if (typeof c === "string" && c.trim() !== "") conditions.push(c);
        else report.error("condition", place, "a condition is text", "Write it as text or a list of texts");
      }
    } else if (key === "timeframe") {
      const remedy = "Use a correlation rule with `timespan`";
      report.warn(
        "legacy_timeframe",
        place,
        "`timeframe` left Sigma with version 2 and says nothing",
        remedy,
      );
    } else {
      const term = readTerm(value[key], place, report);
      if (term !== undefined) selections.set(key, term);
    }
  }
  if (conditions.length === 0)
    report.error("condition", "detection", "no condition", "Add `condition: selection`");
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
function text(map: Mapping, key: string, report: Report, prefix = ""): string | undefined {
  const value = map[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  report.error("metadata", prefix + key, "is not text", "Write it as text");
  return undefined;
}
function texts(map: Mapping, key: string, report: Report): string[] {
  const value = map[key];
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((v) => typeof v === "string")) return list;
  report.error("metadata", key, "is not a list of texts", "Write a list of texts");
  return [];
}
