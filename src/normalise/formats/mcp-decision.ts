// What the chokepoint adds to MCP lines: decisions on messages, and notices of what it saw, hid or refused. A call that
// was refused has its decision and no event of a call: nothing was executed.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, asHeld, asList, asObject, asText } from "../format.ts";
import { aboutCall, setRecorded } from "./decision.ts";
import { asInteger } from "./fields.ts";
import { type Line, again, begin } from "./mcp-line.ts";
import { requestOf, toolCalled } from "./mcp-message.ts";

const ASKED = [
  "jsonrpc.request.id",
  "mcp.resource.uri",
  "gen_ai.prompt.name",
  "tapline.tool.definition_hash",
] as const satisfies readonly (keyof Event)[];

/** Emits the decision on a request or notification and, where it went through, the event of the message itself. */
export function mapDecided(line: Line, msg: Fields, decision: Fields): void {
  const passed = decision["action"] === "pass";
  const e = eventOf(line, msg, passed ? undefined : "tool-call-decision");
  const ref = e["tapline.call.ref"];
  e["tapline.tool.definition_hash"] = asText(line.fields["definition"]);
  setRecorded(e, decision);
  if (passed) {
    const d = aboutCall(e, begin(line, "tool-call-decision", e["mcp.method.name"]));
    for (const field of ASKED) d[field] = e[field] as never;
    setRecorded(d, decision);
    setDecider(d, decision);
    d["tapline.decision.executed"] = e["tapline.decision.executed"] = true;
    line.scope.emit(d);
    // The result repeats the verdict.
    if (ref !== undefined) again(line, e, ref);
  } else {
    setDecider(e, decision);
    if (decision["action"] === "block" && ref !== undefined) line.session.drop(ref);
  }
  line.scope.emit(e);
}

/** A person who decided is named. */
function setDecider(e: Event, decision: Fields): void {
  if (decision["decider"] === "user") e["tapline.decision.decider.id"] = e["user.name"];
}

function eventOf(line: Line, msg: Fields, as: Action | undefined): Event {
  const method = asText(msg["method"]) ?? "";
  const params = asObject(msg["params"]);
  if (method === "tools/call") return toolCalled(line, msg["id"], params ?? {}, as ?? "tool-call");
  return requestOf(line, method, msg["id"], params, as);
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
  e["rule.id"] = asText(notice["rule"]);
  e["rule.ruleset"] = asText(notice["policy"]);
  if (e["rule.ruleset"] !== undefined) e["rule.category"] = "policy";
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
