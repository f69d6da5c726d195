// One JSON-RPC message of MCP to its events: requests and notifications; responses are in mcp-answer.ts. This is
// the busiest mapper: plain code, no copies of arguments or results.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, asHeld, asObject, asText } from "../format.ts";
import { setTargets, setUrl } from "../targets.ts";
import { messagesText } from "./fields.ts";
import { answer } from "./mcp-answer.ts";
import {
  type Line,
  again,
  askedFor,
  begin,
  learn,
  nameOf,
  refOf,
  setClient,
  setMeta,
  setProtocol,
  setRest,
  setSampling,
  taskOf,
} from "./mcp-line.ts";

/** Methods that the revisions up to 2026-07-28 define, with the class of their request. */
const METHODS = new Map<string, Action>([
  ["tools/call", "tool-call"],
  ["resources/read", "resource-read"],
  ["sampling/createMessage", "sampling-request"],
  ["elicitation/create", "elicitation"],
]);
for (const method of [
  "initialize ping server/discover subscriptions/listen tools/list resources/list resources/templates/list",
  "resources/subscribe resources/unsubscribe prompts/list prompts/get completion/complete logging/setLevel",
  "roots/list tasks/get tasks/result tasks/list tasks/cancel tasks/update",
].flatMap((names) => names.split(" "))) {
  METHODS.set(method, "mcp-request");
}
for (const name of [
  "initialized message progress cancelled tools/list_changed prompts/list_changed resources/list_changed",
  "resources/updated roots/list_changed elicitation/complete tasks/status subscriptions/acknowledged",
].flatMap((names) => names.split(" "))) {
  METHODS.set("notifications/" + name, "mcp-notification");
}

/** Emits at least one event, whatever the message is. */
export function mapMessage(line: Line, message: unknown): void {
  const msg = asObject(message);
  const method = msg?.["method"];
  if (msg === undefined) unknownMessage(line, message);
  else if (typeof method === "string") {
    const params = asObject(msg["params"]);
    if (method === "tools/call") toolCall(line, msg["id"], params ?? {});
    else if (msg["id"] === undefined) notification(line, method, params);
    else request(line, method, msg["id"], params);
  } else if (msg["result"] !== undefined || msg["error"] !== undefined) {
    answer(line, msg);
    const result = asObject(msg["result"]);
    // Where they were decided, each has had its line.
    if (result?.["resultType"] === "input_required" && line.fields["decided"] !== true)
      inputRequests(line, asObject(result["inputRequests"]) ?? {});
  } else unknownMessage(line, message);
}

function unknownMessage(line: Line, message: unknown): void {
  const e = begin(line, "record", undefined);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = { msg: asHeld(message) };
  line.scope.emit(e);
}

function setId(e: Event, line: Line, id: unknown): string | undefined {
  const ref = refOf(line, line.dir, id);
  if (ref !== undefined) e["jsonrpc.request.id"] = String(id);
  return ref;
}

function toolCall(line: Line, id: unknown, params: Fields): void {
  line.scope.emit(toolCalled(line, id, params, "tool-call"));
}

/** The event of a tool call, or of a decision on one. */
export function toolCalled(line: Line, id: unknown, params: Fields, action: Action): Event {
  const e = begin(line, action, "tools/call");
  const name = asText(params["name"]) ?? "";
  const given = params["arguments"];
  const args = given === undefined || given === null ? {} : asHeld(given);
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.type"] = "extension";
  if (name !== "") e["gen_ai.tool.name"] = name;
  e["gen_ai.tool.call.arguments"] = args;
  setTargets(e, name, args);
  if (params["_meta"] !== undefined) setMeta(e, line, params["_meta"]);
  if (params["inputResponses"] !== undefined) setRetry(e, line, params);
  const ref = setId(e, line, id);
  if (ref !== undefined && line.session.waiting(ref)?.action === "tool-call-decision") again(line, e, ref);
  else line.session.call(e, ref ?? `${line.key}@${line.scope.offset}`);
  return e;
}

