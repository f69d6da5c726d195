// Events in lists: which columns they take from the store, and what becomes of the values. Long texts are cut; what is
// in them is not judged.
import { LIMITS } from "../core/limits.ts";
import type { EventRow, FieldValue } from "./api.ts";
import { column, isList, typeOf } from "./where.ts";
import { isoOf } from "./times.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Fields of a row besides index, id, time, action and message, where nothing else was asked for. */
export const FIELDS_OF_ROW = [
  "event.kind",
  "event.outcome",
  "user.name",
  "service.name",
  "host.name",
  "gen_ai.conversation.id",
  "tapline.server.name",
  "gen_ai.tool.name",
  "gen_ai.request.model",
  "mcp.method.name",
  "process.command_line",
  "file.path",
  "url.full",
  "destination.domain",
  "network.direction",
  "tapline.data.bytes_out",
  "tapline.data.secrets",
  "tapline.data.classification",
  "tapline.decision.verdict",
  "tapline.decision.action",
  "tapline.vantage",
  "tapline.primary",
  "tapline.call_key",
  "tapline.flow.from_tool",
  "tapline.flow.from_event",
  "tapline.provenance.source_tool",
  "tapline.provenance.source_event",
  "tapline.server.sanctioned",
  "error.type",
  "rule.id",
  "rule.name",
  "tapline.alert.level",
  "threat.technique.id",
  "tapline.backfill",
] as const;

/** Fields that every row has. */
const ALWAYS = ["event.sequence", "@timestamp", "event.id", "event.action", "message"] as const;

/** A column as it is taken out: texts cut, times as numbers. */
export function cut(field: string): string {
  const name = column(field);
  if (typeOf(field) === "date") return `epoch_ms(${name}) AS ${name}`;
  if (isList(field)) return `${name}[:${LIMITS.viewer_list_values}] AS ${name}`;
  if (typeOf(field) === "long" || typeOf(field) === "double" || typeOf(field) === "boolean") return name;
  return `left(${name}, ${LIMITS.viewer_text_chars}) AS ${name}`;
}

/** Columns of a SELECT that `rowOf` reads. */
export function columnsOf(fields: readonly string[]): string {
  return [...new Set<string>([...ALWAYS, ...fields])].map(cut).join(", ");
}

export function rowOf(row: Row, fields: readonly string[]): EventRow {
  const more: Record<string, FieldValue> = {};
  for (const field of fields) {
    const value = valueOf(field, row[field]);
    if (value !== undefined) more[field] = value;
  }
  return {
    index: Number(row["event.sequence"]),
    id: textOf(row["event.id"]),
    time: isoOf(Number(row["@timestamp"])),
    action: textOf(row["event.action"]),
    message: row["message"] === null || row["message"] === undefined ? null : textOf(row["message"]),
    fields: more,
  };
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function valueOf(field: string, value: unknown): FieldValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeOf(field) === "date") return isoOf(Number(value));
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(plain);
  return typeof value === "boolean" ? value : plain(value);
}

function plain(value: unknown): string | number {
  if (typeof value === "number") return value;
  return typeof value === "bigint" ? Number(value) : String(value);
}
