// `tapline incident show`: one incident, its deadlines, and everything that happened to it, in order.
import { LIMITS } from "../../core/limits.ts";
import { plain, said } from "../../core/said.ts";
import { type Deadline, type Incident, isLate } from "../../incident/present.ts";
import type { Told } from "../../incident/replay.ts";
import { readArgs, readConfig } from "../usage.ts";
import { about, incidentNamed, isOverdue, spanOf } from "./shared.ts";

function deadlineLine(one: Deadline, now: string, source: string | undefined): string {
  const late = isLate(one, now);
  const met =
    one.met_at === undefined
      ? late
        ? `PASSED ${spanOf(one.due, now)} ago`
        : `in ${spanOf(now, one.due)}`
      : `met ${one.met_at}${late ? `, ${spanOf(one.due, one.met_at)} LATE` : ""}`;
  const from = source === undefined ? "" : `  [${source}]`;
  return `deadline    ${one.name}: ${one.until} by ${one.due}, ${met}${from}`;
}

/** What a transition says beyond its name. */
function detail({ step }: Told): string {
  const parts: string[] = [];
  const ids = step["tapline.incident.alert_ids"] ?? [];
  if (ids.length > 0) parts.push(`alerts ${ids.join(" ")}`);
  const name = step["tapline.incident.deadline.name"];
  if (name !== undefined) parts.push(`deadline ${name}`);
  const set = Object.keys((step["tapline.incident.deadlines"] ?? {}) as object);
  if (set.length > 0) parts.push(`deadlines ${set.join(" ")}`);
  const verdict = step["tapline.incident.verdict"];
  if (verdict !== undefined) parts.push(verdict);
  const told = step["tapline.incident.notice.recipients"] ?? [];
  const channel = step["tapline.incident.notice.channel"];
  if (channel !== undefined) parts.push(`${plain(channel)} ${told.map((one) => said(one, 0)).join(" ")}`);
  if (step["event.outcome"] === "failure" && channel !== undefined) parts.push("FAILED");
  const attempts = step["tapline.incident.notice.attempts"] ?? 1;
  if (attempts > 1) parts.push(`attempt ${attempts}`);
  if (step["tapline.incident.notice.repeat"] === true) parts.push("may have arrived before");
  const answer = step["tapline.incident.notice.answer"];
  if (answer !== undefined) parts.push(`answer ${said(answer, 0)}`);
  const note = step["tapline.incident.note"];
  if (note !== undefined) parts.push(said(note, 0));
  return parts.join("; ");
}

function print(incident: Incident, told: readonly Told[], sources: ReadonlyMap<string, string>): void {
  const now = new Date().toISOString();
  console.log(`incident    ${incident.id}`);
  const verdict = incident.verdict === undefined ? "" : ` (${incident.verdict})`;
  console.log(`status      ${incident.status}${verdict}, ${incident.level}`);
  console.log(`about       ${about(incident)}, by the rule ${incident.rule}`);
  console.log(`alerts      ${incident.alerts}: ${plain(incident.rules.join(", "))}`);
  if (incident.from !== undefined) console.log(`first       ${incident.from}, window to ${incident.to}`);
  for (const one of incident.deadlines) console.log(deadlineLine(one, now, sources.get(one.name)));
  console.log("");
  for (const one of told) {
    const { step, odd, index } = one;
    const who = plain(step["user.name"] ?? "the collector");
    const flag = odd === undefined ? "" : `  ! ${odd}`;
    const more = detail(one);
    const head = `${step["@timestamp"]}  ${(step["tapline.incident.transition"] ?? "").padEnd(12)}  ${who}`;
    console.log(`${head}  [entry ${index}]${more === "" ? "" : `  ${more}`}${flag}`);
  }
}

export async function show(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const config = await readConfig(values.config);
  const { incident, told } = await incidentNamed(config, positionals[0]);
  const sources = new Map(config.deadlines.flatMap((one) => (one.source ? [[one.name, one.source]] : [])));
  if (values.json === true) {
    const history = told.map(({ index, step, odd }) => ({ index, odd, ...step }));
    console.log(JSON.stringify({ incident, history }));
  } else print(incident, told.slice(-LIMITS.incident_named), sources);
  return isOverdue(incident, new Date().toISOString()) ? 1 : 0;
}
