// What a notification says: made from an event of the ledger, and then of a surface. Text of others can be anything, so
// it is quoted, kept to one line and bounded, and addresses in it are broken up so that no receiver makes links of them.
import type { Event } from "../core/generated/event.ts";
import type { DueDates } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import { plain, said } from "../core/said.ts";

/** One thing to be told. All text of `title` and `lines` is plain, and safe where nothing is marked up. */
export interface Told {
  /** The same for each sending of it. */
  readonly id: string;
  readonly kind: "incident" | "alert";
  readonly title: string;
  readonly lines: readonly (readonly [label: string, text: string])[];
  /** For machines: values as the event has them, cut. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly event_id: string;
  readonly incident: string | undefined;
  readonly index: number;
}

type Document = Readonly<Record<string, unknown>>;
type Name = keyof Event;

/** The value of a dotted field of a document. */
export function valueOf(document: Document, name: Name): unknown {
  return name.split(".").reduce<unknown>((at, key) => (at as Document | undefined)?.[key], document);
}

/** The value where it is text, else nothing. */
function textIn(document: Document, name: Name): string {
  const value = valueOf(document, name);
  return typeof value === "string" ? value : "";
}

/** Breaks up what would be made a link: schemes, domains, addresses of people. */
export function defanged(text: string): string {
  return text
    .replaceAll("://", "[:]//")
    .replaceAll("@", "[@]")
    .replaceAll(/(?<=[\p{L}\p{N}_-])[.\u3002\uff0e\uff61](?=[\p{L}\p{N}])/gu, "[.]");
}

const foreign = (value: string): string => defanged(said(value, 0));
const cut = (value: string): string => value.slice(0, LIMITS.notify_text_chars).toWellFormed();

/** Values of fields that are there; lists and texts are bounded. */
function dataOf(document: Document, names: readonly Name[]): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const name of names) {
    const value = valueOf(document, name);
    if (typeof value === "string") data[name] = cut(value);
    else if (Array.isArray(value))
      data[name] = value.slice(0, LIMITS.incident_shown).map((one) => cut(String(one)));
    else if (value !== undefined) data[name] = value;
  }
  return data;
}

const COMMON = ["@timestamp", "host.name", "message", "event.id", "event.severity"] as const;
const INCIDENT = [
  "user.name",
  "tapline.incident.id",
  "tapline.incident.transition",
  "tapline.incident.status",
  "tapline.incident.level",
  "tapline.incident.rule",
  "tapline.incident.group.by",
  "tapline.incident.group.value",
  "tapline.incident.alert_count",
  "tapline.incident.alert_ids",
  "tapline.incident.rules",
  "tapline.incident.deadlines",
  "tapline.incident.deadline.name",
  "tapline.incident.deadline.due",
  "tapline.incident.verdict",
  "tapline.incident.note",
] as const;
const ALERT = [
  "rule.id",
  "rule.name",
  "tapline.alert.level",
  "tapline.server.name",
  "gen_ai.tool.name",
  "gen_ai.conversation.id",
  "user.name",
] as const;

interface Place {
  readonly index: number;
  readonly hash: string;
}

type Lines = [string, string][];

function add(lines: Lines, label: string, value: unknown, show: (text: string) => string = foreign): void {
  const all = [value].flat().filter((one) => typeof one === "string" || typeof one === "number");
  const text = all.slice(0, LIMITS.incident_shown).map((one) => show(String(one)));
  if (text.length > 0) lines.push([label, text.join(", ")]);
}

/** An event of an incident. `id` is that of the notification. */
export function tellIncident(id: string, document: Document, { index, hash }: Place): Told {
  const of = (name: Name): unknown => valueOf(document, name);
  const text = (name: Name): string => textIn(document, name);
  const incident = text("tapline.incident.id");
  const transition = text("tapline.incident.transition");
  const level = text("tapline.incident.level");
  const due = text("tapline.incident.deadline.name");
  const about = `${text("tapline.incident.group.by")} ${foreign(text("tapline.incident.group.value"))}`;
  const head = level === "" ? "" : `[${level}] `;
  const title = `${head}incident ${incident.slice(0, 8)} ${transition}${due === "" ? "" : ` (${due})`}`;
  const lines: Lines = [["incident", incident]];
  if (text("tapline.incident.group.by") !== "") lines.push(["about", about]);
  add(lines, "status", of("tapline.incident.status"), plain);
  add(lines, "alerts", of("tapline.incident.alert_count"), plain);
  add(lines, "rules", of("tapline.incident.rules"));
  const dates = (of("tapline.incident.deadlines") ?? {}) as DueDates;
  for (const [name, one] of Object.entries(dates))
    lines.push(["deadline", `${name}: ${one.until} by ${one.due}`]);
  add(lines, "was due", of("tapline.incident.deadline.due"), plain);
  add(lines, "verdict", of("tapline.incident.verdict"), plain);
  add(lines, "by", of("user.name"));
  add(lines, "note", of("tapline.incident.note"));
  lines.push(...footer(document, index));
  lines.push(["more", `tapline incident show ${incident.slice(0, 8)}`]);
  const data = { ...dataOf(document, [...COMMON, ...INCIDENT]), "event.sequence": index, "event.hash": hash };
  return { id, kind: "incident", title, lines, data, event_id: text("event.id"), incident, index };
}

/** An alert by itself. */
export function tellAlert(id: string, document: Document, { index, hash }: Place): Told {
  const of = (name: Name): unknown => valueOf(document, name);
  const name = foreign(textIn(document, "rule.name"));
  const lines: Lines = [];
  add(lines, "alert", of("message"));
  add(lines, "user", of("user.name"));
  add(lines, "server", of("tapline.server.name"));
  add(lines, "tool", of("gen_ai.tool.name"));
  add(lines, "session", of("gen_ai.conversation.id"));
  lines.push(...footer(document, index));
  const title = `[${textIn(document, "tapline.alert.level")}] alert ${name}`;
  const data = { ...dataOf(document, [...COMMON, ...ALERT]), "event.sequence": index, "event.hash": hash };
  const event_id = textIn(document, "event.id");
  return { id, kind: "alert", title, lines, data, event_id, incident: undefined, index };
}

function footer(document: Document, index: number): Lines {
  const lines: Lines = [];
  add(lines, "time", valueOf(document, "@timestamp"), plain);
  add(lines, "host", valueOf(document, "host.name"));
  add(lines, "event", valueOf(document, "event.id"), plain);
  lines.push(["entry", String(index)]);
  return lines;
}

/** All of it as lines of plain text. */
export function textOf({ title, lines }: Told, more: readonly string[]): string {
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  return [title, ...lines.map(([label, text]) => label.padEnd(width) + text), ...more].join("\n");
}

/** For surfaces that read Slack's marks, or Markdown: nothing in the text is one. */
export function unmarked(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("*", "\u2217")
    .replaceAll("~", "\u223c")
    .replaceAll("`", "\u02cb")
    .replaceAll("#", "\uff03")
    .replaceAll("|", "\uff5c")
    .replaceAll("\\", "\uff3c")
    .replaceAll("](", "] (")
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\uff3f")
    .replaceAll(/:(?=[a-z][\w+-]*:)/giu, "\uff1a");
}
