// Correlations of rule files, outside the collector: read, joined to their rules, and run over events that are all at
// hand. The collector itself runs them as events come.
import { hash } from "node:crypto";
import { canonical } from "../core/digest.ts";
import type { Event } from "../core/generated/event.ts";
import { toMs } from "../core/time.ts";
import { LIMITS } from "../core/limits.ts";
import type { Correlator } from "./correlate.ts";
import type { CorrelationSet } from "./correlate-compile.ts";
import { Extractor } from "./correlate-extract.ts";
import type { Firing } from "./correlate-fire.ts";
import { openCorrelator } from "./correlate-state.ts";
import { type Correlation, parseCorrelation } from "./correlation-parse.ts";
import type { RuleSet } from "./match.ts";
import { LEVELS, type Level, type Problem } from "./rule.ts";
import { type Mapping, readDocuments } from "./yaml.ts";

/** The correlations of one file. Never throws for what the text holds. */
export function readCorrelations(
  text: string,
  file: string,
): { correlations: Correlation[]; problems: Problem[] } {
  const correlations: Correlation[] = [];
  const problems: Problem[] = [];
  if (!/^correlation\s*:/m.test(text)) return { correlations, problems };
  for (const { map, line, report } of readDocuments(text, file)) {
    if (map?.["correlation"] === undefined) continue;
    const meta = metaOf(map);
    report.rule = meta.title;
    if (meta.title === "") report.error("title", "title", "a rule needs a title", "Add `title`");
    const correlation = parseCorrelation(map, { file, line, ...meta }, report);
    if (correlation !== undefined && !report.refused) correlations.push(correlation);
    problems.push(...report.problems);
  }
  return { correlations, problems };
}

/** Names by which correlations may call the rules of a file, by the line where each begins. */
export function readNames(text: string, file: string): Map<number, string> {
  const names = new Map<number, string>();
  if (!/^name\s*:/m.test(text)) return names;
  for (const { map, line } of readDocuments(text, file)) {
    if (typeof map?.["name"] === "string") names.set(line, map["name"]);
  }
  return names;
}

function metaOf(map: Mapping): Omit<Parameters<typeof parseCorrelation>[1], "file" | "line"> {
  const text = (key: string): string | undefined => (typeof map[key] === "string" ? map[key] : undefined);
  const texts = (key: string): string[] =>
    Array.isArray(map[key]) ? map[key].filter((v) => typeof v === "string") : [];
  const content = hash("sha256", canonical(map), "hex").slice(0, 32);
  const level = text("level") ?? "medium";
  return {
    id: text("id") ?? content,
    name: text("name"),
    title: text("title") ?? "",
    description: text("description"),
    level: LEVELS.includes(level as Level) ? (level as Level) : "medium",
    status: text("status"),
    tags: texts("tags"),
    references: texts("references"),
    falsepositives: texts("falsepositives"),
    hash: content,
  };
}

const LATER_MS = LIMITS.correlation_span_ms + LIMITS.correlation_hold_ms;

/** Runs correlations over events in the order in which they were recorded. */
export class CorrelationRun {
  readonly #rules: RuleSet;
  readonly #extractor: Extractor;
  readonly #correlator: Correlator;
  readonly #matched: number[] = [];
  #now_ms = 0;

  /** `rules` hold those that the correlations refer to. */
  constructor(rules: RuleSet, correlations: CorrelationSet) {
    this.#rules = rules;
    this.#extractor = new Extractor(
      correlations.plan,
      rules.rules.map(({ rule }) => rule.hash),
    );
    this.#correlator = openCorrelator(correlations, {});
  }

  /** An event; `matched` are the places of the rules that it matches, where the caller knows them. */
  add(e: Event, matched?: readonly number[]): void {
    this.#extractor.seen(e);
    const time = toMs(e["event.created"] ?? e["@timestamp"] ?? "");
    if (time > this.#now_ms) this.#now_ms = time;
    if (matched === undefined) {
      this.#matched.length = 0;
      this.#rules.match(e, this.#matched);
    }
    for (const place of matched ?? this.#matched) this.#extractor.add(place, e, -1);
  }

  /** What fired by the events so far. To be called once in a while, between events of other times. */
  flush(): Firing[] {
    const batch = this.#extractor.take();
    // Time goes on behind the batch, as in a collector that had not yet caught up when it read it.
    const fired = this.#correlator.push(batch, { now_ms: this.#now_ms, rested_ms: null, first_index: -1 });
    return [...fired, ...this.#correlator.advance(this.#now_ms, this.#now_ms)];
  }

  /** The end of all events: windows that are open run out. */
  finish(): Firing[] {
    const last = this.flush();
    return [
      ...last,
      ...this.#correlator.advance(this.#now_ms + LATER_MS, this.#now_ms + LATER_MS),
      ...this.#correlator.close(),
    ];
  }
}
