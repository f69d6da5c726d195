// Finished spans of the GenAI and MCP conventions. A tool span is a call and its result: two events. Spans of one
// call nest (agent, client, server); they are told by parent ids and share a call key.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { asList, asNumber, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { setOutcome, setTool } from "./fields.ts";
import { type OtlpRecord, REF, attributesOf, begin, idOf, nanosBetween } from "./otlp-attributes.ts";
import { countTokens } from "./tokens.ts";

const MODEL_OPERATIONS = new Set(["chat", "generate_content", "text_completion", "embeddings"]);
const STATUS_ERROR = 2;

/** Emits the events of one span; returns how many. */
export function span(of: OtlpRecord): number {
  const { attributes: a } = of;
  const operation = asText(a["gen_ai.operation.name"]);
  const method = asText(a["mcp.method.name"]);
  if (operation === "execute_tool" || method === "tools/call" || of.name.startsWith("execute_tool "))
    return tool(of);
  if (operation !== undefined && MODEL_OPERATIONS.has(operation)) return model(of);
  if (method === undefined && a["mcp.tool.name"] !== undefined) return tool(of);
  if (method !== undefined) return request(of, method);
  if (operation !== undefined) return single(of, "session-event");
  const e = started("record", of);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = { attributes: a as never };
  setEnd(e, of);
  of.scope.emit(e);
  return 1;
}

function started(action: Action, of: OtlpRecord): Event {
  return begin(action, of, asNumber(of.raw["startTimeUnixNano"]));
}

/** Duration and outcome, from times, status and an exception. */
function setEnd(e: Event, of: OtlpRecord): void {
  const { raw } = of;
  e["event.duration"] = nanosBetween(raw["startTimeUnixNano"], raw["endTimeUnixNano"]);
  const status = asObject(raw["status"]);
  const code = status?.["code"];
  const failed = code === STATUS_ERROR || code === "STATUS_CODE_ERROR" || e["error.type"] !== undefined;
  let message = asText(status?.["message"]);
  for (const item of asList(raw["events"])) {
    const event = asObject(item);
    if (event?.["name"] !== "exception") continue;
    message ??= asText(attributesOf(event["attributes"])["exception.message"]);
  }
  setOutcome(e, !failed, e["error.type"], message ?? e["error.message"]);
}

function tool(of: OtlpRecord): number {
  const { session, raw } = of;
  const call = started("tool-call", of);
  const named = /^(?:execute_tool|tools\/call) (.+)$/.exec(of.name)?.[1];
  if (call["gen_ai.tool.name"] === undefined) setTool(call, named, call["tapline.server.name"]);
  const mcp = asText(of.attributes["mcp.method.name"]) !== undefined;
  if (mcp) call["gen_ai.tool.type"] = "extension";
  const args = asObject(call["gen_ai.tool.call.arguments"]);
  if (args !== undefined) setTargets(call, call["gen_ai.tool.name"]!, args);
  const output = call["gen_ai.tool.call.result"];
  const failure = { type: call["error.type"], message: call["error.message"] };
  call["gen_ai.tool.call.result"] = undefined;
  call["error.type"] = undefined;
  call["error.message"] = undefined;
  call["rpc.response.status_code"] = undefined;
  const id = idOf(raw["spanId"]);
  const ref = REF + (call["gen_ai.tool.call.id"] ?? id ?? of.scope.offset);
  session.call(call, ref, id === undefined ? undefined : `span.${id}`);
  const parent = idOf(raw["parentSpanId"]);
  if (parent !== undefined) session.alias(`span.${parent}`, call);
  of.scope.emit(call);

  const result = begin("tool-result", of, asNumber(raw["endTimeUnixNano"]));
  result["gen_ai.operation.name"] = "execute_tool";
  result["gen_ai.tool.name"] = call["gen_ai.tool.name"];
  result["gen_ai.tool.type"] = call["gen_ai.tool.type"];
  result["gen_ai.tool.call.arguments"] = undefined;
  result["gen_ai.tool.call.result"] = output;
  result["error.type"] = failure.type;
  result["error.message"] = failure.message;
  setEnd(result, of);
  session.result(result, ref);
  of.scope.emit(result);
  return 2;
}

function model(of: OtlpRecord): number {
  const { session } = of;
  const e = started("model-call", of);
  setEnd(e, of);
  countTokens(e, session, e["gen_ai.response.id"], e["gen_ai.usage.output_tokens"]);
  of.scope.emit(e);
  return 1;
}

/** Any other MCP request: one event, since the span has both ends of it. */
function request(of: OtlpRecord, method: string): number {
  if (method === "initialize" || method === "server/discover") return single(of, "server-connected");
  if (method === "resources/read") return single(of, "resource-read");
  return single(of, method.startsWith("notifications/") ? "mcp-notification" : "mcp-request");
}

function single(of: OtlpRecord, action: Action): number {
  const e = started(action, of);
  setEnd(e, of);
  of.scope.emit(e);
  return 1;
}
