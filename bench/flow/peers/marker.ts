// The conditions of a case as Sigma rules; the names of those that match go into a list of the event, as with the other
// collectors.
import { createDigest } from "../../../src/core/digest.ts";
import type { Event } from "../../../src/core/generated/event.ts";
import { compileParsed } from "../../../src/detect/load.ts";
import { parseRules } from "../../../src/detect/parse.ts";
import type { RuleSet } from "../../../src/detect/match.ts";
import { Normaliser } from "../../../src/normalise/index.ts";
import { type Case, conditionsOf, sigma } from "./work.ts";

class Marker {
  readonly #set: RuleSet;
  readonly #names: readonly string[];
  readonly #matched: number[] = [];

  constructor(of: Case) {
    const conditions = conditionsOf(of);
    const text = conditions.map((one, i) => sigma(one, i)).join("---\n");
    const { set, problems } = compileParsed(parseRules(text, "conditions.yml"));
    if (problems.length > 0 || set.rules.length !== conditions.length) throw new Error(problems.join("\n"));
    this.#set = set;
    this.#names = set.rules.map(({ rule }) => rule.title);
  }

  mark(e: Event): void {
    const matched = this.#matched;
    matched.length = 0;
    this.#set.match(e, matched);
    if (matched.length === 0) return;
    const tags: string[] = [];
    for (let i = 0; i < matched.length; i++) tags.push(this.#names[matched[i]!]!);
    e["tapline.data.classification"] = tags;
  }
}

/** The product's normaliser without redaction, flow and runs: it marks events by the conditions of a case and hands them to
 * `take`. */
export function markingNormaliser(of: Case, take: (e: Event) => void): Normaliser {
  const marker = new Marker(of);
  return new Normaliser({
    origin: { namespace: "default", host: "bench", version: "0" },
    digest: createDigest("bench"),
    redactor: { redact: () => {}, redactText: (text) => text },
    started: "2026-01-01T00:00:00.000Z",
    sealer: undefined,
    inspect: (e) => marker.mark(e),
    take,
  });
}
