// Proofs of correlations: a case is a list of events, each with its `offset` in seconds. It has to make the first rule
// of the file, the correlation, fire or not; the other rules of the file are its steps.
import { hash } from "node:crypto";
import type { Event } from "../../src/core/generated/event.ts";
import { compileCorrelations } from "../../src/detect/correlate-compile.ts";
import { Correlator } from "../../src/detect/correlate.ts";
import { Extractor } from "../../src/detect/correlate-extract.ts";
import { type Correlation, parseCorrelation } from "../../src/detect/correlation-parse.ts";
import { flatten } from "../../src/core/flatten.ts";
import { type Rule, Report } from "../../src/detect/rule.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { readCases } from "../../src/detect/prove.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { Watermark } from "../../src/detect/watermark.ts";
import { type Mapping, isMapping, readDocuments } from "../../src/detect/yaml.ts";

const START_MS = Date.parse("2026-01-01T00:00:00.000Z");

export interface CorrelationFile {
  readonly rules: readonly Rule[];
  /** What correlations call the rules, by their ids. */
  readonly names: ReadonlyMap<string, string>;
  readonly correlations: readonly Correlation[];
  readonly problems: readonly string[];
}

/** The detection rules and correlations of one file. */
export function readCorrelations(text: string, file: string): CorrelationFile {
  const correlations: Correlation[] = [];
  const problems: string[] = [];
  const names = new Map<string, string>();
  for (const { map, line } of readDocuments(text, file)) {
    if (map?.["name"] !== undefined) names.set(String(map["id"]), String(map["name"]));
    if (map?.["correlation"] === undefined) continue;
    const report = new Report(file, line, String(map["title"]));
    const found = parseCorrelation(map, metaOf(map, file, line), report);
    if (found !== undefined) correlations.push(found);
    problems.push(...report.problems.map(String));
  }
  const { rules } = parseRules(text, file);
  return { rules, names, correlations, problems };
}

function metaOf(map: Mapping, file: string, line: number): Correlation {
  const list = (key: string): string[] => (Array.isArray(map[key]) ? map[key].map(String) : []);
  const key = hash("sha256", JSON.stringify(map), "hex").slice(0, 32);
  return {
    file,
    line,
    id: String(map["id"] ?? key),
    name: map["name"] === undefined ? undefined : String(map["name"]),
    title: String(map["title"]),
    description: map["description"] === undefined ? undefined : String(map["description"]),
    level: map["level"] ?? "medium",
    status: map["status"],
    tags: list("tags"),
    references: list("references"),
    falsepositives: list("falsepositives"),
    hash: key,
  } as unknown as Correlation;
}

export interface Cases {
  readonly match: readonly (readonly Event[])[];
  readonly miss: readonly (readonly Event[])[];
  readonly problems: readonly string[];
}

/** The sequences of a proof; an event that does not name its class has that of the first step. */
export function readSequences(text: string, { rules }: CorrelationFile): Cases {
  const category = rules[0]?.logsource.category;
  const [document] = readDocuments(text, "proof");
  const problems = document?.report.problems.map(String) ?? [];
  const read = (key: string): Event[][] => {
    const list = document?.map?.[key];
    return (Array.isArray(list) ? list : []).map((steps: unknown[]) =>
      steps.map((step) => event(step, category, problems)),
    );
  };
  return { match: read("match"), miss: read("miss"), problems };
}

let count = 0;

function event(step: unknown, category: string | undefined, problems: string[]): Event {
  const { offset, ...fields } = flatten(isMapping(step) ? step : {});
  if (typeof offset !== "number") problems.push("a step has an offset in seconds");
  const source = { product: "tapline", category, service: undefined };
  const read = readCases({ match: [fields] }, source);
  problems.push(...read.problems);
  const e = read.match[0]!;
  e["@timestamp"] = new Date(START_MS + Number(offset) * 1000).toISOString();
  e["event.id"] = `step-${count++}`;
  return e;
}

/** Whether the file's first correlation fires on the events; throws when the file does not compile. */
export function fires(file: CorrelationFile, events: readonly Event[], rules = file.rules): boolean {
  const compiled = compileRules(rules);
  const bases = compiled.rules.map(({ rule }) => ({ ...rule, name: file.names.get(rule.id) }));
  const { set, problems } = compileCorrelations(bases, file.correlations, "table");
  const errors = [...compiled.problems, ...problems].filter((p) => p.severity === "error");
  if (errors.length > 0) throw new Error(errors.map(String).join("\n"));
  const extractor = new Extractor(
    set.plan,
    bases.map((rule) => rule.hash),
  );
  const matched: number[] = [];
  for (const [i, e] of events.entries()) {
    extractor.seen(e);
    matched.length = 0;
    compiled.match(e, matched);
    for (const place of matched) extractor.add(place, e, i);
  }
  const first = file.correlations[0]!;
  const mark = new Watermark(30_000);
  const never = Number.NEGATIVE_INFINITY;
  const correlator = new Correlator(set, {
    mark,
    live_from_ms: never,
    backfill_ms: never,
    backfill_heard_ms: never,
  });
  const end_ms = START_MS + 400 * 86_400_000;
  const firings = correlator.push(extractor.take(), { now_ms: end_ms, rested_ms: null, first_index: -1 });
  firings.push(...correlator.advance(end_ms + 86_400_000, end_ms + 86_400_000), ...correlator.close());
  return firings.some((firing) => set.nodes[firing.node]!.rule.id === first.id);
}

/** Why the correlation does not do what its proof says; empty when it does. */
export function proveCorrelation(file: CorrelationFile, cases: Cases, rules = file.rules): string[] {
  const failures = [...file.problems, ...cases.problems];
  for (const [i, events] of cases.match.entries())
    if (!fires(file, events, rules)) failures.push(`match ${i + 1} does not fire`);
  for (const [i, events] of cases.miss.entries())
    if (fires(file, events, rules)) failures.push(`miss ${i + 1} fires`);
  return failures;
}
