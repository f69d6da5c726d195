// Alerts to incidents, as the ordering thread has them: opened by the first alert of a rule, group and window, joined or
// escalated by more, reopened when they come after the end; and overdue when a deadline passed. Frames keep what
// changed, so that a restart neither doubles nor loses. Bounded; says when the bound bites.
import { createDigest } from "../core/digest.ts";
import type { Origin } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import { type Transition, rankOf } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import { type AlertBatch, batchesOf, keyOf, transitionOf } from "./batches.ts";
import type { IncidentNews } from "./candidates.ts";
import type { DeadlineRule, IncidentRule } from "./config.ts";
import { dueDates, isOpen } from "./deadlines.ts";
import { type Joined, incidentEvent, overdueEvent } from "./events.ts";
import { type Incident, applyStep } from "./present.ts";

const digest = createDigest("tapline incident");

/** An incident that more may happen to. Plain data: part of frames and snapshots. */
export interface HeldIncident {
  readonly incident: Incident;
  readonly key: string;
  readonly first_ms: number;
  readonly end_ms: number;
  /** Of its alerts, how many some event names. */
  readonly named: number;
}
export type IncidentsState = readonly HeldIncident[];

export interface Grouped {
  readonly events: readonly Event[];
  /** What a frame has to keep. */
  readonly changes: IncidentsState;
}

export interface IncidentFigures {
  /** Held, those of them that are not closed, and those that had to go since the start. */
  readonly incidents: number;
  readonly incidents_open: number;
  readonly incidents_evicted: number;
}

const NOTHING: Grouped = { events: [], changes: [] };

export class Incidents {
  readonly #origin: Origin;
  readonly #rules: ReadonlyMap<string, IncidentRule>;
  readonly #deadlines: readonly DeadlineRule[];
  /** By id of the incident, the oldest first; and the ids of a rule and group. */
  readonly #held = new Map<string, HeldIncident>();
  readonly #by_key = new Map<string, Set<string>>();
  #due_ms = Number.NEGATIVE_INFINITY;
  #evicted = 0;
  #evicted_told = 0;

  constructor(origin: Origin, rules: readonly IncidentRule[], deadlines: readonly DeadlineRule[]) {
    this.#origin = origin;
    this.#rules = new Map(rules.map((rule) => [rule.name, rule]));
    this.#deadlines = deadlines;
  }

