// Which events of a batch somebody is to be told of. Never of the past: neither backfill nor what was recorded before the
// sink was there. Sends nothing.
import { z } from "zod";
import { createDigest } from "../core/digest.ts";
import { forEachEntry } from "../core/entry.ts";
import { LEVELS, rankOf } from "../core/incident.ts";
import type { EntryBatch } from "../core/stage.ts";
import { type Told, tellAlert, tellIncident, valueOf } from "./notice-text.ts";

/** What can be told. A notification is none of them, or each would bring another. */
const TOLD = [
  "opened",
  "joined",
  "escalated",
  "acknowledged",
  "noted",
  "closed",
  "reopened",
  "overdue",
] as const;

export const notifyShape = {
  transitions: z
    .array(z.enum(TOLD))
    .max(TOLD.length)
    .default(["opened", "escalated", "reopened", "overdue"])
    .describe("Transitions of incidents to tell of"),
  alerts: z
    .enum(LEVELS)
    .optional()
    .describe("Least level of alerts to tell of one by one; without it incidents only"),
};
export interface NotifyOptions {
  readonly transitions: readonly string[];
  readonly alerts?: string | undefined;
}

type Document = Readonly<Record<string, unknown>>;

const digest = createDigest("tapline notification");
const INCIDENTS = Buffer.from('"dataset":"tapline.incident"');
const ALERTS = Buffer.from('"action":"rule-alert"');

/** What is to be told, in order. `name` is that of the sink. */
export function wanted(
  { run, hashes, first }: EntryBatch,
  options: NotifyOptions,
  name: string,
  since_ms: number,
): Told[] {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
  const marks = options.alerts === undefined ? [INCIDENTS] : [INCIDENTS, ALERTS];
  const found: Told[] = [];
  if (!marks.some((mark) => bytes.includes(mark))) return found;
  forEachEntry(run, (start, end, position) => {
    const entry = bytes.subarray(start, end);
    if (!marks.some((mark) => entry.includes(mark))) return;
    const document = JSON.parse(entry.toString("utf8")) as Document;
    const kind = kindOf(document, options);
    if (kind === undefined || isPast(document, since_ms)) return;
    const hash = Buffer.from(hashes.subarray(position * 32, position * 32 + 32)).toString("hex");
    const id = digest(`${name}\u0000${String(valueOf(document, "event.id"))}`);
    const tell = kind === "incident" ? tellIncident : tellAlert;
    found.push(tell(id, document, { index: first + position, hash: `sha256:${hash}` }));
  });
  return found;
}

function kindOf(document: Document, options: NotifyOptions): Told["kind"] | undefined {
  const action = valueOf(document, "event.action");
  if (action === "incident" && valueOf(document, "tapline.vantage") === "self") {
    const transition = valueOf(document, "tapline.incident.transition");
    return options.transitions.some((one) => one === transition) ? "incident" : undefined;
  }
  if (action !== "rule-alert" || options.alerts === undefined) return undefined;
  const level = valueOf(document, "tapline.alert.level");
  return typeof level === "string" && rankOf(level) >= rankOf(options.alerts) ? "alert" : undefined;
}

function isPast(document: Document, since_ms: number): boolean {
  if (valueOf(document, "tapline.backfill") === true) return true;
  const at = valueOf(document, "event.created") ?? valueOf(document, "@timestamp");
  return typeof at === "string" && Date.parse(at) < since_ms;
}
