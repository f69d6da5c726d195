// What people did in the viewer, as the collector's own submissions tell it (tapline.ts): what they said of alerts, and what
// left it. Judges nothing: what a transition comes to is a matter of who reads them in order.
import { VERDICTS } from "../../core/incident.ts";
import { LIMITS } from "../../core/limits.ts";
import { parseTime } from "../../core/time.ts";
import { EXPORTS, SAME, TRIAGE } from "../../core/triage.ts";
import { type Fields, type Scope, asList, asObject, asText } from "../format.ts";
import { cut, oneOf, setUser } from "./tapline-parts.ts";

const texts = (value: unknown, most: number): string[] =>
  asList(value)
    .filter((one) => typeof one === "string")
    .slice(0, most)
    .map((one) => one.slice(0, LIMITS.state_key_chars).toWellFormed());

/** False when it is none that this version knows. */
export function mapTriage(r: Fields, scope: Scope): boolean {
  const transition = oneOf(TRIAGE, r["transition"]);
  const alerts = texts(r["alerts"], LIMITS.viewer_action_alerts);
  if (transition === undefined || alerts.length === 0) return false;
  const e = scope.event("alert-triage", r["ts"]);
  setUser(e, r);
  e["tapline.record.type"] = "triage";
  e["tapline.triage.transition"] = transition;
  e["tapline.triage.alert_ids"] = alerts;
  e["tapline.triage.note"] = cut(r["note"], LIMITS.viewer_note_chars);
  if (transition === "assigned")
    e["tapline.triage.assignee"] = cut(r["assignee"], LIMITS.state_key_chars) ?? "";
  if (transition === "closed") e["tapline.triage.verdict"] = oneOf(VERDICTS, r["verdict"]);
  if (transition === "suppressed") {
    e["tapline.triage.until"] = parseTime(asText(r["until"]) ?? "");
    e["rule.id"] = cut(r["rule"], LIMITS.state_key_chars);
    const same = asObject(r["same"]);
    const field = oneOf(SAME, same?.["field"]);
    e["tapline.triage.same.field"] = field;
    if (field !== undefined) e["tapline.triage.same.value"] = cut(same?.["value"], LIMITS.state_text_chars);
  }
  e["event.outcome"] = "success";
  const what = alerts.length === 1 ? "an alert" : `${alerts.length} alerts`;
  e["message"] = `${what} ${transition} by ${e["user.name"] ?? "somebody"}`;
  scope.emit(e);
  return true;
}

/** False when it is none that this version knows. */
export function mapExport(r: Fields, scope: Scope): boolean {
  const kind = oneOf(EXPORTS, r["kind"]);
  if (kind === undefined) return false;
  const e = scope.event("data-export", r["ts"]);
  setUser(e, r);
  e["tapline.record.type"] = "export";
  e["tapline.export.kind"] = kind;
  e["tapline.export.subject"] = cut(r["subject"], LIMITS.state_key_chars);
  e["tapline.export.query"] = cut(r["query"], LIMITS.viewer_query_chars);
  e["tapline.export.from"] = parseTime(asText(r["from"]) ?? "");
  e["tapline.export.to"] = parseTime(asText(r["to"]) ?? "");
  const fields = texts(r["fields"], LIMITS.viewer_export_fields);
  if (fields.length > 0) e["tapline.export.fields"] = fields;
  const indexes = asList(r["indexes"]).filter((one) => typeof one === "number" && Number.isSafeInteger(one));
  if (indexes.length > 0) e["tapline.export.indexes"] = indexes.slice(0, LIMITS.viewer_evidence) as number[];
  e["event.outcome"] = "success";
  e["message"] =
    `${kind === "evidence" ? "evidence" : `CSV of ${kind}`} taken by ${e["user.name"] ?? "somebody"}`;
  scope.emit(e);
  return true;
}