  /** Takes in what a batch told: first what was said, which stands before what comes of its alerts. */
  offer({ steps, candidates }: IncidentNews, now_ms: number): Grouped {
    if (steps.length === 0 && candidates.length === 0) return NOTHING;
    const changed = new Map<string, HeldIncident>();
    for (const step of steps) {
      const held = this.#held.get(step["tapline.incident.id"] ?? "");
      if (held !== undefined) this.#put(this.#after(held, step), changed);
    }
    const events: Event[] = [];
    const find = this.#find.bind(this);
    for (const batch of batchesOf(candidates, this.#rules, find)) this.#take(batch, now_ms, events, changed);
    return { events, changes: [...changed.values()] };
  }

  /** Whether a call of `due` would say something. */
  isDue(now_ms: number): boolean {
    return now_ms >= this.#dueMs();
  }

  /** What has passed by now. */
  due(now_ms: number): Grouped {
    if (!this.isDue(now_ms)) return NOTHING;
    const events: Event[] = [];
    const changed = new Map<string, HeldIncident>();
    for (const held of this.#held.values()) {
      for (const deadline of held.incident.deadlines) {
        if (!isOpen(deadline) || toMs(deadline.due) > now_ms) continue;
        const now = changed.get(held.incident.id) ?? held;
        const e = overdueEvent(this.#origin, now.incident, deadline, now_ms);
        events.push(e);
        this.#put(this.#after(now, e), changed);
      }
    }
    this.#forget(now_ms);
    return { events, changes: [...changed.values()] };
  }

  /** Takes in what a frame or a snapshot kept. */
  apply(changes: IncidentsState): void {
    for (const held of changes) this.#put(held);
    this.#evicted_told = this.#evicted; // by the run that wrote it
  }

  state(): IncidentsState {
    return [...this.#held.values()];
  }

  /** How many had to go since the last call, before their time. */
  takeEvicted(): number {
    const more = this.#evicted - this.#evicted_told;
    this.#evicted_told = this.#evicted;
    return more;
  }

  figures(): IncidentFigures {
    let open = 0;
    for (const { incident } of this.#held.values()) if (incident.status !== "closed") open++;
    return { incidents: this.#held.size, incidents_open: open, incidents_evicted: this.#evicted };
  }

  #find(key: string, time_ms: number, window_ms: number): HeldIncident | undefined {
    for (const id of this.#by_key.get(key) ?? []) {
      const held = this.#held.get(id)!;
      if (Math.abs(time_ms - held.first_ms) < window_ms) return held;
    }
    return undefined;
  }

  #take(batch: AlertBatch, now_ms: number, events: Event[], changed: Map<string, HeldIncident>): void {
    const { held } = batch;
    if (held === undefined) return this.#open(batch, now_ms, events, changed);
    const incident = this.#held.get(held.incident.id)?.incident ?? held.incident;
    const alerts = incident.alerts + batch.ids.length;
    const transition = transitionOf(incident, batch);
    // Of a flood not every alert is named: then doublings are told.
    const full = transition === "joined" && held.named >= LIMITS.incident_named;
    if (full && Math.floor(Math.log2(alerts)) === Math.floor(Math.log2(incident.alerts))) {
      const counted = { ...incident, alerts, last_index: incident.last_index + 1 };
      this.#put({ ...held, incident: counted }, changed);
      return;
    }
    const e = incidentEvent(this.#origin, this.#joined(incident, batch, transition, alerts), now_ms);
    events.push(e);
    const after = this.#after({ ...held, incident }, e);
    this.#put({ ...after, named: held.named + batch.ids.length }, changed);
  }

  #open(batch: AlertBatch, now_ms: number, events: Event[], changed: Map<string, HeldIncident>): void {
    const { rule, first } = batch;
    const start = Math.floor(batch.first_ms / rule.window_ms);
    // Of the host too: collectors that group by the same user are not to share an incident in one index.
    const { host } = this.#origin;
    const id = digest([host, rule.name, first.field, first.group, start, rule.window_ms].join("\u0000"));
    const blank = { id, rule: rule.name, by: first.field, group: first.group, backfill: first.backfill };
    const window = { from_ms: batch.first_ms, to_ms: batch.first_ms + rule.window_ms };
    const joined = {
      ...blank,
      ...window,
      transition: "opened" as const,
      status: "open" as const,
      level: batch.level,
      ids: batch.ids,
      titles: [...batch.titles],
      alerts: batch.ids.length,
      deadlines: dueDates(this.#deadlines, batch.level, [], now_ms),
    };
    const e = incidentEvent(this.#origin, joined, now_ms);
    events.push(e);
    const { incident } = applyStep(undefined, e, 0)!;
    const held = { first_ms: window.from_ms, end_ms: Math.max(window.to_ms, now_ms + rule.window_ms) };
    this.#put({ ...held, incident, key: keyOf(first), named: batch.ids.length }, changed);
  }

  #joined(incident: Incident, batch: AlertBatch, transition: Transition, alerts: number): Joined {
    const higher = rankOf(batch.level) > rankOf(incident.level);
    const opened_ms = toMs(incident.opened_at ?? "");
    return {
      id: incident.id,
      rule: incident.rule,
      by: incident.by,
      group: incident.group,
      backfill: incident.backfill,
      transition,
      status: transition === "reopened" ? "open" : incident.status,
      level: higher ? batch.level : incident.level,
      ids: batch.ids,
      titles: [...batch.titles],
      alerts,
      deadlines: higher ? dueDates(this.#deadlines, batch.level, incident.deadlines, opened_ms) : {},
    };
  }

  #after(held: HeldIncident, step: Readonly<Partial<Event>>): HeldIncident {
    const { incident } = applyStep(held.incident, step, held.incident.last_index + 1)!;
    return { ...held, incident };
  }

  #put(held: HeldIncident, changed?: Map<string, HeldIncident>): void {
    const { id } = held.incident;
    if (!this.#held.has(id)) {
      const ids = this.#by_key.get(held.key);
      if (ids === undefined) this.#by_key.set(held.key, new Set([id]));
      else ids.add(id);
    }
    this.#held.set(id, held);
    changed?.set(id, held);
    this.#due_ms = Number.NEGATIVE_INFINITY;
    if (this.#held.size <= LIMITS.incidents) return;
    this.#drop(this.#worst());
    this.#evicted++;
  }

  /** Which has to go: a closed one, else the oldest. */
  #worst(): HeldIncident {
    for (const held of this.#held.values()) if (held.incident.status === "closed") return held;
    return this.#held.values().next().value!;
  }

  #drop({ incident: { id }, key }: HeldIncident): void {
    this.#held.delete(id);
    const ids = this.#by_key.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#by_key.delete(key);
  }

  /** Drops what no alert joins any more and of which nothing will be said. */
  #forget(now_ms: number): void {
    for (const held of this.#held.values()) {
      const { status, deadlines } = held.incident;
      if (held.end_ms <= now_ms && (status === "closed" || !deadlines.some(isOpen))) this.#drop(held);
    }
    this.#due_ms = Number.NEGATIVE_INFINITY;
  }

  /** When something is next to be done. */
  #dueMs(): number {
    if (this.#due_ms !== Number.NEGATIVE_INFINITY) return this.#due_ms;
    this.#due_ms = Number.POSITIVE_INFINITY;
    for (const { incident, end_ms } of this.#held.values()) {
      const open = incident.deadlines.filter(isOpen);
      const rests = incident.status === "closed" || open.length === 0;
      const at_ms = rests ? [end_ms] : [];
      for (const { due } of open) at_ms.push(toMs(due));
      this.#due_ms = Math.min(this.#due_ms, ...at_ms);
    }
    return this.#due_ms;
  }
}
