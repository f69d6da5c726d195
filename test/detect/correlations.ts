// Shared by the tests of correlations: rules from YAML, random streams, and the windows of a rule judged literally.
import { type CorrelationSet, compileCorrelations } from "../../src/detect/correlate-compile.ts";
import { Extractor, type ExtractBatch } from "../../src/detect/correlate-extract.ts";
import type { Firing } from "../../src/detect/correlate-fire.ts";
import type { Correlation } from "../../src/detect/correlation-parse.ts";
import { parseRules } from "../../src/detect/parse.ts";
import type { Problem } from "../../src/detect/rule.ts";
import { compileRules } from "../../src/detect/rules.ts";
import type { RuleSet } from "../../src/detect/match.ts";

export interface Loaded {
  readonly rules: RuleSet;
  readonly set: CorrelationSet;
  readonly correlations: readonly Correlation[];
  readonly problems: readonly Problem[];
}

/** Detections and correlations of one text, over events of any fields. */
export function load(text: string): Loaded {
  const { rules, correlations, problems } = parseRules(text, "test.yml");
  const compiled = compileRules(rules, { fields: "any" });
  const bases = compiled.rules.map(({ rule }) => rule);
  const joined = compileCorrelations(bases, correlations, "any");
  const all = [...problems, ...compiled.problems, ...joined.problems];
  return { rules: compiled, set: joined.set, correlations, problems: all };
}

/** A detection that matches events whose field `k` has the value. */
export function base(name: string): string {
  return `title: ${name}\nname: ${name}\nlogsource: {product: test}\ndetection:\n  sel: {k: ${name}}\n  condition: sel\n---\n`;
}

export type TestEvent = Record<string, unknown> & { readonly t: number };

/** What a worker would tell of events, in batches of `size`. Times are ms after `origin`. */
export function batchesOf(
  loaded: Loaded,
  events: readonly TestEvent[],
  size: number,
  origin: number,
): { batch: ExtractBatch; latest_ms: number }[] {
  const extractor = new Extractor(
    loaded.set.plan,
    loaded.rules.rules.map(({ rule }) => rule.hash),
  );
  const out: { batch: ExtractBatch; latest_ms: number }[] = [];
  const matched: number[] = [];
  let latest_ms = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < events.length; from += size) {
    for (const [entry, event] of events.slice(from, from + size).entries()) {
      const time = origin + event.t;
      latest_ms = Math.max(latest_ms, time);
      const e = { ...event, "@timestamp": new Date(time).toISOString() } as never;
      extractor.seen(e);
      matched.length = 0;
      loaded.rules.match(e, matched);
      for (const place of matched) extractor.add(place, e, entry);
    }
    out.push({ batch: extractor.take(), latest_ms });
  }
  return out;
}

/** Which alert a firing is: rule, group and place on the grid. */
export function nameOf({ set }: Loaded, firing: Firing): string {
  return JSON.stringify([set.nodes[firing.node]!.rule.title, firing.key, firing.grid_ms]);
}

/** A generator of numbers below a bound that gives the same for the same seed. */
export function random(seed: number): (max: number) => number {
  let state = seed >>> 0;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * max);
  };
}
