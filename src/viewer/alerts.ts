// The queue of alerts: every alert with its present, which is made of what was said of it.
import { LIMITS } from "../core/limits.ts";
import { SAME, type SameField } from "../core/triage.ts";
import type { AlertList, AlertRow, AlertStatus, AlertStep, Level } from "./api.ts";
import { type Database, type View, mayHold } from "./database.ts";
import type { Question } from "./figures.ts";
import { RareRows, eventsAt } from "./find.ts";
import type { Incidents } from "./incidents.ts";
import { FIELDS_OF_ROW, type Row, textOf } from "./rows.ts";
import type { Place } from "./search.ts";
import { type Light, Presents, TRIAGE_FIELDS } from "./triage.ts";
import { Parameters, conditionOf, inSpan } from "./where.ts";

const LIGHT = [
  "event.sequence",
  "@timestamp",
  "event.id",
  "rule.id",
  "tapline.alert.level",
  "tapline.backfill",
  ...SAME,
] as const;
const ALERT = `"event.action" = 'rule-alert'`;
const SAID = `"event.action" = 'alert-triage' AND "tapline.vantage" = 'self'`;

export interface Chosen {
  readonly status?: AlertStatus | undefined;
  readonly level?: string | undefined;
  readonly limit: number;
  readonly after?: Place | undefined;
}

function lightOf(row: Row): Light {
  const same = Object.fromEntries(SAME.map((field) => [field, textOf(row[field])]));
  return {
    index: Number(row["event.sequence"]),
    ms: Number(row["@timestamp"]),
    id: textOf(row["event.id"]),
    rule: textOf(row["rule.id"]),
    level: textOf(row["tapline.alert.level"]),
    backfill: row["tapline.backfill"] === true,
    same: same as Record<SameField, string>,
  };
}

export class Alerts {
  readonly #database: Database;
  readonly #incidents: Incidents;
  readonly #lights: RareRows;
  readonly #said: RareRows;

  constructor(database: Database, incidents: Incidents) {
    this.#database = database;
    this.#incidents = incidents;
    this.#lights = new RareRows(database, LIGHT, ALERT, LIMITS.viewer_alerts + 1);
    this.#said = new RareRows(database, TRIAGE_FIELDS, SAID, LIMITS.viewer_triage);
  }

  async lights(view: View, signal: AbortSignal): Promise<Light[]> {
    return (await this.#lights.rows(view, signal)).slice(-LIMITS.viewer_alerts).map(lightOf);
  }

  async presents(view: View, signal: AbortSignal): Promise<Presents> {
    return new Presents(await this.#said.rows(view, signal));
  }

  /** Alerts that something was said of in entries from `from` on. */
  async saidSince(view: View, from: number, signal: AbortSignal): Promise<string[]> {
    const rows = (await this.#said.rows(view, signal)).filter((row) => Number(row["event.sequence"]) >= from);
    const ids = rows.flatMap((row) => (row["tapline.triage.alert_ids"] ?? []) as string[]);
    return [...new Set(ids)].slice(0, LIMITS.viewer_rows);
  }

  async list(question: Question, chosen: Chosen): Promise<AlertList> {
    const { view, span, terms, signal } = question;
    const among = terms.length === 0 ? undefined : await this.#indexesOf(question);
    const presents = await this.presents(view, signal);
    const counts: Record<AlertStatus, number> = { open: 0, acknowledged: 0, closed: 0, suppressed: 0 };
    const found: Light[] = [];
    const lights = await this.lights(view, signal);
    for (const light of lights) {
      if (light.ms < span.from || light.ms >= span.to || among?.has(light.index) === false) continue;
      if (chosen.level !== undefined && light.level !== chosen.level) continue;
      const { status } = presents.of(light);
      counts[status]++;
      if (chosen.status !== undefined && status !== chosen.status) continue;
      const { after } = chosen;
      if (after === undefined || light.ms < after.ms || (light.ms === after.ms && light.index < after.index))
        found.push(light);
    }
    found.sort((a, b) => b.ms - a.ms || b.index - a.index);
    const page = found.slice(0, chosen.limit);
    const last = page.at(-1);
    const next = found.length > page.length && last !== undefined ? `${last.ms}.${last.index}` : null;
    const alerts = await this.rows(view, page, presents, signal);
    const cut = lights.length === LIMITS.viewer_alerts && (await this.#anyBefore(question, lights[0]!.index));
    return { alerts, next, counts, of_newest: cut ? lights.length : null };
  }

  async rows(
    view: View,
    lights: readonly Light[],
    presents: Presents,
    signal: AbortSignal,
  ): Promise<AlertRow[]> {
    const indexes = lights.map(({ index }) => index);
    const events = await eventsAt(this.#database, view, indexes, signal, FIELDS_OF_ROW);
    const incidents = await this.#incidents.byAlert(view, signal);
    return lights.flatMap((light): AlertRow[] => {
      const event = events.get(light.index);
      if (event === undefined) return [];
      const { status, assignee, verdict, notes, changed } = presents.of(light);
      const rule = { id: light.rule, name: String(event.fields["rule.name"] ?? "") };
      const incident = incidents.get(light.id) ?? null;
      const { backfill } = light;
      const level = light.level as Level;
      return [{ event, rule, level, status, assignee, verdict, notes, changed, incident, backfill }];
    });
  }

  /** One alert by its event's id, with what was said of it. */
  async one(
    view: View,
    id: string,
    signal: AbortSignal,
  ): Promise<{ alert: AlertRow; history: readonly AlertStep[] } | undefined> {
    const light = (await this.lights(view, signal)).findLast((one) => one.id === id);
    if (light === undefined) return undefined;
    const presents = await this.presents(view, signal);
    const [alert] = await this.rows(view, [light], presents, signal);
    return alert === undefined ? undefined : { alert, history: presents.history(id) };
  }

  /** Whether alerts that are asked for are among entries before `index`, where the queue does not look. */
  async #anyBefore({ view, span, terms, signal }: Question, index: number): Promise<boolean> {
    for (const part of view.parts.filter((one) => one.first < index && mayHold(one, span))) {
      const p = new Parameters();
      const where = `${ALERT} AND "event.sequence" < ${index} AND ${inSpan(span, p)} AND ${conditionOf(terms, p)}`;
      const sql = `SELECT 1 AS one FROM ${part.from} WHERE ${where} LIMIT 1`;
      if ((await this.#database.run(sql, p.values, 1, signal)).length > 0) return true;
    }
    return false;
  }

  async #indexesOf({ view, span, terms, signal }: Question): Promise<Set<number>> {
    const found = new Set<number>();
    for (const part of view.parts.filter((one) => mayHold(one, span))) {
      const p = new Parameters();
      const sql = `SELECT "event.sequence" AS at FROM ${part.from} WHERE ${ALERT} AND ${conditionOf(terms, p)}`;
      const rows = await this.#database.run(sql, p.values, LIMITS.viewer_alerts, signal);
      for (const row of rows) found.add(Number(row["at"]));
    }
    return found;
  }
}
