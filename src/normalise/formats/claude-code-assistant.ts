// Claude Code's assistant records: what the model said and the tool calls it made. One response is written over
// several records that repeat its usage while it grows; tokens are counted once.
import type { Json } from "../../core/text.ts";
import { type Fields, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { setTargets } from "../targets.ts";
import { type ClaudeStream, begin, refOf } from "./claude-code-record.ts";
import { toolResult } from "./claude-code-user.ts";
import { asArguments, asCount, setTool, textOf } from "./fields.ts";

/** Emits a model-call when the record holds text or tokens not counted yet, and a tool-call for every tool use. */
export function assistant(r: Fields, of: ClaudeStream, session: Session, scope: Scope): Outcome {
  const message = asObject(r["message"]) ?? {};
  const blocks = typeof message["content"] === "string" ? [] : asList(message["content"]);
  if (r["isApiErrorMessage"] === true) return apiError(r, message, of, scope);
  let emitted = modelCall(r, message, of, session, scope) ? 1 : 0;
  let calls = 0;
  for (let i = 0; i < blocks.length; i++) {
    const block = asObject(blocks[i]);
    const type = block?.["type"];
    if (block === undefined || typeof type !== "string") continue;
    if (type.endsWith("tool_use")) toolCall(r, message, block, calls++, of, session, scope);
    else if (type.endsWith("tool_result")) toolResult(r, block, of, session, scope);
    else continue;
    emitted++;
  }
  return emitted > 0 ? "recorded" : "merged";
}

function apiError(r: Fields, message: Fields, of: ClaudeStream, scope: Scope): Outcome {
  const e = begin("agent-error", r, of, scope);
  const status = asCount(r["apiErrorStatus"]);
  e["event.outcome"] = "failure";
  e["error.type"] = asText(r["error"]) ?? "api_error";
  e["error.code"] = status === undefined ? undefined : String(status);
  e["error.message"] = textOf(message["content"]);
  scope.emit(e);
  return "recorded";
}

/** False when the record adds neither text nor tokens to what was recorded of its request. */
function modelCall(r: Fields, message: Fields, of: ClaudeStream, session: Session, scope: Scope): boolean {
  const usage = asObject(message["usage"]);
  const request = asText(r["requestId"]) ?? asText(message["id"]);
  const first = request === undefined || session.countsUsage(request);
  const total = asCount(usage?.["output_tokens"]) ?? 0;
  const more = request === undefined ? total : session.countMore(request, total);
  const output = outputOf(message["content"]);
  if (output === undefined && more === 0 && !first) return false;
  const e = begin("model-call", r, of, scope);
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.response.id"] = asText(message["id"]);
  e["gen_ai.response.model"] = asText(message["model"]);
  const stop = asText(message["stop_reason"]);
  if (stop !== undefined) e["gen_ai.response.finish_reasons"] = [stop];
  if (first && usage !== undefined) {
    e["gen_ai.usage.input_tokens"] = asCount(usage["input_tokens"]);
    e["gen_ai.usage.cache_read.input_tokens"] = asCount(usage["cache_read_input_tokens"]);
    e["gen_ai.usage.cache_creation.input_tokens"] = asCount(usage["cache_creation_input_tokens"]);
  }
  if (more > 0) e["gen_ai.usage.output_tokens"] = more;
  e["gen_ai.output.messages"] = output;
  e["event.outcome"] = r["isAbortedMidStream"] === true ? "failure" : "success";
  if (request === undefined) e["tapline.primary"] = true;
  else session.observe(e, `model.${request}`);
  scope.emit(e);
  return true;
}

/** What the model wrote, as `{text, thinking}`. */
function outputOf(content: unknown): Json | undefined {
  const text = textOf(content);
  let thinking: string | undefined;
  for (const item of asList(content)) {
    const thought = asText(asObject(item)?.["thinking"]);
    if (thought !== undefined) thinking = thinking === undefined ? thought : `${thinking}\n${thought}`;
  }
  if (thinking === undefined) return text === undefined ? undefined : { text };
  return text === undefined ? { thinking } : { text, thinking };
}

function toolCall(
  r: Fields,
  message: Fields,
  block: Fields,
  n: number,
  of: ClaudeStream,
  session: Session,
  scope: Scope,
) {
  const e = begin("tool-call", r, of, scope);
  const id = asText(block["id"]);
  setTool(e, block["name"]);
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.arguments"] = asArguments(block["input"]);
  e["gen_ai.response.model"] = asText(message["model"]);
  e["tapline.permission.mode"] = session.fact("tapline.permission.mode");
  const args = asObject(block["input"]);
  if (args !== undefined) setTargets(e, e["gen_ai.tool.name"]!, args);
  session.call(e, id ?? refOf(asText(r["uuid"]) ?? String(scope.offset), n));
  scope.emit(e);
}
