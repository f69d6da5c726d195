// What the subcommands of `tapline incident` share: the present of the incidents, which one is meant, how it is shown, and
// handing something said to the collector.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../config.ts";
import type { Said } from "../../core/incident.ts";
import { LIMITS } from "../../core/limits.ts";
import { alive } from "../../core/lock.ts";
import { said } from "../../core/said.ts";
import { type Incident, isLate } from "../../incident/present.ts";
import { incidentEvents } from "../../incident/read.ts";
import { type Replayed, replayed } from "../../incident/replay.ts";
import { submit } from "../../incident/submit.ts";
import { UsageError } from "../usage.ts";

const PREFIX_MIN = 4;
const SHORT = 8;

export async function incidentsOf(config: Config): Promise<Map<string, Replayed>> {
  return replayed(await incidentEvents(config));
}

/** The incident of an id, or of the first characters of one. */
export async function incidentNamed(config: Config, id: string | undefined): Promise<Replayed> {
  if (id === undefined) throw new UsageError("say which incident: ID");
  const all = await incidentsOf(config);
  const found = [...all.values()].filter(({ incident }) =>
    id.length < PREFIX_MIN ? incident.id === id : incident.id.startsWith(id.toLowerCase()),
  );
  if (found.length === 1) return found[0]!;
  const many = found.length === 0 ? "no incident" : `${found.length} incidents`;
  const remedy = id.length < PREFIX_MIN ? ` (at least ${PREFIX_MIN} characters of the id)` : "";
  throw new UsageError(`${many} "${id}"${remedy}: see \`tapline incident list --all\``);
}

/** Whether a deadline passed that nothing met. */
export function isOverdue({ deadlines }: Pick<Incident, "deadlines">, now: string): boolean {
  return deadlines.some((one) => one.met_at === undefined && isLate(one, now));
}

export const shortId = ({ id }: Pick<Incident, "id">): string => id.slice(0, SHORT);

/** What it is about: foreign text, quoted. */
export function about({ by, group }: Incident): string {
  return `${by} ${said(group, 0)}`;
}

/** How long until or since a time, in words. */
export function spanOf(from: string, to: string): string {
  const s = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  const size = Math.abs(s);
  if (size < 120) return `${size} s`;
  if (size < 7_200) return `${Math.floor(size / 60)} min`;
  return size < 172_800 ? `${Math.floor(size / 3_600)} h` : `${Math.floor(size / 86_400)} d`;
}

/** Whether a collector runs on this state directory, as far as its status says. */
export function isCollecting(state_dir: string): boolean {
  try {
    const status = JSON.parse(readFileSync(join(state_dir, "status.json"), "utf8")) as {
      running: boolean;
      pid: number;
    };
    return status.running && alive(status.pid);
  } catch {
    return false;
  }
}

/** Hands it to the collector, and waits a moment for it to be recorded. */
export async function say(
  config: Config,
  { id }: Incident,
  what: Omit<Said, "incident">,
  json: boolean,
): Promise<void> {
  const path = submit(config.state_dir, { incident: id, ...what });
  const until_ms = Date.now() + (isCollecting(config.state_dir) ? LIMITS.incident_wait_ms : 0);
  while (existsSync(path) && Date.now() < until_ms) await sleep(LIMITS.incident_wait_ms / 50);
  const recorded = !existsSync(path);
  if (json) console.log(JSON.stringify({ incident: id, transition: what.transition, recorded }));
  else if (recorded) console.log(`${what.transition.padEnd(13)}${id}`);
  else console.log(`submitted    ${what.transition} ${id}: recorded when the collector next reads`);
}
