// Proofs of correlations: a case is a list of events, each at its `offset` in seconds. All events of a
// case go through the rules and the correlation; it has to fire in the cases of `match` and in none of `miss`.
import type { Event } from "../core/generated/event.ts";
import { fromMs } from "../core/time.ts";
import type { CorrelationSet } from "./correlate-compile.ts";
import { CorrelationRun } from "./correlations.ts";
import type { RuleSet } from "./match.ts";
import { readEvent } from "./prove.ts";
import type { Logsource } from "./rule.ts";
import { isMapping, readDocuments } from "./yaml.ts";

export interface CorrelationProof {
  readonly match: readonly (readonly Event[])[];
  readonly miss: readonly (readonly Event[])[];
  readonly problems: readonly string[];
}

const START_MS = Date.UTC(2026, 0, 1);

/** `logsource` says what the events are of that say nothing of it. Never throws for what the text holds. */
export function readCorrelationProof(text: string, logsource: Logsource): CorrelationProof {
  const [document] = readDocuments(text, "proof");
  const problems = document?.report.problems.map((p) => `${p.place}: ${p.message}`) ?? [];
  const lists: Record<"match" | "miss", Event[][]> = { match: [], miss: [] };
  for (const [key, list] of Object.entries(document?.map ?? {})) {
    if (key === "placeholders") continue;
    if ((key !== "match" && key !== "miss") || !Array.isArray(list)) {
      problems.push(`"${key}" is not understood: a proof has the lists "match" and "miss"`);
      continue;
    }
    for (const [i, entry] of list.entries())
      lists[key].push(readCase(entry, logsource, `${key} ${i + 1}`, problems));
  }
  return { ...lists, problems };
}

function readCase(value: unknown, logsource: Logsource, place: string, problems: string[]): Event[] {
  if (!Array.isArray(value)) {
    problems.push(`${place}: a case of a correlation is a list of events`);
    return [];
  }
  return value.flatMap((entry: unknown, i) => {
    const { offset = 0, ...fields } = isMapping(entry) ? entry : {};
    const seconds = typeof offset === "number" ? offset : Number.NaN;
    if (Number.isNaN(seconds)) problems.push(`${place}, event ${i + 1}: offset is a number of seconds`);
    const event = readEvent(fields, logsource, `${place}, event ${i + 1}`, problems);
    if (event === undefined) return [];
    const time = fromMs(START_MS + seconds * 1000) ?? event["@timestamp"];
    const own = { "@timestamp": time, "event.created": time, "tapline.stream": "proof" };
    return [{ ...event, ...own }];
  });
}

/** How often the correlation at a place of the set fires over the events of a case. */
export function firings(rules: RuleSet, set: CorrelationSet, node: number, events: readonly Event[]): number {
  const run = new CorrelationRun(rules, set);
  for (const event of events) run.add(event);
  return run.finish().filter((firing) => firing.node === node).length;
}
