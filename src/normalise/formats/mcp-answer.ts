// Responses of MCP to events: joined to their request, whose method says what the result means. What a server lists
// or says of itself is in mcp-inventory.ts. Results are handed on, not copied.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, asHeld, asObject, asText } from "../format.ts";
import type { OpenCall } from "../session-state.ts";
import { messagesText, textOf } from "./fields.ts";
import { serverConnected, toolsListed } from "./mcp-inventory.ts";
import { type Line, askedFor, begin, refOf, setMeta, setRest, taskOf } from "./mcp-line.ts";

/** The method that an answer belongs to, by its shape, when its request was not seen. */
function guessMethod(result: Fields): string | undefined {
  if (Array.isArray(result["tools"])) return "tools/list";
  if (Array.isArray(result["contents"])) return "resources/read";
  if (Array.isArray(result["content"]) || result["isError"] !== undefined) return "tools/call";
  if (result["serverInfo"] !== undefined) return "initialize";
  if (result["supportedVersions"] !== undefined) return "server/discover";
  return undefined;
}

/** Emits the event of a JSON-RPC response, and those of the definitions that it lists. */
export function answer(line: Line, msg: Fields): void {
  const ref = refOf(line, line.dir === "c2s" ? "s2c" : "c2s", msg["id"]);
  const failed = msg["error"] !== undefined && msg["error"] !== null;
  const value = msg["result"];
  const result = asObject(value) ?? {};
  // No result of the protocol's, and yet read by somebody.
  const odd = !failed && asObject(value) === undefined;
  const asked = ref === undefined ? undefined : line.session.waiting(ref);
  // The result of a task is that of the call that became it.
  const call = asked?.method === "tasks/result" ? line.session.postponed(askedFor(ref!)) : undefined;
  const made = call === undefined ? undefined : line.session.waiting(call);
  const waiting = made ?? asked;
  const method = waiting === undefined ? guessMethod(result) : waiting.method;
  const e = begin(line, answerAction(method, failed || odd), method);
  e["event.outcome"] = failed ? "failure" : odd ? "unknown" : "success";
  if (ref !== undefined) {
    e["jsonrpc.request.id"] = String(msg["id"]);
    line.session.result(e, made === undefined ? ref : call!, waiting);
    if (made !== undefined) line.session.drop(ref);
    else if (waiting?.method === "tools/call" && !failed) becomesTask(e, line, result, ref, waiting);
  }
  if (failed) setError(e, msg["error"]);
  if (result["_meta"] !== undefined) setMeta(e, line, result["_meta"]);
  if (method === "tools/call") toolResult(e, line, value, result);
  else if (failed) line.scope.emit(e);
  else otherResult(e, line, method, value, result);
}

/** The server has taken the call on as a task, and tells what came of it when it is asked for. */
function becomesTask(e: Event, line: Line, result: Fields, ref: string, call: OpenCall): void {
  const id = asText(asObject(result["task"])?.["taskId"]);
  if (id === undefined) return;
  e["event.outcome"] = "unknown";
  line.session.postpone(ref, call, taskOf(e, line, id));
}

function answerAction(method: string | undefined, bare: boolean): Action {
  if (method === "tools/call") return "tool-result";
  if (method === "resources/read") return "resource-result";
  if (bare) return "mcp-response";
  if (method === "tools/list") return "tools-listed";
  return method === "initialize" || method === "server/discover" ? "server-connected" : "mcp-response";
}

function setError(e: Event, value: unknown): void {
  const error = asObject(value);
  const code = error?.["code"];
  if (typeof code === "number" || typeof code === "string") {
    e["error.type"] = e["error.code"] = e["rpc.response.status_code"] = String(code);
  } else e["error.type"] = "_OTHER";
  e["error.message"] = asText(error?.["message"]) ?? asText(value);
  if (error?.["data"] !== undefined) e["tapline.ext"] = { error_data: asHeld(error["data"]) };
}

function toolResult(e: Event, line: Line, value: unknown, result: Fields): void {
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.type"] = "extension";
  if (e["event.outcome"] !== "failure") {
    e["gen_ai.tool.call.result"] = asHeld(value);
    if (result["isError"] === true) {
      e["event.outcome"] = "failure";
      e["error.type"] = "tool_error";
    } else setResultType(e, line, result);
  }
  line.scope.emit(e);
}

/** An answer that is no end: what the server wants first is in it. */
function setResultType(e: Event, line: Line, result: Fields): void {
  const type = asText(result["resultType"]);
  if (type === undefined || type === "complete") return;
  const state = asText(result["requestState"]);
  e["event.outcome"] = "unknown";
  e["tapline.ext"] = {
    result_type: type,
    ...(state === undefined ? {} : { request_state: line.scope.digest(state) }),
  };
}

function otherResult(e: Event, line: Line, method: string | undefined, value: unknown, result: Fields): void {
  if (e["event.action"] === "tools-listed") return toolsListed(e, line, result);
  if (e["event.action"] === "server-connected") serverConnected(e, line, result);
  else if (method === "resources/read") {
    e["gen_ai.tool.call.result"] = asHeld(value);
    setResultType(e, line, result);
  } else if (e["event.outcome"] === "unknown") setRest(e, "result", asHeld(value));
  else if (method === "prompts/get") {
    const text = messagesText(result["messages"]);
    if (text !== undefined) e["gen_ai.input.messages"] = { text };
    setResultType(e, line, result);
  } else if (method === "sampling/createMessage") {
    const text = textOf([result["content"]].flat());
    const reason = asText(result["stopReason"]);
    e["gen_ai.operation.name"] = "chat";
    e["gen_ai.response.model"] = asText(result["model"]);
    if (reason !== undefined) e["gen_ai.response.finish_reasons"] = [reason];
    if (text !== undefined) e["gen_ai.output.messages"] = { text };
  } else setRest(e, "result", asHeld(value));
  line.scope.emit(e);
}
