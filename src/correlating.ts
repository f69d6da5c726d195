// What the ordering thread adds to a batch: events of what was never seen before and of calls that went around the
// chokepoint, what rules and correlations find in these and in whatever else the collector records of itself, and the
// incidents that alerts group into. All of it becomes entries of the batch's frame, and the console hears of alerts
// and incidents. Decides nothing.
import type { Event } from "./core/generated/event.ts";
import type { Told as ToldByOthers } from "./core/exchange.ts";
import type { CorrelatingParts, DetectionFigures, Told } from "./correlating-parts.ts";
import type { Arrival } from "./detect/correlate.ts";
import { figuresOf } from "./detect/correlate-figures.ts";
import { Failing } from "./detect/failing.ts";
import { joinExtracts } from "./detect/correlate-extract.ts";
import type { Correlations, CorrelationsState } from "./detect/correlate-thread.ts";
import type { SeenState } from "./detect/first-seen.ts";
import type { Moment, OversightState } from "./detect/oversight.ts";
import type { EngineResult } from "./engine.ts";
import { type InForce, noteOf } from "./detect/judge.ts";
import type { RuleFailure } from "./detect/match.ts";
import type { ExchangeState } from "./exchange.ts";
import { type IncidentNews, NO_NEWS } from "./incident/candidates.ts";
import type { IncidentsState } from "./incident/grouping.ts";

/** Of a batch, what rules and correlations found. */
type Batch = Pick<EngineResult, "extracts" | "held" | "failures" | "count">;

/** A batch in which nothing is. */
const NOTHING_NEW = {
  sightings: [],
  observations: [],
  extracts: { rules: [], extracts: [], streams: [] },
  held: [],
  failures: [],
  count: 0,
  incidents: NO_NEWS,
};

export class Correlating {
  readonly #parts: CorrelatingParts;
  readonly #failing = new Failing();
  #correlations: Correlations;

  constructor(parts: CorrelatingParts) {
    this.#parts = parts;
    this.#correlations = parts.correlations;
    const { judge, self } = parts;
    const alert = (e: Event): void => this.#alert(e);
    self.inspect = (e) => judge.inspect(e, alert, self.out);
  }

  /** Takes in what a batch told; what comes of it waits in the recorder for the batch's frame. */
  push(
    result: Batch & Pick<EngineResult, "sightings" | "observations" | "incidents">,
    arrival: Arrival,
    by_others: readonly ToldByOthers[] = [],
  ): Told {
    this.#tellTrouble(result.failures, arrival.now_ms);
    const { events, changes } = this.#parts.first_seen.offer(result.sightings);
    const overseen = this.#parts.oversight.offer(result.observations, this.#moment(arrival));
    for (const e of [...events, ...overseen.events]) this.#parts.self.write(e);
    const told = this.#judge(result, arrival, by_others);
    const seen = changes.length === 0 ? undefined : changes;
    const incidents = this.#group(result.incidents, arrival.now_ms);
    return { ...told, seen, oversight: overseen.header, incidents };
  }

