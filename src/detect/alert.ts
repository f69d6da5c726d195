// A match to the alert that an analyst sees: an event of its own, which names the rule, what matched and whom it
// concerns. Deterministic: the same rule on the same event gives the same alert, so that a replay doubles nothing.
import { createDigest } from "../core/digest.ts";
import { eventOf } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { excerpt, said } from "../core/said.ts";
import type { Json } from "../core/text.ts";
import { addControls } from "./controls.ts";
import { type CompiledRule, explain } from "./match.ts";
import type { Found } from "./nodes.ts";
import type { Level } from "./rule.ts";
import { threatOf } from "./threat.ts";

export const RISK: Record<Level, number> = { informational: 1, low: 21, medium: 47, high: 73, critical: 99 };
const digest = createDigest("tapline alert");

// Events that a rule's event rests on: they are evidence too.
const BEHIND = [
  "tapline.flow.from_event",
  "tapline.provenance.source_event",
  "tapline.cause.event_id",
] as const satisfies readonly (keyof Event)[];

// Whom and what the event concerns; an alert repeats them, so that it can be read and grouped alone.
const COPIED = [
  "@timestamp",
  "log.file.path",
  "log.offset",
  "user.id",
  "user.name",
  "user.email",
  "user.roles",
  "user.effective.name",
  "service.name",
  "service.version",
  "service.target.type",
  "service.target.name",
  "session.id",
  "gen_ai.agent.id",
  "gen_ai.agent.name",
  "gen_ai.conversation.id",
  "gen_ai.tool.name",
  "gen_ai.tool.type",
  "gen_ai.tool.call.id",
  "mcp.method.name",
  "mcp.resource.uri",
  "server.address",
  "server.port",
  "url.full",
  "url.domain",
  "destination.domain",
  "destination.address",
  "destination.ip",
  "destination.port",
  "file.path",
  "process.command_line",
  "process.executable",
  "process.working_directory",
  "trace.id",
  "span.id",
  "tapline.source",
  "tapline.stream",
  "tapline.format",
  "tapline.vantage",
  "tapline.primary",
  "tapline.backfill",
  "tapline.call_key",
  "tapline.call.sidechain",
  "tapline.time.source",
  "tapline.time.suspect",
  "tapline.capture.arguments",
  "tapline.capture.results",
  "tapline.capture.messages",
  "tapline.capture.identity",
  "tapline.server.name",
  "tapline.server.transport",
  "tapline.server.url",
  "tapline.client.name",
  "tapline.connection",
  "tapline.tool.class",
  "tapline.tool.args_hash",
  "tapline.decision.verdict",
  "tapline.permission.mode",
  "tapline.data.secrets",
  "tapline.flow.from_event",
  "tapline.flow.from_tool",
  "tapline.flow.from_server",
  "tapline.provenance.source_event",
  "tapline.provenance.source_tool",
  "tapline.provenance.source_server",
] as const satisfies readonly (keyof Event)[];

/** The alert of a rule that matched `e`, which must have its id. Cold path: a few µs. */
export function alertEvent(rule: CompiledRule, e: Event, ruleSetHash: string): Event {
  const { rule: about } = rule;
  const found = explain(rule, e);
  const alert = eventOf("rule-alert", {
    namespace: e["data_stream.namespace"] ?? "default",
    host: e["host.name"] ?? "",
    version: e["observer.version"] ?? "",
  });
  for (const field of COPIED) (alert as unknown as Record<string, unknown>)[field] = e[field];
  const threat = threatOf(about.tags);
  addControls(alert, about.tags);
  alert["rule.id"] = about.id;
  alert["rule.name"] = about.title;
  alert["rule.version"] = about.hash;
  alert["rule.ruleset"] = ruleSetHash;
  alert["rule.category"] = "sigma";
  alert["rule.description"] = about.description?.trim();
  alert["rule.reference"] = about.references[0];
  alert["threat.framework"] = threat.framework;
  alert["threat.tactic.name"] = threat.tactics;
  alert["threat.technique.id"] = threat.techniques;
  alert["tapline.alert.level"] = about.level;
  alert["tapline.alert.ruleset_hash"] = ruleSetHash;
  const behind = BEHIND.map((field) => e[field]).filter((id) => id !== undefined);
  alert["tapline.alert.event_ids"] = [...new Set([e["event.id"] ?? "", ...behind])];
  alert["tapline.alert.evidence"] = evidenceOf(found);
  alert["event.id"] = digest(`${about.id}\u0000${about.hash}\u0000${e["event.id"]}`);
  alert["event.created"] = e["event.created"];
  alert["event.outcome"] = e["event.outcome"];
  alert["event.severity"] = RISK[about.level];
  alert["event.risk_score"] = RISK[about.level];
  alert["event.reason"] = reasonFor(about.title, e, found);
  alert["message"] = alert["event.reason"];
  return alert;
}

/** Field → what matched in it; long texts are cut to the place of the match. */
function evidenceOf(found: readonly Found[]): Json {
  const out: Record<string, Json[]> = {};
  for (const f of found) {
    const value = typeof f.value === "string" ? excerpt(f.value, f.at, LIMITS.evidence_chars) : f.value;
    const list = (out[f.field] ??= []);
    if (!list.includes(value)) list.push(value);
  }
  return Object.fromEntries(Object.entries(out).map(([k, v]) => [k, v.length === 1 ? v[0]! : v]));
}

/** `Pipe to shell: tool "Bash" of server "ops", user "ann", session "s1"; process.command_line is "curl ..."`. */
function reasonFor(title: string, e: Event, found: readonly Found[]): string {
  const who: string[] = [];
  const name = (what: string, value: string | undefined): void => {
    if (value !== undefined) who.push(`${what} ${said(value, 0)}`);
  };
  name("tool", e["gen_ai.tool.name"]);
  name("server", e["tapline.server.name"]);
  name("agent", e["service.name"] ?? e["gen_ai.agent.name"]);
  name("user", e["user.name"] ?? e["user.id"]);
  name("session", e["gen_ai.conversation.id"]);
  // Several tests of one field are told once, by the first.
  const fields = found.filter((f, i) => found.findIndex((g) => g.field === f.field) === i);
  const told = fields.slice(0, 3).map((f) => `${f.field} ${said(String(f.value), f.at)}`);
  const rest = fields.length > 3 ? ` and ${fields.length - 3} more` : "";
  const matched = told.length === 0 ? "" : `; matched ${told.join(", ")}${rest}`;
  return `${title}: ${who.length === 0 ? (e["event.action"] ?? "event") : who.join(", ")}${matched}`;
}
