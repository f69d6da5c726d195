// What the chokepoint adds to MCP lines: decisions on messages, and notices of what it saw, hid or refused. A call that
// was refused has its decision and no event of a call: nothing was executed.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, asHeld, asList, asObject, asText } from "../format.ts";
import { CALL_FIELDS, type Verdict, setDecided, setVerdict, verdictOf } from "./decision.ts";
import { asCount, asInteger } from "./fields.ts";
import { type Line, begin } from "./mcp-line.ts";
import { requestOf, toolCalled } from "./mcp-message.ts";

const CALLED = [
  ...CALL_FIELDS,
  "jsonrpc.request.id",
  "mcp.resource.uri",
  "gen_ai.prompt.name",
] as const satisfies readonly (keyof Event)[];

/** Emits the decision on a request or notification and, where it went through, the event of the message itself. */
export function mapDecided(line: Line, msg: Fields, decision: Fields): void {
  const action = asText(decision["action"]);
  const passed = action === "pass";
  const e = eventOf(line, msg, passed ? undefined : "tool-call-decision");
  const ref = e["tapline.call.ref"];
  e["tapline.tool.definition_hash"] = asText(line.fields["definition"]);
  if (passed) {
    const d = begin(line, "tool-call-decision", e["mcp.method.name"]);
    for (const field of CALLED) d[field] = e[field] as never;
    d["tapline.tool.definition_hash"] = e["tapline.tool.definition_hash"];
    setDecision(d, decision);
    line.scope.emit(d);
    const { "tapline.decision.verdict": verdict } = d;
    if (verdict !== undefined) setVerdict(e, verdict as Verdict, undefined);
    e["tapline.decision.action"] = "pass";
    e["tapline.decision.executed"] = true;
    // The result repeats the verdict.
    if (ref !== undefined && line.session.isOpen(ref)) line.session.again(e, ref);
  } else {
    setDecision(e, decision);
    if (action === "block" && ref !== undefined) line.session.drop(ref);
  }
  line.scope.emit(e);
}

function eventOf(line: Line, msg: Fields, as: Action | undefined): Event {
  const method = asText(msg["method"]) ?? "";
  const params = asObject(msg["params"]);
  if (method === "tools/call") return toolCalled(line, msg["id"], params ?? {}, as ?? "tool-call");
  return requestOf(line, method, msg["id"], params, as);
}

function setDecision(e: Event, decision: Fields): void {
  const verdict = verdictOf(asText(decision["verdict"])) ?? "ask";
  const action = asText(decision["action"]);
  const decider = asText(decision["decider"]);
  const latency_us = asCount(decision["latency_us"]);
  setVerdict(e, verdict, decider, decider === "user" ? e["user.name"] : undefined);
  e["event.type"] = undefined;
  setDecided(e, action === "pass" ? "allow" : action === "block" ? "deny" : "ask");
  e["tapline.decision.action"] = action;
  e["tapline.decision.executed"] = action === "pass" ? true : action === "block" ? false : undefined;
  e["tapline.decision.mode"] = asText(decision["mode"]);
  e["event.reason"] = asText(decision["reason"]);
  setRule(e, decision);
  if (latency_us !== undefined) e["event.duration"] = latency_us * 1_000;
}

function setRule(e: Event, from: Fields): void {
  e["rule.id"] = asText(from["rule"]);
  e["rule.version"] = asText(from["policy"]);
  if (e["rule.id"] !== undefined || e["rule.version"] !== undefined) e["rule.category"] = "policy";
}

const NOTICES = new Map<string, Action>([
  ["start", "chokepoint-start"],
  ["stop", "chokepoint-stop"],
  ["violation", "protocol-violation"],
  ["hidden", "tools-hidden"],
  ["quarantined", "tool-quarantined"],
  ["unrecorded", "gap"],
]);

/** Whether the line is a notice of the chokepoint. */
export function isNotice(fields: Fields): boolean {
  return NOTICES.has(asText(asObject(fields["notice"])?.["type"]) ?? "");
}

/** Emits a notice: what is not about one message that was decided. */
export function mapNotice(line: Line, notice: Fields): void {
  const e = begin(line, NOTICES.get(notice["type"] as string)!, asText(notice["method"]));
  e["event.reason"] = asText(notice["reason"]);
  e["error.type"] = asText(notice["error"]);
  e["gen_ai.tool.name"] = asText(notice["tool"]);
  e["tapline.tool.definition_hash"] = asText(notice["definition"]);
  e["tapline.decision.mode"] = asText(notice["mode"]);
  e["process.exit_code"] = asInteger(notice["exit_code"]);
  const action = asText(notice["action"]);
  e["tapline.decision.action"] = action;
  if (action !== undefined) e["tapline.decision.executed"] = action === "pass";
  setRule(e, notice);
  if (notice["type"] === "unrecorded") {
    e["tapline.gap.reason"] = "unrecorded";
    e["event.outcome"] = "failure";
  }
  const names = asList(notice["tools"]).filter((name) => typeof name === "string");
  if (names.length > 0) {
    e["tapline.tool.names"] = names;
    e["tapline.tool.count"] = names.length;
  }
  if (notice["details"] !== undefined) e["tapline.ext"] = asHeld(notice["details"]);
  line.scope.emit(e);
}
