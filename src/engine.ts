// Normalise and detect, joined: what a worker thread, `scan` and the benches run on a batch. No I/O after open.
import { homedir } from "node:os";
import { RuleFailed, TaplineError, reasonOf } from "./core/errors.ts";
import type { Origin } from "./core/event.ts";
import type { Event } from "./core/generated/event.ts";
import type { SharedBuffers } from "./core/shared-buffers.ts";
import { createDigest } from "./core/digest.ts";
import { Flow, type FlowState } from "./detect/flow.ts";
import type { CorrelationSet } from "./detect/correlate-compile.ts";
import type { ExtractBatch } from "./detect/correlate-extract.ts";
import { type Loaded, compileParsed, readRules } from "./detect/load.ts";
import type { Placeholders } from "./detect/modifiers.ts";
import type { RuleFailure, RuleSet } from "./detect/match.ts";
import type { Parsed } from "./detect/parse.ts";
import type { Resting } from "./detect/resting.ts";
import type { Held } from "./detect/suppress.ts";
import { type Observation, Observations } from "./detect/observations.ts";
import { type Sighting, Sightings } from "./detect/sightings.ts";
import { type AlertNote, type InForce, Judge } from "./detect/judge.ts";
import { Candidates, type IncidentNews } from "./incident/candidates.ts";
import type { IncidentRule } from "./incident/config.ts";
import { Normaliser, type Normalised, type Work } from "./normalise/index.ts";
import { createRedactor } from "./normalise/redact.ts";
import type { SessionState } from "./normalise/session.ts";
import { createSealer } from "./normalise/seal.ts";
import type { CompiledPolicy } from "./policy/compiled.ts";
import { inventoryOf, placeholdersOf } from "./policy/values.ts";

/** Everything an engine needs, as plain data, so that it can cross to a worker thread. */
export interface EngineOptions {
  readonly origin: Origin;
  /** Keys digests and redaction marks; secret. */
  readonly key: string;
  /** Keys flow's fingerprints, which decide what short content is found again; `key` by default. */
  readonly flow_key?: string;
  readonly started: string;
  readonly rules: Rules;
  /** By what alerts group into incidents; without it nothing is told of them. */
  readonly incident_rules?: readonly IncidentRule[];
  /** Directory of the subjects' keys; without it sealing falls back to pseudonyms, and events say so. */
  readonly subject_keys: string | undefined;
}

/** What a rule set is made of: every thread compiles the same. Read from YAML once, which costs more than compiling. */
export interface Rules {
  readonly parsed: Parsed;
  /** Values of `%name%` in rules; the policy's come on top. */
  readonly placeholders: Placeholders;
  /** The inventory, where there is a policy. */
  readonly policy?: CompiledPolicy | undefined;
}

export interface EngineResult extends Normalised {
  readonly alerts: readonly AlertNote[];
  /** Events by class, for the console. */
  readonly actions: Readonly<Record<string, number>>;
  /** State dropped because a bound bit. */
  readonly evicted: number;
  /** Values whose answers by rules were forgotten since a bound bit. */
  readonly values_replaced: number;
  /** What correlations need of the batch. */
  readonly extracts: ExtractBatch;
  /** Alerts that may be repeats. */
  readonly held: readonly Held[];
  /** Rules that threw. */
  readonly failures: readonly RuleFailure[];
  /** What may never have been seen before. */
  readonly sightings: readonly Sighting[];
  /** Calls and decisions, to be held against each other. */
  readonly observations: readonly Observation[];
  /** Alerts that may open incidents, and what was said of incidents. */
  readonly incidents: IncidentNews;
}

/** What a worker remembers from batch to batch. */
export interface LaneState {
  readonly sessions: readonly (readonly [string, SessionState])[];
  readonly flow: FlowState;
}

