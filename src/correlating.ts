// What the ordering thread adds to a batch: events of what was never seen before with their alerts, and what correlations
// find. All of it becomes entries of the batch's frame, and the console hears of alerts. Decides nothing.
import type { Event } from "./core/generated/event.ts";
import type { Arrival } from "./detect/correlate.ts";
import { type CorrelationFigures, figuresOf } from "./detect/correlate-figures.ts";
import { Failing } from "./detect/failing.ts";
import { joinExtracts } from "./detect/correlate-extract.ts";
import type {
  Correlated,
  CorrelationHeader,
  Correlations,
  CorrelationsState,
} from "./detect/correlate-thread.ts";
import type { FirstSeen, SeenState } from "./detect/first-seen.ts";
import type { EngineResult } from "./engine.ts";
import { type AlertNote, type InForce, type Judge, noteOf } from "./detect/judge.ts";
import type { SelfRecorder } from "./self.ts";

/** What a frame has to keep, and how many alerts went into it. */
interface Told {
  readonly alerts: number;
  readonly header: CorrelationHeader | undefined;
  readonly seen?: SeenState | undefined;
}

export interface DetectionFigures extends CorrelationFigures {
  /** Keys known as seen, and those that had to go since the start. */
  readonly seen: number;
  readonly seen_evicted: number;
}

export interface CorrelatingParts {
  readonly correlations: Correlations;
  readonly first_seen: FirstSeen;
  /** Of the events that this thread makes. */
  readonly judge: Judge;
  readonly self: SelfRecorder;
  onAlert(alert: AlertNote): void;
}

export class Correlating {
  readonly #parts: CorrelatingParts;
  readonly #failing = new Failing();
  #correlations: Correlations;

  constructor(parts: CorrelatingParts) {
    this.#parts = parts;
    this.#correlations = parts.correlations;
  }

  /** Takes in what a batch told; what comes of it waits in the recorder for the batch's frame. */
  push(
    result: Pick<EngineResult, "sightings" | "extracts" | "held" | "failures" | "count">,
    arrival: Arrival,
  ): Told {
    const { first_seen, judge, self } = this.#parts;
    const { events, changes } = first_seen.offer(result.sightings);
    for (const e of events) {
      judge.inspect(e, (alert) => self.write(alert), self.out);
      self.write(e);
    }
    const own = judge.take();
    for (const note of own.notes) this.#parts.onAlert(note);
    const extracts = joinExtracts(result.extracts, own.extracts, result.count);
    for (const failure of [...result.failures, ...own.failures]) this.#failing.add(failure);
    const held =
      own.held.length === 0
        ? result.held
        : [...result.held, ...own.held.map((h) => ({ ...h, entry: h.entry + result.count }))];
    const { alerts, header } = this.#record(this.#correlations.push(extracts, arrival, held), arrival.now_ms);
    return { alerts: alerts + own.alerts, header, seen: changes.length === 0 ? undefined : changes };
  }

  /** Windows end by the clock too, when nothing comes. */
  advance(now_ms: number, caught_up: boolean): Told {
    return this.#record(this.#correlations.advance(now_ms, caught_up), now_ms);
  }

  /** No more events will come: windows that are open run out. */
  close(now_ms: number): void {
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
    return { ...figuresOf(correlator, suppressor), seen: size, seen_evicted: evicted };
  }

  state(): { readonly correlations: CorrelationsState; readonly seen: SeenState } {
    return { correlations: this.#correlations.state(), seen: this.#parts.first_seen.state() };
  }

  #record({ events, header }: Correlated, now_ms: number): Told {
    const alerts = this.#write(events);
    for (const { title, keys, rows } of this.#correlations.evictions(now_ms)) {
      const message = `${title}: ${keys} keys and ${rows} events of open windows had to go`;
      this.#parts.self.add("gap", message, (e) => {
        e["tapline.gap.reason"] = "evicted";
        e["rule.name"] = title;
        e["event.outcome"] = "failure";
      });
    }
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
    return { alerts, header };
  }

  #write(events: readonly Event[]): number {
    let alerts = 0;
    for (const e of events) {
      this.#parts.self.write(e);
      if (e["event.action"] !== "rule-alert") continue;
      alerts++;
      this.#parts.onAlert(noteOf(e));
    }
    return alerts;
  }
}
