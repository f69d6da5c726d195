// Rules over events of the past: what each would have said, day by day, and whether that is what was said at the time.
// Events come in the order of the ledger, alerts among them. Pure.
import type { Event } from "../core/generated/event.ts";
import { alertEvent } from "./alert.ts";
import type { CorrelationSet } from "./correlate-compile.ts";
import type { Firing } from "./correlate-fire.ts";
import { CorrelationRun } from "./correlations.ts";
import { fromMs } from "../core/time.ts";
import type { RuleSet } from "./match.ts";
import type { Rule } from "./rule.ts";

export interface Sample {
  readonly time: string;
  readonly event: string;
  readonly reason: string;
}

export interface RuleHits {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly correlation: boolean;
  matches: number;
  /** Alerts of this rule in the ledger. */
  recorded: number;
  /** Matches by day, UTC. */
  readonly days: Record<string, number>;
  readonly samples: Sample[];
}

export interface BacktestReport {
  readonly events: number;
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly ruleset: string;
  readonly rules: readonly RuleHits[];
  /** Matches without an alert in the ledger, and alerts that the rules do not give now. */
  readonly only_backtest: number;
  readonly only_recorded: number;
}

export interface BacktestOptions {
  /** Canonical times, both included. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly samples: number;
}

// Made by the thread that orders, of what needs knowledge across sessions: rules meet these.
const OWN_MATCHED = ["first-seen", "tool-definition-changed"];

/** Whether rules meet such an event while it is collected. */
function isMatched(e: Event): boolean {
  return e["tapline.vantage"] !== "self" || OWN_MATCHED.includes(e["event.action"] ?? "");
}

export class Backtest {
  readonly #set: RuleSet;
  readonly #options: BacktestOptions;
  readonly #hits: RuleHits[];
  /** Of the rules that alert by themselves; correlations are not compared event by event. */
  readonly #by_id = new Map<string, RuleHits>();
  readonly #run: CorrelationRun;
  readonly #quiet: ReadonlySet<string>;
  readonly #matched: number[] = [];
  /** Rule and event of which only one side is known yet; an alert stands right behind its event. */
  readonly #open = new Map<string, "backtest" | "recorded">();
  #events = 0;
  #first: string | undefined;
  #last: string | undefined;

  constructor(set: RuleSet, correlations: CorrelationSet, options: BacktestOptions) {
    this.#set = set;
    this.#options = options;
    this.#run = new CorrelationRun(set, correlations);
    this.#quiet = new Set(correlations.quiet);
    this.#hits = [
      ...set.rules.map(({ rule }) => newHits(rule, false)),
      ...correlations.nodes.map(({ rule }) => newHits(rule, true)),
    ];
    for (const [i, { rule }] of set.rules.entries()) this.#by_id.set(rule.id, this.#hits[i]!);
  }

  /** The next event of the ledger; an alert is compared, not matched. */
  add(e: Event): void {
    const time = e["@timestamp"] ?? "";
    const { from, to } = this.#options;
    if ((from !== undefined && time < from) || (to !== undefined && time > to)) return;
    if (e["event.action"] === "rule-alert") return this.#recorded(e);
    if (!isMatched(e)) return;
    this.#events++;
    if (this.#first === undefined || time < this.#first) this.#first = time;
    if (this.#last === undefined || time > this.#last) this.#last = time;
    this.#matched.length = 0;
    this.#set.match(e, this.#matched);
    this.#run.add(e, this.#matched);
    for (const place of this.#matched) {
      if (!this.#quiet.has(this.#set.rules[place]!.rule.hash)) this.#hit(place, e, time);
    }
  }

  /** To be called after each batch of the ledger: what correlations say of it. */
  flush(): void {
    for (const firing of this.#run.flush()) this.#fired(firing);
  }

  #fired({ node, time_ms, evidence, number, group }: Firing): void {
    const hits = this.#hits[this.#set.rules.length + node]!;
    const time = fromMs(time_ms) ?? "";
    count(hits, time);
    if (hits.samples.length >= this.#options.samples) return;
    const of = group.length === 0 ? "" : ` of ${group.map((value) => JSON.stringify(value)).join(", ")}`;
    const reason = `${hits.title}: ${number}${of}, ${evidence.length} events`;
    hits.samples.push({ time, event: evidence.at(-1)?.event ?? "", reason });
  }

  #hit(place: number, e: Event, time: string): void {
    const hits = this.#hits[place]!;
    count(hits, time);
    const event = e["event.id"] ?? "";
    if (hits.samples.length < this.#options.samples) {
      const reason = alertEvent(this.#set.rules[place]!, e, this.#set.hash)["event.reason"] ?? "";
      hits.samples.push({ time, event, reason });
    }
    this.#meet(`${hits.id}\u0000${event}`, "backtest");
  }

  #recorded(alert: Event): void {
    const hits = this.#by_id.get(alert["rule.id"] ?? "");
    if (hits === undefined) return;
    hits.recorded++;
    this.#meet(`${hits.id}\u0000${alert["tapline.alert.event_ids"]?.[0] ?? ""}`, "recorded");
  }

  #meet(key: string, side: "backtest" | "recorded"): void {
    const other = this.#open.get(key);
    if (other === undefined || other === side) this.#open.set(key, side);
    else this.#open.delete(key);
  }

  /** Ends the backtest: windows that are still open stay silent, as in a collector that stops. */
  report(): BacktestReport {
    this.flush();
    let onlyBacktest = 0;
    for (const side of this.#open.values()) if (side === "backtest") onlyBacktest++;
    return {
      events: this.#events,
      first: this.#first,
      last: this.#last,
      ruleset: this.#set.hash,
      rules: this.#hits.toSorted((a, b) => b.matches - a.matches || (a.title < b.title ? -1 : 1)),
      only_backtest: onlyBacktest,
      only_recorded: this.#open.size - onlyBacktest,
    };
  }
}

function newHits({ id, title, level }: Pick<Rule, "id" | "title" | "level">, correlation: boolean): RuleHits {
  return { id, title, level, correlation, matches: 0, recorded: 0, days: {}, samples: [] };
}

function count(hits: RuleHits, time: string): void {
  const day = time.slice(0, 10);
  hits.matches++;
  hits.days[day] = (hits.days[day] ?? 0) + 1;
}
