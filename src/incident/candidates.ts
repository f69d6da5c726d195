// What the ordering thread needs to know of a batch to group its alerts into incidents: which alerts may open or join
// one, by which rule and in which group, and what people said of incidents. A worker has one, and so has the ordering
// thread for the alerts that it makes itself. Keeps nothing from batch to batch.
import { hash } from "node:crypto";
import type { Event } from "../core/generated/event.ts";
import { rankOf } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import type { IncidentRule } from "./config.ts";
import type { Step } from "./present.ts";

/** An alert that a rule takes. Plain data: it travels to the ordering thread. */
export interface Candidate {
  /** Name of the incident rule. */
  readonly by: string;
  /** Field and value that it has in common with others. */
  readonly field: string;
  readonly group: string;
  readonly alert: string;
  readonly level: string;
  /** Title of the detection rule. */
  readonly title: string;
  readonly time_ms: number;
  readonly backfill: boolean;
}

/** What one batch told. */
export interface IncidentNews {
  readonly candidates: readonly Candidate[];
  /** Transitions that came through the spool, in order. */
  readonly steps: readonly Step[];
}

export const NO_NEWS: IncidentNews = { candidates: [], steps: [] };

const STEP = [
  "@timestamp",
  "user.id",
  "user.name",
  "event.id",
  "event.outcome",
  "tapline.incident.id",
  "tapline.incident.transition",
  "tapline.incident.verdict",
  "tapline.incident.deadlines",
  "tapline.incident.deadline.name",
  "tapline.incident.notice.id",
  "tapline.incident.notice.recipients",
  "tapline.incident.notice.attempts",
] as const satisfies readonly (keyof Event)[];

function stepOf(e: Event): Step {
  const some: Record<string, unknown> = {};
  for (const field of STEP) if (e[field] !== undefined) some[field] = e[field];
  return some;
}

/** Longer values end in a digest, so that groups stay apart. */
const cut = (value: string): string =>
  value.length <= LIMITS.state_key_chars
    ? value
    : `${value.slice(0, LIMITS.state_key_chars - 33).toWellFormed()}#${hash("sha256", value, "hex").slice(0, 32)}`;

export class Candidates {
  readonly #rules: readonly IncidentRule[];
  #candidates: Candidate[] = [];
  #steps: Step[] = [];

  constructor(rules: readonly IncidentRule[]) {
    this.#rules = rules;
  }

  /** To be called with every alert, finished. */
  alert(e: Event): void {
    const rank = rankOf(e["tapline.alert.level"]);
    const backfill = e["tapline.backfill"] === true;
    for (const rule of this.#rules) {
      if (rank < rankOf(rule.level) || (backfill && !rule.backfill)) continue;
      const value = (e as unknown as Record<string, unknown>)[rule.field];
      // What lacks the field, such as an alert over many sessions, is grouped by its own rule.
      const known = typeof value === "string" && value !== "";
      this.#candidates.push({
        by: rule.name,
        field: known ? rule.field : "rule.id",
        group: cut(known ? value : (e["rule.id"] ?? "")),
        alert: e["event.id"] ?? "",
        level: e["tapline.alert.level"] ?? "",
        title: (e["rule.name"] ?? "").slice(0, LIMITS.state_key_chars).toWellFormed(),
        time_ms: toMs(e["@timestamp"] ?? ""),
        backfill,
      });
    }
  }

  /** To be called with every event of a record: those of incidents were submitted. What a mapping of the configuration
   * makes of somebody's records is no word of ours. */
  see(e: Event): void {
    if (e["event.action"] === "incident" && e["tapline.vantage"] === "self") this.#steps.push(stepOf(e));
  }

  take(): IncidentNews {
    if (this.#candidates.length === 0 && this.#steps.length === 0) return NO_NEWS;
    const news = { candidates: this.#candidates, steps: this.#steps };
    this.#candidates = [];
    this.#steps = [];
    return news;
  }
}