/** 2026-07-28: the request comes again, under a new id, with what the server asked for. */
function setRetry(e: Event, line: Line, params: Fields): void {
  const state = asText(params["requestState"]);
  e["tapline.ext"] = {
    retry: true,
    input_responses: asHeld(params["inputResponses"]),
    ...(state === undefined ? {} : { request_state: line.scope.digest(state) }),
  };
}

function request(line: Line, method: string, id: unknown, params: Fields | undefined): void {
  line.scope.emit(requestOf(line, method, id, params));
}

/** The event of a request that is no tool call, or of a decision on one, and waits for its response. */
export function requestOf(
  line: Line,
  method: string,
  id: unknown,
  params: Fields | undefined,
  as?: Action,
): Event {
  const e = requested(line, method, params, as);
  const ref = setId(e, line, id);
  if (ref !== undefined) line.session.request(e, ref);
  const task = method === "tasks/result" ? asText(params?.["taskId"]) : undefined;
  if (ref !== undefined && task !== undefined) askForTask(line, taskOf(e, line, task), askedFor(ref));
  return e;
}

/** The answer will be that of the call that became the task. */
function askForTask({ session }: Line, task: string, name: string): void {
  const ref = session.postponed(task);
  const call = ref === undefined ? undefined : session.waiting(ref);
  if (call !== undefined) session.postpone(ref!, call, name);
}

/** The event of a request that is no tool call. */
function requested(line: Line, method: string, params: Fields | undefined, as?: Action): Event {
  const action = METHODS.get(method);
  const own = action === "mcp-notification" ? "mcp-request" : (action ?? "mcp-request");
  const e = begin(line, as ?? own, method);
  if (action === undefined) e["tapline.record.known"] = false;
  if (params === undefined) return e;
  setMeta(e, line, params["_meta"]);
  if (method === "resources/read") {
    const uri = asText(params["uri"]);
    e["mcp.resource.uri"] = uri;
    if (uri !== undefined) setUrl(e, uri);
    if (params["inputResponses"] !== undefined) setRetry(e, line, params);
  } else if (method === "sampling/createMessage") setPrompt(e, params);
  else {
    if (method === "prompts/get") e["gen_ai.prompt.name"] = asText(params["name"]);
    else if (method === "initialize") setOpening(e, line, params);
    setRest(e, "params", params);
  }
  return e;
}

function setPrompt(e: Event, params: Fields): void {
  const text = messagesText(params["messages"]);
  const system = asText(params["systemPrompt"]);
  if (text !== undefined) e["gen_ai.input.messages"] = { text };
  if (system !== undefined) e["gen_ai.system_instructions"] = { text: system };
  setSampling(e, params);
  const { messages: _messages, systemPrompt: _system, ...rest } = params;
  setRest(e, "params", rest);
}

function setOpening(e: Event, line: Line, params: Fields): void {
  const client = asObject(params["clientInfo"]);
  const version = asText(params["protocolVersion"]);
  if (client !== undefined && nameOf(line.fields["client"]) === undefined) {
    setClient(e, asText(client["name"]), asText(client["version"]));
  }
  if (version !== undefined) setProtocol(e, version);
  learn(e, line);
}

function notification(line: Line, method: string, params: Fields | undefined): void {
  const e = begin(line, "mcp-notification", method);
  if (METHODS.get(method) !== "mcp-notification") e["tapline.record.known"] = false;
  if (params !== undefined) {
    setMeta(e, line, params["_meta"]);
    if (method === "notifications/cancelled") {
      setId(e, line, params["requestId"]);
      e["event.reason"] = asText(params["reason"]);
    } else if (method === "notifications/resources/updated") e["mcp.resource.uri"] = asText(params["uri"]);
    setRest(e, "params", params);
  }
  line.scope.emit(e);
}

/** 2026-07-28: what a server asks of the client comes inside an answer. Each is an event as its request was before. */
function inputRequests(line: Line, requests: Fields): void {
  for (const name of Object.keys(requests)) {
    const inner = asObject(requests[name]);
    const method = asText(inner?.["method"]);
    if (method !== undefined) line.scope.emit(requested(line, method, asObject(inner?.["params"])));
  }
}