  /** Groups the alerts of a batch, and those that this thread made since, into incidents. */
  #group(told: IncidentNews, now_ms: number): IncidentsState | undefined {
    const { incidents, self } = this.#parts;
    const own = this.#parts.candidates.take();
    const { events, changes } = incidents.offer(
      own === NO_NEWS ? told : { steps: told.steps, candidates: [...told.candidates, ...own.candidates] },
      now_ms,
    );
    const passed = incidents.due(now_ms);
    for (const e of [...events, ...passed.events]) {
      self.write(e);
      this.#parts.onIncident?.(e);
    }
    const all = [...changes, ...passed.changes];
    return all.length === 0 ? undefined : all;
  }

  /** The same for a frame of nothing but the collector's own events. To be called before every such frame. */
  own(arrival: Arrival): Told {
    return this.push(NOTHING_NEW, arrival);
  }

  /** What was found in the events of the batch and in our own, which are the entries behind them. */
  #judge(batch: Batch, arrival: Arrival, by_others: readonly ToldByOthers[]): Told {
    const { exchange } = this.#parts;
    const own = this.#parts.judge.take();
    for (const note of own.notes) this.#parts.onAlert(note);
    const extracts = joinExtracts(batch.extracts, own.extracts, batch.count);
    for (const failure of own.failures) this.#failing.add(failure);
    const held =
      own.held.length === 0
        ? batch.held
        : [...batch.held, ...own.held.map((h) => ({ ...h, entry: h.entry + batch.count }))];
    // What is shared with others counts where its windows are.
    const local = exchange === undefined ? extracts : { ...extracts, rules: [], extracts: [] };
    const { events, header } = this.#correlations.push(local, arrival, held);
    const shared = exchange?.offer(extracts, arrival);
    const alerts = this.#write([...events, ...(exchange?.take(by_others) ?? [])]) + own.alerts;
    return { alerts, header, exchange: shared };
  }

  /** Until the sources were read to their end once, what is missing may still be in them. */
  #moment({ now_ms, rested_ms }: Pick<Arrival, "now_ms" | "rested_ms">): Moment {
    const { mark } = this.#correlations.correlator.time;
    const mark_ms = rested_ms === null ? Number.NEGATIVE_INFINITY : mark.at_ms;
    return { now_ms, mark_ms };
  }

  /** Windows end by the clock too, and what is missing is missed, when nothing comes. */
  advance(arrival: Arrival): Told {
    const { now_ms, rested_ms } = arrival;
    this.#tellTrouble([], now_ms);
    const { oversight, self } = this.#parts;
    if (self.out.count > 0 || oversight.isDue(this.#moment(arrival))) return this.own(arrival);
    const { events, header } = this.#correlations.advance(now_ms, rested_ms);
    this.#parts.exchange?.offer(NOTHING_NEW.extracts, arrival);
    return { alerts: this.#write(events), header, incidents: this.#group(NO_NEWS, now_ms) };
  }

  #alert(alert: Event): void {
    this.#parts.candidates.alert(alert);
    this.#parts.self.write(alert);
  }

  /** No more events will come: windows that are open run out. */
  close(now_ms: number): void {
    for (const e of this.#parts.oversight.close(now_ms)) this.#parts.self.write(e);
    this.#judge(NOTHING_NEW, { now_ms, rested_ms: null, first_index: -1 }, []);
    this.#write(this.#correlations.close(now_ms));
  }

  /** Goes on with other rules; `open` gets the state to go on from. */
  use(rules: InForce, open: (state: CorrelationsState) => Correlations): void {
    this.#parts.judge.use(rules);
    this.#correlations = open(this.#correlations.state());
  }

  /** For the status. */
  figures(): DetectionFigures {
    const { correlator, suppressor } = this.#correlations;
    const { size, evicted } = this.#parts.first_seen;
    const { oversight, incidents } = this.#parts;
    return {
      ...(this.#parts.exchange?.figures(figuresOf(correlator, suppressor)) ??
        figuresOf(correlator, suppressor)),
      ...incidents.figures(),
      seen: size,
      seen_evicted: evicted,
      overseen: oversight.size,
      overseen_evicted: oversight.evicted,
    };
  }

  state(): {
    readonly correlations: CorrelationsState;
    readonly seen: SeenState;
    readonly oversight: OversightState;
    readonly incidents: IncidentsState;
    readonly exchange: ExchangeState | undefined;
  } {
    const { first_seen, oversight, incidents, exchange } = this.#parts;
    return {
      correlations: this.#correlations.state(),
      seen: first_seen.state(),
      oversight: oversight.state(),
      incidents: incidents.state(),
      exchange: exchange?.state(),
    };
  }

  /** Before anything is judged, so that rules meet these events in the frame that has them. What of it a batch itself
   * brings about is told with the next one, or when time passes. */
  #tellTrouble(failures: readonly RuleFailure[], now_ms: number): void {
    for (const failure of failures) this.#failing.add(failure);
    this.#tellEvicted(now_ms);
    for (const { id, title, count, reason } of this.#failing.due(now_ms)) {
      this.#parts.self.add(
        "gap",
        `${title}: the rule failed on ${count} events, which it may have missed`,
        (e) => {
          e["tapline.gap.reason"] = "rule_failed";
          e["rule.id"] = id;
          e["rule.name"] = title;
          e["error.message"] = reason;
          e["event.outcome"] = "failure";
        },
      );
    }
  }

  /** What had to go since a bound bit. */
  #tellEvicted(now_ms: number): void {
    const { incidents, self, exchange } = this.#parts;
    const tell = (message: string, title?: string): void =>
      self.add("gap", message, (e) => {
        e["tapline.gap.reason"] = "evicted";
        e["rule.name"] = title;
        e["event.outcome"] = "failure";
      });
    const gone = incidents.takeEvicted();
    if (gone > 0) tell(`${gone} incidents had to go: more alerts open new ones`);
    const evictions = [...this.#correlations.evictions(now_ms), ...(exchange?.evictions(now_ms) ?? [])];
    for (const { title, keys, rows } of evictions)
      tell(`${title}: ${keys} keys and ${rows} events of open windows had to go`, title);
  }

  #write(events: readonly Event[]): number {
    let alerts = 0;
    for (const e of events) {
      if (e["event.action"] !== "rule-alert") {
        this.#parts.self.write(e);
        continue;
      }
      this.#alert(e);
      alerts++;
      this.#parts.onAlert(noteOf(e));
    }
    return alerts;
  }
}
