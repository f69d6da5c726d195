// Agent sessions: the list of them, and the time line of one.
import { LIMITS } from "../core/limits.ts";
import { RISK } from "../detect/alert.ts";
import type { Key, Level, SessionList, SessionRow, TimelineLine, TimelineRow } from "./api.ts";
import type { Ask, Measure } from "./asks.ts";
import type { Context } from "./context.ts";
import { mayHold } from "./database.ts";
import type { Question } from "./figures.ts";
import { mayHoldTerms } from "./narrow.ts";
import type { Term } from "./query.ts";
import { FIELDS_OF_ROW, columnsOf, rowOf, textOf } from "./rows.ts";
import type { Place } from "./search.ts";
import { type Partial, Sums } from "./sums.ts";
import { ALWAYS, isoOf } from "./times.ts";
import { Parameters } from "./where.ts";

const ID = "gen_ai.conversation.id";
const one = (field: string, text: string): Term => ({
  kind: "is",
  not: false,
  field,
  values: [{ text, prefix: false }],
});
const CALL = [one("event.action", "tool-call"), one("tapline.primary", "true")];
const DENIED = [one("event.action", "tool-call-decision"), one("tapline.decision.verdict", "deny")];
const ALERT = [one("event.action", "rule-alert")];
/** That Tapline found a session's stream is no part of the session: it may be months later. */
const HAPPENED = [{ ...one("event.action", "stream-found"), not: true }];
const MEASURES: readonly Measure[] = [
  { op: "values", field: "service.name" },
  { op: "values", field: "user.name" },
  { op: "values", field: "host.name" },
  { op: "min", field: "@timestamp", where: HAPPENED },
  { op: "max", field: "@timestamp", where: HAPPENED },
  { op: "count" },
  { op: "count", where: CALL },
  { op: "count", where: DENIED },
  { op: "count", where: ALERT },
  { op: "max", field: "event.severity", where: ALERT },
  // Of a stream that was found and holds nothing.
  { op: "max", field: "@timestamp" },
];
const lastOf = (values: readonly (number | null)[]): number => values[4] ?? values[10] ?? 0;
export const SESSIONS: Ask = { where: [], by: [{ kind: "value", field: ID }], measures: MEASURES };

function levelOf(severity: number | null): Level | null {
  const found = Object.entries(RISK).find(([, risk]) => risk === severity);
  return found === undefined ? null : (found[0] as Level);
}

function added(partials: readonly Partial[], only?: string): Sums {
  const sums = new Sums(SESSIONS);
  for (const { groups } of partials)
    for (const group of groups) if (only === undefined || group.keys[0] === only) sums.add(group);
  return sums;
}

function sessionOf(sums: Sums, keys: readonly Key[], values: readonly (number | null)[]): SessionRow {
  return {
    id: String(keys[0]),
    agents: sums.texts(keys, 0),
    users: sums.texts(keys, 1),
    hosts: sums.texts(keys, 2),
    first: isoOf(values[3] ?? lastOf(values)),
    last: isoOf(lastOf(values)),
    events: values[5] ?? 0,
    calls: values[6] ?? 0,
    denied: values[7] ?? 0,
    alerts: values[8] ?? 0,
    level: levelOf(values[9] ?? null),
  };
}

/** The sessions whose last event is newest. */
export async function listSessions(
  context: Context,
  question: Question,
  limit: number,
): Promise<SessionList> {
  const [partials] = await context.figures.ask(question, [SESSIONS]);
  const sums = added(partials!);
  const all = sums.figures().toSorted((a, b) => lastOf(b.values) - lastOf(a.values));
  const shown = all.slice(0, limit);
  return {
    sessions: shown.map(({ keys, values }) => sessionOf(sums, keys, values)),
    more: all.length > shown.length,
    cut: partials!.some(({ cut }) => cut),
  };
}

const SAID = [
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "error.message",
  "event.reason",
];

/** The events of one session, oldest first. False when there is none. */
export async function tellSession(
  context: Context,
  question: Question,
  id: string,
  page: { readonly limit: number; readonly after?: Place | undefined },
  emit: (line: TimelineLine) => void,
): Promise<boolean> {
  const terms = [one(ID, id)];
  const [partials] = await context.figures.ask({ ...question, terms }, [SESSIONS]);
  const sums = added(partials!, id);
  const [session] = sums.figures();
  if (session === undefined) return false;
  emit({ type: "session", session: sessionOf(sums, session.keys, session.values) });
  const found: { ms: number; row: TimelineRow }[] = [];
  const from = session.values[3] ?? lastOf(session.values);
  for (const part of question.view.parts) {
    if (!mayHold(part, { from, to: ALWAYS.to }) || !mayHoldTerms(part, terms)) continue;
    const p = new Parameters();
    const conditions = [`"${ID}" = ${p.add(id)}`];
    if (page.after !== undefined) {
      const ms = `epoch_ms(${p.add(page.after.ms)}::BIGINT)`;
      conditions.push(
        `("@timestamp" > ${ms} OR ("@timestamp" = ${ms} AND "event.sequence" > ${p.add(page.after.index)}))`,
      );
    }
    const said = `left(coalesce(${SAID.map((field) => `"${field}"`).join(", ")}), ${LIMITS.viewer_content_chars}) AS said`;
    const sql = `SELECT ${columnsOf(FIELDS_OF_ROW)}, ${said} FROM ${part.from} WHERE ${conditions.join(" AND ")} ORDER BY "@timestamp", "event.sequence" LIMIT ${page.limit + 1}`;
    for (const row of await context.database.run(sql, p.values, page.limit + 1, question.signal)) {
      const event = rowOf(row, FIELDS_OF_ROW);
      const call_key = textOf(row["tapline.call_key"]) || null;
      const primary = row["tapline.primary"] === true;
      const content = textOf(row["said"]) || null;
      found.push({
        ms: Number(row["@timestamp"]),
        row: { ...event, content, call: null, call_key, primary },
      });
    }
  }
  found.sort((a, b) => a.ms - b.ms || a.row.index - b.row.index);
  const shown = found.slice(0, page.limit);
  emit({ type: "events", events: withCalls(shown.map(({ row }) => row)) });
  const last = shown.at(-1);
  const next = found.length > shown.length && last !== undefined ? `${last.ms}.${last.row.index}` : null;
  emit({ type: "end", next });
  return true;
}

/** Results, decisions and other observations with the index of their call, where it is on the page. */
function withCalls(rows: readonly TimelineRow[]): TimelineRow[] {
  const calls = new Map<string, number>();
  for (const { call_key, action, primary, index } of rows) {
    if (call_key !== null && action === "tool-call" && (primary || !calls.has(call_key)))
      calls.set(call_key, index);
  }
  return rows.map((row) => {
    const call = row.call_key === null ? undefined : calls.get(row.call_key);
    return call === undefined || call === row.index ? row : { ...row, call };
  });
}
