// Copilot CLI's tool calls, their results, and the permissions asked for and given.
import type { Event } from "../../core/generated/event.ts";
import { toMs } from "../../core/time.ts";
import { type Fields, type Outcome, asList, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { type Verdict, setDecided, setVerdict } from "./decision.ts";
import { type CopilotRecord, begin, emit } from "./copilot-record.ts";
import { setGrant } from "./permission.ts";
import { asArguments, asDuration, asResult, setOutcome, setTool, textOf } from "./fields.ts";

/** False when another record told of the call. */
export function call(of: CopilotRecord, name: unknown, p: Fields): boolean {
  const { session } = of;
  const id = asText(p["toolCallId"]);
  if (id !== undefined && session.repeats(`call:${id}`)) return false;
  const e = begin("tool-call", of);
  setTool(e, p["mcpToolName"] ?? name, asText(p["mcpConfigServerName"]) ?? asText(p["mcpServerName"]));
  e["gen_ai.tool.call.id"] = id;
  e["tapline.server.transport"] = asText(p["mcpTransport"]);
  const args = asArguments(p["arguments"]);
  e["gen_ai.tool.call.arguments"] = args;
  const fields = asObject(args);
  if (fields !== undefined) setTargets(e, e["gen_ai.tool.name"]!, fields);
  session.call(e, id ?? `${of.scope.offset}`);
  of.scope.emit(e);
  return true;
}

const EXIT_CODE = /^(?:exit code:? |<exited with exit code )(-?\d{1,10})/im;

export function result(of: CopilotRecord): Outcome {
  const { data, session } = of;
  const id = asText(data["toolCallId"]);
  if (id !== undefined && session.repeats(`result:${id}`)) return "merged";
  const e = begin("tool-result", of);
  const content = asObject(data["result"])?.["content"];
  const error = asObject(data["error"]);
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.result"] = asResult(content ?? error?.["message"]);
  e["event.duration"] = asDuration(asObject(asObject(data["toolTelemetry"])?.["metrics"])?.["durationMs"]);
  e["error.code"] = asText(error?.["code"]);
  const text = textOf(error?.["message"]) ?? textOf(content);
  const exit = EXIT_CODE.exec(text?.slice(-200) ?? "")?.[1];
  if (exit !== undefined) e["process.exit_code"] = Number(exit);
  if (data["success"] === undefined) e["event.outcome"] = "unknown";
  else setOutcome(e, data["success"] === true, asText(error?.["code"]), text);
  session.result(e, id ?? "");
  return emit(of, e);
}

/** Undefined where the record does not say how the request ended. */
export function verdictOf(ended: unknown): Verdict | undefined {
  const kind = asText(asObject(ended)?.["kind"]);
  if (kind === undefined) return undefined;
  return kind.startsWith("approved") ? "allow" : "deny";
}

/** A request for permission and its answer are two decisions: ask, then allow or deny. */
export function decision(of: CopilotRecord, verdict: Verdict, p: Fields): Outcome {
  const { data, session } = of;
  const e = begin("tool-call-decision", of);
  const id = asText(p["toolCallId"]);
  const waiting = id === undefined ? undefined : session.waiting(id);
  const kind = asText(asObject(data["result"])?.["kind"]);
  setTool(e, p["toolName"] ?? waiting?.tool ?? p["kind"], asText(p["serverName"]) ?? waiting?.server);
  e["gen_ai.tool.call.id"] = id;
  e["tapline.call.ref"] = id;
  e["tapline.call_key"] = waiting?.key;
  e["tapline.tool.args_hash"] = waiting?.args_hash;
  e["process.command_line"] = asText(p["fullCommandText"]);
  e["url.full"] = asText(p["url"]);
  e["event.reason"] = kind ?? asText(p["intention"]);
  const by = asText(data["decisionSource"]);
  const isUser = by === "human_response" || kind === "denied-interactively-by-user";
  const decider = verdict === "ask" ? undefined : isUser ? "user" : (by ?? "policy");
  setVerdict(e, verdict, decider, by);
  setDecided(e, verdict);
  setLatency(of, e, verdict);
  of.scope.emit(e);
  const scope = STANDING.get(kind ?? "");
  if (scope === undefined) return "recorded";
  const given = begin("permission-change", of);
  const approval = asObject(asObject(data["result"])?.["approval"]);
  setGrant(given, scope, ruleOf(approval) ?? e["gen_ai.tool.name"], of.type, decider);
  return emit(of, given);
}

/** Approvals that hold for more than the call that was asked about. */
const STANDING = new Map([
  ["approved-for-session", "session"],
  ["approved-for-location", "location"],
]);

function ruleOf(approval: Fields | undefined): string | undefined {
  const kind = asText(approval?.["kind"]);
  if (kind === undefined) return undefined;
  const what = [...asList(approval!["commandIdentifiers"]), approval!["serverName"], approval!["toolName"]];
  const named = what.map(asText).filter((name) => name !== undefined);
  return named.length === 0 ? kind : `${kind}: ${named.join(" ")}`;
}

/** From the question to the answer; both name the request. */
function setLatency({ data, session }: CopilotRecord, e: Event, verdict: Verdict): void {
  const request = asText(data["requestId"]);
  if (request === undefined) return;
  const now_ms = toMs(e["@timestamp"]!);
  const asked_ms = session.counted(`asked.${request}`);
  if (verdict === "ask") session.countMore(`asked.${request}`, now_ms);
  else if (asked_ms > 0) e["event.duration"] = asDuration(now_ms - asked_ms);
}
