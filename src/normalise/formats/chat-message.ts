// One message of the chat-completions shape to its events: prompt, model-call, tool-call, tool-result.
import type { Event } from "../../core/generated/event.ts";
import type { Json } from "../../core/text.ts";
import { type Fields, type Scope, asHeld, asList, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { setTargets } from "../targets.ts";
import { asArguments, asCount, nthOf, setTool, timeOf } from "./fields.ts";

export interface ChatLine {
  readonly scope: Scope;
  readonly session: Session;
  readonly fields: Fields;
  readonly time: string | number | undefined;
  readonly all: Fields | undefined;
  readonly brief: Fields | undefined;
  /** Tools called in this line whose result has not come, oldest first: for results that name nothing. */
  readonly waiting: string[];
  emitted: number;
}

interface Call {
  readonly id: string | undefined;
  readonly tool: string;
  readonly args: unknown;
}

/** Emits at least one event. `last` is true for the line's last message, which the line's usage belongs to. */
export function mapMessage(line: ChatLine, value: unknown, last: boolean): void {
  const message = asObject(value) ?? {};
  switch (message["role"]) {
    case "user":
      userPrompt(line, message);
      break;
    case "system":
    case "developer":
      instructions(line, message);
      break;
    case "assistant":
      assistant(line, message, last);
      break;
    case "tool":
    case "function":
      toolResult(line, message);
      break;
    default:
      unknownMessage(line, value);
  }
}

/** Takes notice of a message that was recorded with an earlier line. */
export function skipMessage(line: ChatLine, value: unknown): void {
  const message = asObject(value) ?? {};
  for (const call of callsOf(message)) line.waiting.push(call.tool);
  if (message["role"] === "tool" || message["role"] === "function") settle(line, toolOf(message));
}

function begin(line: ChatLine, action: Parameters<Scope["event"]>[0], message: Fields): Event {
  const e = line.scope.event(action, timeOf(message) ?? line.time);
  const role = asText(message["role"]);
  if (role !== undefined) e["tapline.record.type"] = role;
  e["tapline.record.id"] = asText(message["id"]);
  return e;
}

function emit(line: ChatLine, e: Event): void {
  const context = line.emitted++ === 0 ? line.all : line.brief;
  if (context !== undefined)
    e["tapline.ext"] = { ...(e["tapline.ext"] as object | undefined), line: asHeld(context) };
  line.scope.emit(e);
}

/** Text of one part of content: a text, `{text}`, or `{type: "text", content}` as AgentDojo writes it. */
function partText(part: unknown): string | undefined {
  if (typeof part === "string") return part;
  const fields = asObject(part);
  const text = fields?.["text"] ?? (fields?.["type"] === "text" ? fields["content"] : undefined);
  return typeof text === "string" ? text : undefined;
}

/** Content as an event holds it: its text, and what is no text (images, files) beside it. */
function heldOf(content: unknown): Json | undefined {
  if (content === undefined || content === null) return undefined;
  const parts = Array.isArray(content) ? (content as unknown[]) : [content];
  const texts: string[] = [];
  const others: unknown[] = [];
  for (let i = 0; i < parts.length; i++) {
    const text = partText(parts[i]);
    if (text === undefined) others.push(parts[i]);
    else if (text !== "") texts.push(text);
  }
  if (texts.length + others.length === 0) return undefined;
  return {
    ...(texts.length === 0 ? {} : { text: texts.join("\n") }),
    ...(others.length === 0 ? {} : { parts: others as Json[] }),
  };
}

export function userPrompt(line: ChatLine, message: Fields): void {
  const e = begin(line, "prompt", message);
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.input.messages"] = heldOf(message["content"]);
  e["user.name"] = asText(message["name"]) ?? asText(line.fields["user"]);
  emit(line, e);
}

function instructions(line: ChatLine, message: Fields): void {
  const e = begin(line, "session-event", message);
  e["gen_ai.system_instructions"] = heldOf(message["content"]);
  emit(line, e);
}

function unknownMessage(line: ChatLine, value: unknown): void {
  const e = begin(line, "record", asObject(value) ?? {});
  e["tapline.record.known"] = false;
  e["tapline.ext"] = { message: asHeld(value) };
  emit(line, e);
}

function callsOf(message: Fields): Call[] {
  const calls: Call[] = [];
  if (message["role"] !== "assistant") return calls;
  for (const value of asList(message["tool_calls"])) {
    const call = asObject(value);
    if (call === undefined) continue;
    // `function` holds name and arguments, or is the name itself with the arguments beside it.
    const inner = asObject(call["function"]) ?? asObject(call["custom"]);
    const tool = asText(inner?.["name"]) ?? asText(call["function"]) ?? asText(call["name"]) ?? "unknown";
    const args = inner?.["arguments"] ?? inner?.["input"] ?? call["args"] ?? call["arguments"];
    calls.push({ id: asText(call["id"]), tool, args });
  }
  const old = asObject(message["function_call"]);
  if (old !== undefined) {
    calls.push({ id: undefined, tool: asText(old["name"]) ?? "unknown", args: old["arguments"] });
  }
  return calls;
}

function assistant(line: ChatLine, message: Fields, last: boolean): void {
  const calls = callsOf(message);
  const said = heldOf(message["content"]) ?? heldOf(message["refusal"]);
  const usage = asObject(message["usage"]) ?? (last ? asObject(line.fields["usage"]) : undefined);
  if (said !== undefined || usage !== undefined || calls.length === 0) modelCall(line, message, said, usage);
  for (let i = 0; i < calls.length; i++) toolCall(line, message, calls[i]!);
}

function modelCall(line: ChatLine, message: Fields, said: Json | undefined, usage: Fields | undefined): void {
  const e = begin(line, "model-call", message);
  const reason = asText(message["finish_reason"]) ?? asText(message["stop_reason"]);
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.provider.name"] = asText(line.fields["provider"]);
  e["gen_ai.response.model"] = asText(message["model"]) ?? asText(line.fields["model"]);
  e["gen_ai.output.messages"] = said;
  if (reason !== undefined) e["gen_ai.response.finish_reasons"] = [reason];
  if (usage !== undefined) {
    e["gen_ai.usage.input_tokens"] = asCount(usage["prompt_tokens"]) ?? asCount(usage["input_tokens"]);
    e["gen_ai.usage.output_tokens"] = asCount(usage["completion_tokens"]) ?? asCount(usage["output_tokens"]);
    e["gen_ai.usage.cache_read.input_tokens"] = asCount(
      asObject(usage["prompt_tokens_details"])?.["cached_tokens"],
    );
    e["gen_ai.usage.reasoning.output_tokens"] = asCount(
      asObject(usage["completion_tokens_details"])?.["reasoning_tokens"],
    );
  }
  emit(line, e);
}

function toolCall(line: ChatLine, message: Fields, call: Call): void {
  const e = begin(line, "tool-call", message);
  const args = asArguments(call.args) ?? {};
  setTool(e, call.tool);
  e["gen_ai.tool.call.id"] = call.id;
  e["gen_ai.tool.call.arguments"] = args;
  setTargets(e, e["gen_ai.tool.name"]!, args as Fields);
  line.session.call(e, call.id ?? nthOf(line.session, "call", call.tool));
  line.waiting.push(call.tool);
  emit(line, e);
}

function toolOf(message: Fields): string | undefined {
  return asText(message["name"]) ?? asText(asObject(message["tool_call"])?.["function"]);
}

/** Takes the tool off the list of those that wait; the oldest when the result does not say whose it is. */
function settle(line: ChatLine, tool: string | undefined): string {
  const at = tool === undefined ? 0 : line.waiting.indexOf(tool);
  const [found] = at === -1 ? [] : line.waiting.splice(at, 1);
  return tool ?? found ?? "unknown";
}

function toolResult(line: ChatLine, message: Fields): void {
  const e = begin(line, "tool-result", message);
  const id = asText(message["tool_call_id"]) ?? asText(asObject(message["tool_call"])?.["id"]);
  const open = id === undefined ? undefined : line.session.waiting(id)?.tool;
  const tool = settle(line, toolOf(message) ?? open);
  e["gen_ai.tool.call.result"] = heldOf(message["content"]) ?? {};
  line.session.result(e, id ?? nthOf(line.session, "result", tool));
  if (e["gen_ai.tool.name"] === undefined) setTool(e, tool);
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.call.id"] ??= id;
  // Without times of their own all messages of a line share one, which says nothing of how long a call took.
  if (timeOf(message) === undefined) e["event.duration"] = undefined;
  setError(e, message);
  emit(line, e);
}

/** The shape has no word for failure; some writers add one. */
function setError(e: Event, message: Fields): void {
  const error = message["error"];
  if (error === undefined) e["event.outcome"] = message["is_error"] === true ? "failure" : "unknown";
  else e["event.outcome"] = error === null || error === false || error === "" ? "success" : "failure";
  if (e["event.outcome"] !== "failure") return;
  e["error.type"] = "tool_error";
  e["error.message"] = asText(error) ?? asText(asObject(error)?.["message"]);
}
