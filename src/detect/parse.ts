// Sigma rules, filters and correlations from YAML text. Reports everything that is wrong with a rule at once; decides
// nothing about fields, modifiers or conditions, which compile.ts does.
import { hash } from "node:crypto";
import { canonical } from "../core/digest.ts";
import { type Correlation, parseCorrelation } from "./correlation-parse.ts";
import { readDetection } from "./parse-detection.ts";
import {
  type Filter,
  LEVELS,
  type Level,
  type Logsource,
  type Meta,
  type Problem,
  type Report,
  type Rule,
} from "./rule.ts";
import { readSuppression } from "./suppress.ts";
import { type Mapping, isMapping, readDocuments } from "./yaml.ts";

const STATUSES = ["stable", "test", "experimental", "deprecated", "unsupported"];

/** What a file holds, without what is refused; `problems` say why. */
export interface Parsed {
  readonly rules: Rule[];
  readonly filters: Filter[];
  readonly correlations: Correlation[];
  readonly problems: Problem[];
}

/** Reads one file. Never throws for what the text holds. */
export function parseRules(source: string, file: string): Parsed {
  const out: Parsed = { rules: [], filters: [], correlations: [], problems: [] };
  const shared: Shared = { global: {}, last: {} };
  for (const { map, line, report } of readDocuments(source, file)) {
    const whole = map === undefined ? undefined : withAction(map, shared, report);
    if (whole !== undefined) readDocument(whole, file, line, report, out);
    out.problems.push(...report.problems);
  }
  return out;
}

function readDocument(map: Mapping, file: string, line: number, report: Report, out: Parsed): void {
  const meta = readMeta(map, file, line, report);
  if (map["correlation"] !== undefined) {
    const correlation = parseCorrelation(map, meta, report);
    if (correlation !== undefined && !report.refused) out.correlations.push(correlation);
    return;
  }
  const logsource = readLogsource(map["logsource"], report);
  if (map["filter"] !== undefined) {
    const filter = { ...meta, logsource, ...readFilter(map["filter"], report) };
    if (!report.refused) out.filters.push(filter);
    return;
  }
  const detection = readDetection(map["detection"], "detection", report);
  const rule = { ...meta, logsource, suppress: readSuppression(map, report), ...detection };
  if (!report.refused) out.rules.push(rule);
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

function readMeta(map: Mapping, file: string, line: number, report: Report): Meta {
  const title = text(map, "title", report) ?? "";
  report.rule = title === "" ? undefined : title;
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
  return {
    file,
    line,
    id: text(map, "id", report) ?? content,
    name: text(map, "name", report),
    title,
    description: text(map, "description", report),
    level: level as Level,
    status,
    tags: texts(map, "tags", report),
    references: texts(map, "references", report),
    falsepositives: texts(map, "falsepositives", report),
    hash: content,
  };
}

function readFilter(value: unknown, report: Report): Pick<Filter, "rules" | "selections" | "conditions"> {
  const detection = readDetection(value, "filter", report, ["rules"]);
  const rules = isMapping(value) ? value["rules"] : undefined;
  const list: unknown[] = Array.isArray(rules) ? rules : [rules];
  if (!list.every((name) => typeof name === "string")) {
    const remedy = "Write the ids or names of rules, or `any` for all of the log source";
    report.error("filter_rules", "filter.rules", "does not say which rules it is for", remedy);
    return { ...detection, rules: "any" };
  }
  // An empty list is all rules, as in the reference implementation.
  const any = list.length === 0 || (list.length === 1 && list[0]!.toLowerCase() === "any");
  return { ...detection, rules: any ? "any" : list };
}

function readLogsource(value: unknown, report: Report): Logsource {
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
