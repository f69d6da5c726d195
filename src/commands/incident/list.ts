// `tapline incident list`: the incidents that are open or have a deadline that is, the most pressing first.
import { rankOf } from "../../core/incident.ts";
import { plain } from "../../core/said.ts";
import { n } from "../../core/words.ts";
import { type Incident, nextDeadline } from "../../incident/present.ts";
import { alertsOfThePast } from "../../incident/read.ts";
import { readArgs, readConfig } from "../usage.ts";
import { about, incidentsOf, isOverdue, shortId, spanOf } from "./shared.ts";

const isPending = (one: Incident): boolean => one.status !== "closed" || nextDeadline(one) !== undefined;

/** Overdue ones first, then by level, then the newest. */
function byUrgency(now: string): (a: Incident, b: Incident) => number {
  return (a, b) =>
    Number(isOverdue(b, now)) - Number(isOverdue(a, now)) ||
    rankOf(b.level) - rankOf(a.level) ||
    ((a.opened_at ?? "") < (b.opened_at ?? "") ? 1 : -1);
}

function line(one: Incident, now: string): string {
  const next = nextDeadline(one);
  const due =
    next === undefined
      ? ""
      : next.due < now
        ? `  ! ${next.name} passed ${spanOf(next.due, now)} ago`
        : `  ${next.name} in ${spanOf(now, next.due)}`;
  const status = one.status === "closed" ? `closed (${one.verdict ?? "no verdict"})` : one.status;
  const what = `${one.alerts} ${one.alerts === 1 ? "alert" : "alerts"}: ${plain(one.rules.slice(0, 2).join(", "))}`;
  const past = one.backfill ? "  (of the past)" : "";
  return `${shortId(one)}  ${status.padEnd(12)}  ${one.level.padEnd(8)}  ${one.opened_at ?? "never opened"}  ${about(one)}  ${what}${due}${past}`;
}

/** That there are none, and why where alerts are that open none. */
function noneFor(past: number): string {
  if (past === 0) return "no incidents";
  return (
    `no incidents: ${n(past)} ${past === 1 ? "alert is" : "alerts are"} on records from before the collector started, ` +
    "which open none unless a rule under incidents: says backfill: true"
  );
}

export async function list(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    all: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const { values } = readArgs(argv, { options });
  const config = await readConfig(values.config);
  const found = await incidentsOf(config);
  const now = new Date().toISOString();
  const all = [...found.values()].map(({ incident }) => incident);
  const shown = values.all === true ? all : all.filter(isPending);
  shown.sort(byUrgency(now));
  if (values.json === true) console.log(JSON.stringify(shown));
  else {
    for (const one of shown) console.log(line(one, now));
    if (all.length === 0) console.log(noneFor(await alertsOfThePast(config)));
    else if (shown.length === 0) console.log("no open incidents: see --all");
  }
  return shown.some((one) => isOverdue(one, now)) ? 1 : 0;
}
