// Alerts and incidents of a report's period and what became of them, as it stands when the report is made. Alerts are gone
// through page by page: what is kept of them are counts and the few that are listed.
import { LEVELS, rankOf } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { SAME, type SameField } from "../core/triage.ts";
import { isLate } from "../incident/present.ts";
import type { Replayed } from "../incident/replay.ts";
import type { AlertStatus } from "../viewer/api.ts";
import { isoOf } from "../viewer/times.ts";
import { type Light, Presents, TRIAGE_FIELDS } from "../viewer/triage.ts";
import { typeOf } from "../viewer/where.ts";
import { type Asked, textAt, textColumn, timeColumn } from "./asked.ts";
import type { Count, ExceptionRow, Exceptions } from "./model.ts";

const SAID = `"event.action" = 'alert-triage' AND "tapline.vantage" = 'self'`;
const LIGHT = ["event.id", "rule.id", "rule.name", "tapline.alert.level", ...SAME] as const;

/** What was said of alerts, whenever it was said: the newest, and how much before that was not read. */
async function presentsOf(asked: Asked): Promise<{ presents: Presents; unread: number }> {
  const columns = TRIAGE_FIELDS.map((field) => (typeOf(field) === "date" ? timeColumn(field) : `"${field}"`));
  const pages: Readonly<Record<string, unknown>>[][] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (let left: number = LIMITS.report_triage; left > 0;) {
    const most = Math.min(left, LIMITS.report_rows);
    const rows = await asked.rows(
      columns.join(", "),
      `${SAID} AND "event.sequence" < ${before}`,
      `ORDER BY "event.sequence" DESC LIMIT ${most}`,
      { always: true },
    );
    pages.unshift(rows.toReversed());
    if (rows.length < most) return { presents: new Presents(pages.flat()), unread: 0 };
    before = Number(rows.at(-1)!["event.sequence"]);
    left -= rows.length;
  }
  const unread = await asked.number("count(*)", `${SAID} AND "event.sequence" < ${before}`, true);
  return { presents: new Presents(pages.flat()), unread };
}

interface Seen {
  readonly light: Light;
  readonly name: string;
  readonly status: AlertStatus;
}

/** Every alert of the period with its present, in the order of the ledger. */
export async function* alertsOf(asked: Asked, presents: Presents): AsyncGenerator<Seen> {
  const columns = [
    timeColumn("@timestamp"),
    `"event.sequence"`,
    `"tapline.backfill"`,
    ...LIGHT.map(textColumn),
  ];
  for (let after = -1; ;) {
    const rows = await asked.rows(
      columns.join(", "),
      `"event.action" = 'rule-alert' AND "event.sequence" > ${after}`,
      `ORDER BY "event.sequence" LIMIT ${LIMITS.report_rows}`,
    );
    for (const row of rows) {
      const light: Light = {
        index: Number(row["event.sequence"]),
        ms: Number(row["@timestamp"]),
        id: textAt(row, "event.id"),
        rule: textAt(row, "rule.id"),
        level: textAt(row, "tapline.alert.level"),
        backfill: row["tapline.backfill"] === true,
        same: Object.fromEntries(SAME.map((field) => [field, textAt(row, field)])) as Record<
          SameField,
          string
        >,
      };
      yield { light, name: textAt(row, "rule.name"), status: presents.of(light).status };
    }
    if (rows.length < LIMITS.report_rows) return;
    after = Number(rows.at(-1)!["event.sequence"]);
  }
}

/** Alerts by rule: all of them, and those that are closed. */
export type RuleAlerts = ReadonlyMap<string, { readonly alerts: number; readonly closed: number }>;

/** The largest first; beyond `most`, one row of all the others. */
function counted(counts: ReadonlyMap<string, number>, most = Infinity): Count[] {
  const all = [...counts]
    .map(([name, events]) => ({ name, events }))
    .toSorted((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1));
  const others = all.slice(most);
  if (others.length === 0) return all;
  const events = others.reduce((sum, one) => sum + one.events, 0);
  return [...all.slice(0, most), { name: "", events, more: others.length }];
}

