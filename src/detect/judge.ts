// Rules on one event: alerts beside it, and what correlations need of it. A worker has one for the events of records, the
// ordering thread one for the events that it makes itself. Decides nothing about what an event is.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import { alertEvent } from "./alert.ts";
import { type ExtractBatch, Extractor } from "./correlate-extract.ts";
import type { Loaded } from "./load.ts";
import type { RuleFailure, RuleSet } from "./match.ts";
import { type Held, offerOf } from "./suppress.ts";

// What comes of rules, and what says only that time passes.
const UNJUDGED: ReadonlySet<string> = new Set(["rule-alert", "alert-suppressed", "incident", "heartbeat"]);

/** Whether rules meet such an event, whoever made it. */
export function meetsRules(e: Event): boolean {
  return !UNJUDGED.has(e["event.action"] ?? "");
}

/** Rules and correlations that belong together. */
export type InForce = Pick<Loaded, "set" | "correlations">;

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

/** What came of the events since the last call of `take`. */
export interface Judged {
  /** The first of the alerts. */
  readonly notes: readonly AlertNote[];
  readonly alerts: number;
  /** Alerts that may be repeats: the ordering thread tells them or counts them. */
  readonly held: readonly Held[];
  readonly extracts: ExtractBatch;
  /** Rules that threw. */
  readonly failures: readonly RuleFailure[];
}

export class Judge {
  #rules!: RuleSet;
  #extractor!: Extractor;
  /** By place in the rules: whether it is but a step of a correlation, and makes no alert of its own. */
  #quiet!: readonly boolean[];
  readonly #matched: number[] = [];
  #notes: AlertNote[] = [];
  #alerts = 0;
  #held: Held[] = [];
  /** How many of them have their entry. */
  #placed = 0;
  /** Alerts of the event in hand. */
  readonly #ready: Event[] = [];
  #failures: RuleFailure[] = [];
  /** The stream of the source that the event in hand came by. */
  part: string | undefined;
  /** Alerts that other collectors have made: the last ones, and those before them. */
  #known: readonly [Set<string>, Set<string>] = [new Set(), new Set()];

  constructor(rules: InForce) {
    this.use(rules);
  }

  get rules(): RuleSet {
    return this.#rules;
  }

  /** From the next event on, these rules are in force. Nothing may be left to take. */
  use({ set, correlations }: InForce): void {
    this.#rules = set;
    const hashes = set.rules.map(({ rule }) => rule.hash);
    this.#extractor = new Extractor(correlations.plan, hashes);
    const quiet = new Set(correlations.quiet);
    this.#quiet = hashes.map((of) => quiet.has(of));
  }

  /** Another collector has made this alert: the same rule on the same event, which comes behind it, makes no other. */
  know(id: string): void {
    if (this.#known[1].size >= LIMITS.known_alerts) this.#known = [this.#known[1], new Set()];
    this.#known[1].add(id);
  }

  #isKnown(id: string): boolean {
    return this.#known[1].has(id) || this.#known[0].has(id);
  }

  /** Writes the event's alerts; the event is written next, and gets the place that `out` is at then. */
  inspect(e: Event, write: (alert: Event) => void, out: { readonly count: number }): void {
    if (!meetsRules(e)) return;
    const matched = this.#matched;
    matched.length = 0;
    const is_failure = e["tapline.gap.reason"] === "rule_failed";
    if (is_failure) this.#failures.push(...this.#rules.takeFailures());
    this.#rules.match(e, matched);
    this.#extractor.seen(e, this.part);
    for (let i = 0; i < matched.length; i++) if (!this.#quiet[matched[i]!]) this.#alert(matched[i]!, e);
    if (this.#ready.length > 0) this.#writeReady(write);
    const entry = out.count;
    for (let i = this.#placed; i < this.#held.length; i++) this.#held[i]!.entry = entry;
    this.#placed = this.#held.length;
    for (let i = 0; i < matched.length; i++) this.#extractor.add(matched[i]!, e, entry);
    // A rule that fails on the event which says so would make another one for ever.
    if (is_failure) this.#rules.takeFailures();
  }

  /** One alert. A rule that cannot say what it found has failed, and costs no other its alert. */
  #alert(place: number, e: Event): void {
    const rule = this.#rules.rules[place]!;
    let alert: Event;
    try {
      alert = alertEvent(rule, e, this.#rules.hash);
    } catch (error) {
      this.#rules.fail(place, error);
      return;
    }
    if (this.#isKnown(alert["event.id"]!)) return;
    const { suppress } = rule.rule;
    if (suppress !== undefined) {
      this.#held.push({ alert, offer: offerOf(alert, suppress, toMs(e["@timestamp"] ?? "")), entry: -1 });
    } else this.#ready.push(alert);
  }

  /** The event is the entry after them. */
  #writeReady(write: (alert: Event) => void): void {
    const ready = this.#ready;
    for (let i = 0; i < ready.length; i++) {
      const alert = ready[i]!;
      alert["tapline.alert.index_offset"] = ready.length - i;
      if (this.#notes.length < LIMITS.alert_notes) this.#notes.push(noteOf(alert));
      this.#alerts++;
      write(alert);
    }
    ready.length = 0;
  }

  take(): Judged {
    const [notes, alerts, held] = [this.#notes, this.#alerts, this.#held];
    const failures = [...this.#failures, ...this.#rules.takeFailures()];
    const judged = { notes, alerts, held, extracts: this.#extractor.take(), failures };
    this.#notes = [];
    this.#alerts = 0;
    this.#held = [];
    this.#placed = 0;
    this.#failures = [];
    return judged;
  }
}
