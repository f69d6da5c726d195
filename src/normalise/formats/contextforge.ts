// IBM ContextForge: events that its SIEM export writes as JSON, one envelope a line: who did what, what was thought of it
// and what was done about it. They name no call of a tool; what has no field is kept.
import type { Action } from "../../core/generated/classes.ts";
import { type Fields, type Format, type Scope, asHeld, asNumber, asObject, asText } from "../format.ts";
import { setVerdict, verdictOf } from "./decision.ts";

const SEVERITY: Readonly<Record<string, number>> = { LOW: 21, MEDIUM: 47, HIGH: 73, CRITICAL: 99 };
const READ = new Set(
  "schema_version event_id timestamp event_type severity description source actor action_taken _meta".split(
    " ",
  ),
);

function isOwn(value: unknown): boolean {
  const r = asObject(value);
  return (
    r !== undefined &&
    asText(r["event_type"]) !== undefined &&
    asObject(r["source"])?.["service"] === "mcpgateway" &&
    asObject(r["actor"]) !== undefined
  );
}

function actionOf(type: string): Action {
  return /(?:permission|role|grant|revoke)/i.test(type) ? "permission-change" : "session-event";
}

function map(r: Fields, scope: Scope): void {
  const actor = asObject(r["actor"]);
  const source = asObject(r["source"]);
  const type = asText(r["event_type"]) ?? "unknown";
  const e = scope.event(asText(r["event_type"]) === undefined ? "record" : actionOf(type), r["timestamp"]);
  if (asText(r["event_type"]) === undefined) e["tapline.record.known"] = false;
  e["service.name"] = "contextforge";
  e["service.version"] = asText(source?.["version"]);
  e["host.name"] = asText(source?.["instance_id"]) ?? e["host.name"];
  e["user.id"] = asText(actor?.["user_id"]);
  e["user.email"] = asText(actor?.["user_email"]);
  e["tapline.client.name"] = asText(actor?.["user_agent"]);
  e["tapline.record.type"] = type;
  e["tapline.record.id"] = asText(r["event_id"]);
  e["event.severity"] = SEVERITY[asText(r["severity"])?.toUpperCase() ?? ""];
  e["event.reason"] = asText(r["description"]);
  const score = asNumber(asObject(r["threat"])?.["score"]);
  if (score !== undefined && score >= 0 && score <= 1) e["event.risk_score"] = Math.round(score * 100);
  const verdict = verdictOf(asText(r["action_taken"]));
  if (verdict !== undefined) setVerdict(e, verdict, "policy", "contextforge");
  if (e["event.action"] === "permission-change") {
    e["tapline.permission.operation"] = /revoke|remove|delete/i.test(type)
      ? "revoke"
      : /role/i.test(type)
        ? "role"
        : "grant";
    e["tapline.permission.trigger"] = type;
  }
  const rest: Fields = {};
  for (const key in r) if (!READ.has(key)) rest[key] = r[key];
  for (const key of ["client_ip", "geo"])
    if (actor?.[key] !== undefined && actor[key] !== null) rest[key] = actor[key];
  if (asText(source?.["event_source"]) !== undefined) rest["event_source"] = source!["event_source"];
  if (verdict === undefined && r["action_taken"] !== undefined) rest["action_taken"] = r["action_taken"];
  e["tapline.ext"] = asHeld(rest);
  scope.emit(e);
}

export const contextforge: Format = {
  name: "contextforge",
  vantage: "gateway",
  recognise: (head) => (head.length === 0 ? 0 : head.filter(isOwn).length / head.length),
  sessionOf: () => undefined,
  open() {
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      map(r, scope);
      return "recorded";
    };
  },
};