const isDone = (status: string): boolean => status === "closed" || status === "suppressed";
/** Open ones first, by level, the newest first. */
const byPress = (a: ExceptionRow, b: ExceptionRow): number =>
  Number(isDone(a.status)) - Number(isDone(b.status)) ||
  rankOf(b.level) - rankOf(a.level) ||
  (a.at < b.at ? 1 : a.at > b.at ? -1 : 0);

const more = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

export async function exceptionsOf(
  asked: Asked,
  incidents: Iterable<Replayed>,
  now_ms: number,
): Promise<{ exceptions: Exceptions; rules: RuleAlerts }> {
  const { presents, unread } = await presentsOf(asked);
  const [levels, statuses, names] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  const rules = new Map<string, { alerts: number; closed: number }>();
  let alerts = 0;
  let rows: ExceptionRow[] = [];
  for await (const { light, name, status } of alertsOf(asked, presents)) {
    alerts++;
    more(levels, light.level);
    more(statuses, status);
    more(names, name || light.rule);
    const rule = rules.get(light.rule) ?? { alerts: 0, closed: 0 };
    rules.set(light.rule, { alerts: rule.alerts + 1, closed: rule.closed + Number(isDone(status)) });
    rows.push(alertRow(light, name, presents));
    if (rows.length > 4 * LIMITS.report_exceptions)
      rows = rows.toSorted(byPress).slice(0, LIMITS.report_exceptions);
  }
  const listed = rows.toSorted(byPress).slice(0, LIMITS.report_exceptions);
  const told = incidentRows(asked, incidents, now_ms);
  const exceptions: Exceptions = {
    alerts: {
      all: alerts,
      by_level: counted(levels).toSorted((a, b) => rankOf(b.name) - rankOf(a.name)),
      by_status: counted(statuses),
      by_rule: counted(names, LIMITS.report_listed),
    },
    incidents: {
      all: told.length,
      open: told.filter(({ status }) => status !== "closed").length,
      closed: told.filter(({ status }) => status === "closed").length,
      late: told.filter(({ late }) => late.length > 0).length,
    },
    rows: [...told.slice(0, LIMITS.report_exceptions), ...listed],
    unlisted: Math.max(0, told.length - LIMITS.report_exceptions) + alerts - listed.length,
    unread,
  };
  return { exceptions, rules };
}

function alertRow(light: Light, about: string, presents: Presents): ExceptionRow {
  const { status, verdict, changed } = presents.of(light);
  const closed = status === "closed" ? changed : null;
  return {
    kind: "alert",
    id: light.id,
    at: isoOf(light.ms),
    level: light.level,
    about,
    status,
    verdict: verdict ?? "",
    closed_at: closed?.at ?? "",
    closed_by: closed?.by ?? "",
    late: [],
  };
}

/** Those that were open at some time of the period. */
function incidentRows({ span }: Asked, incidents: Iterable<Replayed>, now_ms: number): ExceptionRow[] {
  const rows: ExceptionRow[] = [];
  const [from, to, now] = [isoOf(span.from), isoOf(span.to), isoOf(now_ms)];
  for (const { incident } of incidents) {
    const at = incident.opened_at ?? incident.changed_at;
    if (at >= to || (incident.closed_at !== undefined && incident.closed_at < from)) continue;
    rows.push({
      kind: "incident",
      id: incident.id,
      at,
      level: LEVELS.find((level) => level === incident.level) ?? "",
      about: `${incident.alerts} alerts: ${incident.rules.join(", ")}; ${incident.by} ${incident.group}`,
      status: incident.status,
      verdict: incident.verdict ?? "",
      closed_at: incident.closed_at ?? "",
      closed_by: incident.closed_by ?? "",
      late: incident.deadlines.filter((one) => isLate(one, now)).map(({ name }) => name),
    });
  }
  return rows.toSorted(byPress);
}
