// Normalise and detect, joined: what a worker thread, `scan` and the benches run on a batch. No I/O after open.
import { RuleFailed, TaplineError, reasonOf } from "./core/errors.ts";
import type { Origin } from "./core/event.ts";
import type { Event } from "./core/generated/event.ts";
import type { SharedBuffers } from "./core/shared-buffers.ts";
import { createDigest } from "./core/digest.ts";
import { alertEvent } from "./detect/alert.ts";
import { Flow } from "./detect/flow.ts";
import type { CorrelationSet } from "./detect/correlate-compile.ts";
import { type ExtractBatch, Extractor } from "./detect/correlate-extract.ts";
import { type Loaded, type RuleText, compileTexts, readTexts } from "./detect/load.ts";
import type { Placeholders } from "./detect/modifiers.ts";
import type { RuleSet } from "./detect/match.ts";
import { LIMITS } from "./core/limits.ts";
import { Normaliser, type Normalised, type Work } from "./normalise/index.ts";
import { createRedactor } from "./normalise/redact.ts";
import { createSealer } from "./normalise/seal.ts";

/** Everything an engine needs, as plain data, so that it can cross to a worker thread. */
export interface EngineOptions {
  readonly origin: Origin;
  /** Keys digests and redaction marks; secret. */
  readonly key: string;
  readonly started: string;
  readonly rules: Rules;
  /** Directory of the subjects' keys; without it sealing falls back to pseudonyms, and events say so. */
  readonly subject_keys: string | undefined;
}

/** What a rule set is made of: every thread compiles the same. */
export interface Rules {
  readonly texts: readonly RuleText[];
  /** Values of `%name%` in rules. */
  readonly placeholders: Placeholders;
}

/** What the console and counters need to know of an alert; the alert itself is an entry. */
export interface AlertNote {
  readonly time: string;
  readonly level: string;
  readonly rule: string;
  readonly reason: string;
}

export function noteOf(alert: Event): AlertNote {
  return {
    time: alert["@timestamp"]!,
    level: alert["tapline.alert.level"]!,
    rule: alert["rule.name"]!,
    reason: alert["event.reason"]!,
  };
}

export interface EngineResult extends Normalised {
  readonly alerts: readonly AlertNote[];
  /** Events by class, for the console. */
  readonly actions: Readonly<Record<string, number>>;
  /** State dropped because a bound bit. */
  readonly evicted: number;
  /** What correlations need of the batch. */
  readonly extracts: ExtractBatch;
}

export class Engine {
  readonly normaliser: Normaliser;
  readonly flow: Flow;
  #rules!: RuleSet;
  #extractor!: Extractor;
  /** By place in the rules: whether it is but a step of a correlation, and makes no alert of its own. */
  #quiet!: readonly boolean[];
  #alerts: AlertNote[] = [];
  #actions: Record<string, number> = {};
  readonly #matched: number[] = [];

  constructor(
    options: Omit<EngineOptions, "rules">,
    loaded: Omit<Loaded, "problems">,
    buffers?: SharedBuffers,
  ) {
    this.use(loaded);
    const redactor = createRedactor(options.key);
    this.flow = new Flow(options.key, redactor.redactText);
    this.normaliser = new Normaliser({
      origin: options.origin,
      digest: createDigest(options.key),
      redactor,
      trace: (e) => this.flow.trace(e),
      started: options.started,
      inspect: (e, write) => {
        try {
          this.#inspect(e, write);
        } catch (error) {
          throw error instanceof TaplineError ? error : new RuleFailed(reasonOf(error));
        }
      },
      buffers,
      sealer: options.subject_keys === undefined ? undefined : createSealer(options.subject_keys),
    });
  }

  get rules(): RuleSet {
    return this.#rules;
  }

  /** From the next batch on, these rules are in force. Sessions and flow go on. */
  use({ set, correlations }: Omit<Loaded, "problems">): void {
    this.#rules = set;
    const hashes = set.rules.map(({ rule }) => rule.hash);
    this.#extractor = new Extractor(correlations.plan, hashes);
    const quiet = new Set(correlations.quiet);
    this.#quiet = hashes.map((of) => quiet.has(of));
  }

  #inspect(e: Event, write: (alert: Event) => void): void {
    const action = e["event.action"]!;
    this.#actions[action] = (this.#actions[action] ?? 0) + 1;
    const matched = this.#matched;
    matched.length = 0;
    this.#rules.match(e, matched);
    this.#extractor.seen(e);
    for (let i = 0; i < matched.length; i++) {
      if (this.#quiet[matched[i]!]) continue;
      const alert = alertEvent(this.#rules.rules[matched[i]!]!, e, this.#rules.hash);
      if (this.#alerts.length < LIMITS.alert_notes) {
        this.#alerts.push(noteOf(alert));
      }
      this.#actions["rule-alert"] = (this.#actions["rule-alert"] ?? 0) + 1;
      write(alert);
    }
    // The event itself is written next.
    const entry = this.normaliser.scope.out.count;
    for (let i = 0; i < matched.length; i++) this.#extractor.add(matched[i]!, e, entry);
  }

  process(work: Work): EngineResult {
    this.#alerts = [];
    this.#actions = {};
    const result = this.normaliser.process(work);
    let evicted = this.normaliser.scope.evicted + this.flow.evicted;
    for (const session of this.normaliser.scope.sessions.values()) evicted += session.evicted;
    return {
      ...result,
      alerts: this.#alerts,
      actions: this.#actions,
      evicted,
      extracts: this.#extractor.take(),
    };
  }
}

/** Reads what a rule set is made of. Throws TaplineError when a path itself cannot be read. */
export async function readRuleTexts(
  paths: readonly string[],
  placeholders: Placeholders = {},
): Promise<Rules> {
  return { texts: await readTexts(paths), placeholders };
}

/** Compiles rules; `wrong` are those that could not be used, a line each. */
export function compile({ texts, placeholders }: Rules): Loaded & { readonly wrong: readonly string[] } {
  const loaded = compileTexts(texts, { placeholders });
  // A rule on the inventory rests while nothing defines its lists; `rules lint` names it.
  const wrong = loaded.problems.filter((problem) => problem.code !== "placeholder");
  return { ...loaded, wrong: wrong.map(String) };
}

/** Compiles rules and makes an engine; `problems` are rules that could not be used. */
export function openEngine(
  options: EngineOptions,
  buffers?: SharedBuffers,
): { engine: Engine; correlations: CorrelationSet; problems: readonly string[] } {
  const loaded = compile(options.rules);
  const { correlations, wrong } = loaded;
  return { engine: new Engine(options, loaded, buffers), correlations, problems: wrong };
}
