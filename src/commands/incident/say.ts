// `tapline incident ack|note|close|reopen`: what a person says of an incident. The collector records it with who and when.
import type { Config } from "../../config.ts";
import type { DueDates, Verdict } from "../../core/incident.ts";
import { plain } from "../../core/said.ts";
import { fromMs } from "../../core/time.ts";
import { deadlinesOf } from "../../incident/config.ts";
import type { Incident } from "../../incident/present.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";
import { incidentNamed, say } from "./shared.ts";

const COMMON = {
  config: { type: "string", short: "c" },
  note: { type: "string" },
  json: { type: "boolean" },
} as const;

/** The deadline of the configuration, from when the incident was opened. */
export function dueOf(config: Config, { opened_at }: Incident, name: string): DueDates {
  const all = deadlinesOf(config.deadlines);
  const found = all.find((one) => one.name === name);
  if (found === undefined) {
    const names = all.map((one) => one.name).join(", ") || "none";
    throw new UsageError(`no deadline "${name}" in the configuration, which has: ${names}`);
  }
  const from_ms = Date.parse(opened_at ?? "");
  const due = fromMs((Number.isNaN(from_ms) ? Date.now() : from_ms) + found.within_ms);
  return due === undefined ? {} : { [name]: { due, until: found.until } };
}

/** It cannot be done now: said, and nothing submitted. */
function refuse(why: string, json: boolean): number {
  if (json) console.log(JSON.stringify({ refused: why }));
  else console.error(`tapline incident: ${why}`);
  return 1;
}

export async function ack(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, { options: COMMON, allowPositionals: true });
  const config = await readConfig(values.config);
  const { incident } = await incidentNamed(config, positionals[0]);
  const json = values.json === true;
  const { status, acknowledged_by: by } = incident;
  if (status === "acknowledged") return refuse(`it was acknowledged by ${plain(by ?? "")} before`, json);
  if (status === "closed") return refuse("it is closed: reopen it first", json);
  await say(config, incident, { transition: "acknowledged", note: values.note }, json);
  return 0;
}

export async function note(argv: readonly string[]): Promise<number> {
  const options = { ...COMMON, deadline: { type: "string" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [id, ...words] = positionals;
  const text = values.note ?? (words.length === 0 ? undefined : words.join(" "));
  if (id !== undefined && text === undefined && values.deadline === undefined)
    throw new UsageError("say what: a text, --deadline NAME, or both");
  const config = await readConfig(values.config);
  const { incident } = await incidentNamed(config, id);
  const deadlines = values.deadline === undefined ? undefined : dueOf(config, incident, values.deadline);
  await say(config, incident, { transition: "noted", note: text, deadlines }, values.json === true);
  return 0;
}

export async function close(argv: readonly string[]): Promise<number> {
  const options = {
    ...COMMON,
    "true-positive": { type: "boolean" },
    "false-positive": { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  if ((values["true-positive"] === true) === (values["false-positive"] === true))
    throw new UsageError("say which: --true-positive or --false-positive");
  const verdict: Verdict = values["true-positive"] === true ? "true_positive" : "false_positive";
  const config = await readConfig(values.config);
  const { incident } = await incidentNamed(config, positionals[0]);
  const json = values.json === true;
  if (incident.status === "closed")
    return refuse(`it was closed by ${plain(incident.closed_by ?? "")} before`, json);
  await say(config, incident, { transition: "closed", verdict, note: values.note }, json);
  return 0;
}

export async function reopen(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, { options: COMMON, allowPositionals: true });
  const config = await readConfig(values.config);
  const { incident } = await incidentNamed(config, positionals[0]);
  const json = values.json === true;
  if (incident.status !== "closed") return refuse(`it is ${incident.status}`, json);
  await say(config, incident, { transition: "reopened", note: values.note }, json);
  return 0;
}
