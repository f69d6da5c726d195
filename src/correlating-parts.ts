// What the ordering thread's additions are put together from, and what they tell. Types only.
import type { CorrelationFigures } from "./detect/correlate-figures.ts";
import type { Event } from "./core/generated/event.ts";
import type { CorrelationHeader, Correlations } from "./detect/correlate-thread.ts";
import type { FirstSeen, SeenState } from "./detect/first-seen.ts";
import type { AlertNote, Judge } from "./detect/judge.ts";
import type { Oversight, OversightHeader } from "./detect/oversight.ts";
import type { Exchange, ExchangeFigures, ExchangeHeader } from "./exchange.ts";
import type { Candidates } from "./incident/candidates.ts";
import type { IncidentFigures, Incidents, IncidentsState } from "./incident/grouping.ts";
import type { SelfRecorder } from "./self.ts";

/** What a frame has to keep, and how many alerts went into it. */
export interface Told {
  readonly alerts: number;
  readonly header: CorrelationHeader | undefined;
  readonly seen?: SeenState | undefined;
  readonly oversight?: OversightHeader | undefined;
  readonly incidents?: IncidentsState | undefined;
  readonly exchange?: ExchangeHeader | undefined;
}

export interface DetectionFigures extends CorrelationFigures, IncidentFigures, Partial<ExchangeFigures> {
  /** Keys known as seen, and those that had to go since the start. */
  readonly seen: number;
  readonly seen_evicted: number;
  /** Calls that are held against decisions, and those of which nothing can be said since a bound bit. */
  readonly overseen: number;
  readonly overseen_evicted: number;
}

export interface CorrelatingParts {
  readonly correlations: Correlations;
  readonly first_seen: FirstSeen;
  readonly oversight: Oversight;
  readonly incidents: Incidents;
  /** Of the alerts that this thread makes. */
  readonly candidates: Candidates;
  /** Where correlations count across the collectors of a group; those of `correlations` are none then. */
  readonly exchange?: Exchange | undefined;
  /** Of the events that this thread makes. */
  readonly judge: Judge;
  readonly self: SelfRecorder;
  onAlert(alert: AlertNote): void;
  /** Told what happened to an incident, of the collector's own doing. */
  readonly onIncident?: ((incident: Event) => void) | undefined;
}