export class Engine {
  readonly normaliser: Normaliser;
  readonly flow: Flow;
  readonly sightings = new Sightings();
  readonly observations = new Observations();
  readonly #judge: Judge;
  readonly #candidates: Candidates;
  /** Where the alerts of the event in hand go. */
  #write: (alert: Event) => void = () => {};
  readonly #alert = (alert: Event): void => {
    this.#candidates.alert(alert);
    this.#write(alert);
  };
  #actions: Record<string, number> = {};
  /** Under the rules before these. */
  #values_replaced = 0;

  constructor(options: Omit<EngineOptions, "rules">, rules: InForce, buffers?: SharedBuffers) {
    this.#judge = new Judge(rules);
    this.#candidates = new Candidates(options.incident_rules ?? []);
    const redactor = createRedactor(options.key);
    this.flow = new Flow(options.flow_key ?? options.key, redactor.redactText);
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
    return this.#judge.rules;
  }

  /** From the next batch on, these rules are in force. Sessions and flow go on. */
  use(rules: InForce): void {
    this.#values_replaced += this.rules.values_replaced;
    this.#judge.use(rules);
  }

  /** From the next batch on, this is the inventory. */
  know(policy: CompiledPolicy | undefined): void {
    this.normaliser.scope.inventory = inventoryOf(policy, homedir());
  }

  state(): LaneState {
    return { sessions: this.normaliser.state().sessions, flow: this.flow.state() };
  }

  restore({ sessions, flow }: LaneState): void {
    this.normaliser.restore({ sessions });
    this.flow.restore(flow);
  }

  #inspect(e: Event, write: (alert: Event) => void): void {
    const action = e["event.action"]!;
    this.#actions[action] = (this.#actions[action] ?? 0) + 1;
    this.#write = write;
    const forwarded = e["tapline.upstream.origin"] !== undefined;
    if (forwarded && action === "rule-alert") this.#judge.know(e["event.id"]!);
    this.#judge.part = this.normaliser.scope.stream.id;
    this.#judge.inspect(e, this.#alert, this.normaliser.scope.out);
    // What another collector saw first, decided and was told is in its own ledger.
    if (forwarded) return;
    this.#candidates.see(e);
    this.sightings.see(e);
    this.observations.see(e);
  }

  process(work: Work): EngineResult {
    const result = this.normaliser.process(work);
    const { notes, alerts, held, extracts, failures } = this.#judge.take();
    const actions = this.#actions;
    this.#actions = {};
    if (alerts > 0) actions["rule-alert"] = alerts;
    let evicted = this.normaliser.scope.evicted + this.flow.evicted;
    for (const session of this.normaliser.scope.sessions.values()) evicted += session.evicted;
    return {
      ...result,
      alerts: notes,
      actions,
      evicted,
      values_replaced: this.#values_replaced + this.rules.values_replaced,
      held,
      extracts,
      failures,
      sightings: this.sightings.take(),
      observations: this.observations.take(),
      incidents: this.#candidates.take(),
    };
  }
}

/** Reads what a rule set is made of. Throws TaplineError when a path itself cannot be read. */
export async function rulesBelow(
  paths: readonly string[],
  placeholders: Placeholders = {},
  policy?: CompiledPolicy,
): Promise<Rules> {
  return { parsed: await readRules(paths), placeholders, policy };
}

/** Values of placeholders: those of the configuration and those of the policy together. */
export function withInventory(placeholders: Placeholders, policy: CompiledPolicy | undefined): Placeholders {
  if (policy === undefined) return placeholders;
  const all: Record<string, Placeholders[string]> = { ...placeholders };
  for (const [name, values] of Object.entries(placeholdersOf(policy)))
    all[name] = [...(placeholders[name] ?? []), ...values];
  return all;
}

/** Compiles rules; `wrong` are those that could not be used, a line each. One that rests is not wrong. */
export function compile(rules: Rules): Loaded & { readonly wrong: readonly string[] } {
  const loaded = compileParsed(rules.parsed, {
    placeholders: withInventory(rules.placeholders, rules.policy),
  });
  const wrong = loaded.problems.filter((problem) => problem.code !== "placeholder");
  return { ...loaded, wrong: wrong.map(String) };
}

/** Compiles rules and makes an engine; `problems` are rules that could not be used, `resting` those without values. */
export function openEngine(
  options: EngineOptions,
  buffers?: SharedBuffers,
): {
  engine: Engine;
  correlations: CorrelationSet;
  problems: readonly string[];
  resting: readonly Resting[];
} {
  const loaded = compile(options.rules);
  const { correlations, wrong, resting } = loaded;
  const engine = new Engine(options, loaded, buffers);
  engine.know(options.rules.policy);
  return { engine, correlations, problems: wrong, resting };
}
