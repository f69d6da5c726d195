// Rules over events of the past: what each would have said, day by day, and whether that is what was said at the time.
// Events come in the order of the ledger, alerts among them. Pure.
import type { Event } from "../core/generated/event.ts";
import { toMs } from "../core/time.ts";
import type { CorrelationSet } from "./correlate-compile.ts";
import { Correlations } from "./correlate-thread.ts";
import { Judge, meetsRules } from "./judge.ts";
import type { RuleSet } from "./match.ts";
import type { Meta } from "./rule.ts";

export interface Sample {
  readonly time: string;
  readonly event: string;
  /** Id of the alert. */
  readonly alert: string;
  readonly reason: string;
}

export interface RuleHits {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly correlation: boolean;
  /** Alerts that the rule gives. */
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

const NOWHERE = { count: -1 };
/** Before any event: the collection's first start tells which records are history. */
const NEVER_STARTED = Number.POSITIVE_INFINITY;

export class Backtest {
  readonly #set: RuleSet;
  readonly #joined: CorrelationSet;
  readonly #options: BacktestOptions;
  readonly #hits: RuleHits[];
  /** By the content hash of the rule, and by its id. */
  readonly #by_hash = new Map<string, RuleHits>();
  readonly #by_id = new Map<string, RuleHits>();
  readonly #judge: Judge;
  readonly #tell = (alert: Event): void => this.#told(alert);
  #correlations: Correlations | undefined;
  #now_ms = 0;
  /** What an alert is about, of which only one side is known yet; an alert stands near its event. */
  readonly #open = new Map<string, "backtest" | "recorded">();
  #events = 0;
  #first: string | undefined;
  #last: string | undefined;

  constructor(set: RuleSet, correlations: CorrelationSet, options: BacktestOptions) {
    this.#set = set;
    this.#joined = correlations;
    this.#options = options;
    this.#judge = new Judge({ set, correlations });
    this.#hits = [
      ...set.rules.map(({ rule }) => this.#hitsOf(rule, false)),
      ...correlations.nodes.map(({ rule }) => this.#hitsOf(rule, true)),
    ];
  }

  #hitsOf(rule: Meta, correlation: boolean): RuleHits {
    const { id, title, level } = rule;
    const hits = { id, title, level, correlation, matches: 0, recorded: 0, days: {}, samples: [] };
    this.#by_hash.set(rule.hash, hits);
    this.#by_id.set(id, hits);
    return hits;
  }

  /** The next event of the ledger; an alert is compared, not matched. */
  add(e: Event): void {
    const time = e["@timestamp"] ?? "";
    this.#pass(e, time);
    const { from, to } = this.#options;
    if ((from !== undefined && time < from) || (to !== undefined && time > to)) return;
    if (e["event.action"] === "rule-alert") return this.#recorded(e);
    if (!meetsRules(e)) return;
    this.#events++;
    if (this.#first === undefined || time < this.#first) this.#first = time;
    if (this.#last === undefined || time > this.#last) this.#last = time;
    this.#judge.inspect(e, this.#tell, NOWHERE);
  }

  /** Time goes on with what was recorded, the collector's own events among it. */
  #pass(e: Event, time: string): void {
    const started_ms = e["event.action"] === "collector-start" ? toMs(time) : NEVER_STARTED;
    this.#correlations ??= new Correlations(this.#joined, {
      origin: { namespace: e["data_stream.namespace"] ?? "default", host: e["host.name"] ?? "", version: "" },
      ruleset_hash: this.#set.hash,
      started_ms,
    });
    const created_ms = toMs(e["event.created"] ?? time);
    if (created_ms <= this.#now_ms) return;
    // What was read together is looked at together: records from the time to come count at the time of reading.
    this.flush();
    this.#now_ms = created_ms;
  }

  /** To be called after each batch of the ledger: what correlations say of it. */
  flush(): void {
    const { extracts, held } = this.#judge.take();
    const correlations = this.#correlations;
    if (correlations === undefined) return;
    // Time goes on behind the batch, as in a collector that had not yet caught up when it read it.
    const now_ms = this.#now_ms;
    const pushed = correlations.push(extracts, { now_ms, rested_ms: null, first_index: -1 }, held);
    const passed = correlations.advance(now_ms, now_ms);
    for (const e of [...pushed.events, ...passed.events])
      if (e["event.action"] === "rule-alert") this.#told(e);
  }

  #told(alert: Event): void {
    const hits = this.#by_hash.get(alert["rule.version"] ?? "")!;
    const time = alert["@timestamp"] ?? "";
    const day = time.slice(0, 10);
    hits.matches++;
    hits.days[day] = (hits.days[day] ?? 0) + 1;
    if (hits.samples.length < this.#options.samples) {
      const event = alert["tapline.alert.event_ids"]?.at(hits.correlation ? -1 : 0) ?? "";
      const [id, reason] = [alert["event.id"] ?? "", alert["event.reason"] ?? ""];
      hits.samples.push({ time, event, alert: id, reason });
    }
    this.#meet(alert, "backtest");
  }

  #recorded(alert: Event): void {
    const hits = this.#by_id.get(alert["rule.id"] ?? "");
    if (hits === undefined) return;
    hits.recorded++;
    this.#meet(alert, "recorded");
  }

  /** By what it rests on, and not by its id: rules that were edited since are compared too. */
  #meet(alert: Event, side: "backtest" | "recorded"): void {
    const window = alert["tapline.alert.window.start"];
    const group = JSON.stringify(alert["tapline.alert.group"]);
    const key = [alert["rule.id"], window, group, ...(alert["tapline.alert.event_ids"] ?? [])].join("\u0000");
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
