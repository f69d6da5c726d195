// Correlations as the ordering thread has them: extracts in, alerts and what a frame has to keep out. The same calls
// give the same alerts, so that a restart makes the calls of its frames again and throws the alerts away. No I/O.
import type { Origin } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import type { Arrival, Correlator, Eviction } from "./correlate.ts";
import type { ExtractBatch } from "./correlate-extract.ts";
import type { Firing } from "./correlate-fire.ts";
import type { CorrelationSet } from "./correlate-join.ts";
import { type CorrelatorState, openCorrelator, stateOf } from "./correlate-state.ts";
import { correlationAlert, suppressedEvent } from "./correlation-alert.ts";
import { type Held, type Offer, Suppressor, type SuppressorState, offerOf } from "./suppress.ts";

/** What a frame keeps, so that its call can be made again. Without a batch, time passed. */
export interface CorrelationHeader {
  readonly now_ms: number;
  readonly rested_ms: number | null;
  readonly batch?: ExtractBatch;
  /** Alerts of single events that may be repeats. */
  readonly offers?: readonly Offer[];
}

export interface CorrelationsState {
  readonly correlator: CorrelatorState;
  readonly suppressor: SuppressorState;
}

/** Alerts and summaries to be recorded in the same frame as the header. */
export interface Correlated {
  readonly events: readonly Event[];
  /** Undefined when there is nothing to make again. */
  readonly header: CorrelationHeader | undefined;
}

export interface CorrelationsOptions {
  readonly origin: Origin;
  readonly ruleset_hash: string;
  /** Start of the collector, ms since 1970. */
  readonly started_ms: number;
  /** How late an event may come and still count; LIMITS.correlation_lateness_ms by default. */
  readonly lateness_ms?: number;
  readonly state?: CorrelationsState | undefined;
}

export class Correlations {
  readonly correlator: Correlator;
  readonly suppressor: Suppressor;
  readonly #options: CorrelationsOptions;

  constructor(set: CorrelationSet, options: CorrelationsOptions) {
    const { started_ms, lateness_ms, state } = options;
    this.#options = options;
    this.correlator = openCorrelator(set, { started_ms, lateness_ms, state: state?.correlator });
    this.suppressor = new Suppressor(state?.suppressor);
  }

  /** Takes in the extracts of a batch. `arrival.first_index` is the ledger's size before its entries. */
  push(batch: ExtractBatch, arrival: Arrival, held: readonly Held[] = []): Correlated {
    const { now_ms, rested_ms } = arrival;
    const { nodes, suppresses } = this.correlator.set;
    const idle = nodes.length === 0 && !suppresses;
    const events = this.#events(this.correlator.push(batch, arrival), now_ms);
    // Behind the windows that end now, so that it does not matter whether time passed before.
    for (const { alert, offer, entry } of held) {
      if (!this.#tells(offer, alert)) continue;
      if (arrival.first_index >= 0) alert["tapline.alert.indexes"] = [arrival.first_index + entry];
      events.push(alert);
    }
    const nothing = batch.streams.length === 0 && batch.extracts.length === 0 && held.length === 0;
    if (idle || (nothing && events.length === 0)) return { events, header: undefined };
    const header = { now_ms, rested_ms, batch };
    if (held.length === 0) return { events, header };
    return { events, header: { ...header, offers: held.map(({ offer }) => offer) } };
  }

  /** Time passes; to be called about once a second while no batch is under way. */
  advance(now_ms: number, rested_ms: number | null): Correlated {
    const events = this.#events(this.correlator.advance(now_ms, rested_ms), now_ms);
    return { events, header: events.length === 0 ? undefined : { now_ms, rested_ms } };
  }

  /** No more events will come: windows that are open run out. */
  close(now_ms: number): readonly Event[] {
    const events = this.#events(this.correlator.close(), now_ms);
    this.#tellEnded(events, Number.POSITIVE_INFINITY, now_ms);
    return events;
  }

  /** Makes the call of a recorded frame again; its alerts are in the ledger. */
  replay({ now_ms, rested_ms, batch, offers }: CorrelationHeader, first_index: number): void {
    if (batch === undefined) this.advance(now_ms, rested_ms);
    else this.push(batch, { now_ms, rested_ms, first_index });
    for (const offer of offers ?? []) this.#tells(offer);
  }

  /** State that had to go, to be recorded and counted. */
  evictions(now_ms: number): readonly (Eviction & { readonly title: string })[] {
    const { nodes } = this.correlator.set;
    return this.correlator.evictions(now_ms).map((e) => ({ ...e, title: nodes[e.node]!.rule.title }));
  }

  state(): CorrelationsState {
    return { correlator: stateOf(this.correlator), suppressor: this.suppressor.state() };
  }

  /** Whether an alert on one event is told. One that is later than its window is told as it is: nobody counts there. */
  #tells(offer: Offer, alert?: Event): boolean {
    const mark_ms = this.correlator.time.mark.at_ms;
    if (!offer.backfill && offer.end_ms <= mark_ms && !this.suppressor.has(offer)) return true;
    const told = this.suppressor.take(offer, mark_ms);
    if (told && alert !== undefined) alert["event.id"] = offer.alert;
    return told;
  }

  #events(firings: readonly Firing[], now_ms: number): Event[] {
    const { origin, ruleset_hash } = this.#options;
    const { set, time } = this.correlator;
    const context = { origin, ruleset_hash, now_ms };
    const events: Event[] = [];
    for (const firing of firings) {
      const { rule } = set.nodes[firing.node]!;
      const alert = correlationAlert(rule, firing, context);
      // By when it was known: of the event it rests on, the window for repeats may be over.
      const known_ms = firing.end_ms + rule.gap_ms;
      const { suppress } = rule;
      if (suppress !== undefined) {
        const offer = offerOf(alert, suppress, known_ms);
        alert["event.id"] = offer.alert;
        if (!this.suppressor.take(offer, time.mark.at_ms)) continue;
      }
      events.push(alert);
    }
    this.#tellEnded(events, time.mark.at_ms, now_ms);
    return events;
  }

  #tellEnded(events: Event[], mark_ms: number, now_ms: number): void {
    const { origin, ruleset_hash } = this.#options;
    const rests = this.correlator.time.backfill_heard_ms === Number.NEGATIVE_INFINITY;
    for (const ended of this.suppressor.end(mark_ms, rests))
      events.push(suppressedEvent(ended, { origin, ruleset_hash, now_ms }));
  }
}
