// Codex's tool calls: items of the model's response and events of their execution, joined by call id. Whichever
// comes first makes the event; the other is merged.
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Outcome, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { isCallKnown, isResultKnown } from "./codex-fork.ts";
import { type CodexRecord, begin } from "./codex-record.ts";
import { decisionOf, setDecided, setVerdict, verdictOf } from "./decision.ts";
import { asArguments, asDuration, asFlag, asInteger, asResult, asSpan } from "./fields.ts";
import { nthOf, parseJson, setOutcome, setTool, textOf } from "./fields.ts";

const CALLS =
  /^(?:function_call|custom_tool_call|tool_search_call|local_shell_call|web_search_call|image_generation_call|tool_call|view_image_tool_call|dynamic_tool_call_request|(?:exec_command|mcp_tool_call|patch_apply|web_search)_begin)$/;
const RESULTS =
  /^(?:function_call_output|custom_tool_call_output|tool_search_output|function_result|tool_result|dynamic_tool_call_response|(?:exec_command|mcp_tool_call|patch_apply|web_search|image_generation)_end)$/;
const EXIT_CODE = /(?:^Exit code: |\bProcess exited with code )(-?\d{1,10})\b/;
const REJECTED = /^(?:exec command |patch )?rejected by user|^user rejected|^Rejected\("/i;
const HEAD_CHARS = 500;

/** A call, whatever kind of record tells of it. */
export interface Call {
  readonly name: unknown;
  readonly server: string | undefined;
  readonly args: unknown;
}
/** What became of a call; `ok` undefined when the record does not tell. */
export interface Ended {
  readonly output: unknown;
  readonly ok: boolean | undefined;
  readonly exit: number | undefined;
  readonly took: number | undefined;
  readonly declined: boolean;
}

/** Undefined when the record is not about a call. */
export function callItem(of: CodexRecord): Outcome | undefined {
  const { type, p } = of;
  const starts = CALLS.test(type);
  if (!starts && !RESULTS.test(type)) return undefined;
  const call = callOf(type, p);
  const id = asText(p["call_id"]) ?? asText(p["callId"]) ?? asText(p["id"]);
  if (starts) return openCall(of, id, call!) ? "recorded" : "merged";
  // The end of a call may be the only trace of it.
  const opened = call !== undefined && id !== undefined && call.args !== undefined && openCall(of, id, call);
  return closeCall(of, id, call, endOf(type, p)) || opened ? "recorded" : "merged";
}

/** Emits the call unless another record did; without id it cannot be told and counts. */
export function openCall(of: CodexRecord, id: string | undefined, call: Call): boolean {
  const { session } = of;
  if (id !== undefined && isCallKnown(of, id)) return false;
  const e = begin("tool-call", of);
  setTool(e, call.name, call.server);
  e["gen_ai.tool.call.id"] = id;
  const args = asArguments(call.args);
  e["gen_ai.tool.call.arguments"] = args;
  const fields = asObject(args);
  if (fields !== undefined) setTargets(e, e["gen_ai.tool.name"]!, fields);
  session.call(e, id ?? nthOf(session, "call", e["gen_ai.tool.name"]!));
  of.scope.emit(e);
  return true;
}

/** Emits the result, and before it the denial when the user declined the call. */
export function closeCall(
  of: CodexRecord,
  id: string | undefined,
  call: Call | undefined,
  end: Ended,
): boolean {
  const { session } = of;
  if (id !== undefined && isResultKnown(of, id)) return false;
  const e = begin("tool-result", of);
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.result"] = asResult(end.output);
  e["process.exit_code"] = end.exit;
  e["event.duration"] = end.took;
  const text = textOf(asObject(end.output)?.["content"] ?? end.output);
  const declined = end.declined || (text !== undefined && REJECTED.test(text));
  if (declined) {
    setOutcome(e, false, "denied", text);
    setVerdict(e, "deny", "user");
  } else if (end.ok === undefined) e["event.outcome"] = "unknown";
  else setOutcome(e, end.ok, undefined, text);
  const known = session.result(e, id ?? nthOf(session, "result", asText(call?.name) ?? "unknown"));
  // The call has the better name: the event of its end knows only what kind of tool ran.
  if (known === undefined && call?.name !== undefined) setTool(e, call.name, call.server);
  if (declined) of.scope.emit(decisionOf(e, begin("tool-call-decision", of)));
  of.scope.emit(e);
  return true;
}

function own(name: string, args: unknown): Call {
  return { name, server: undefined, args };
}

/** The call that a record tells of; undefined where it has only the call's id. */
function callOf(type: string, p: Fields): Call | undefined {
  const inner = asObject(p["invocation"]);
  if (inner !== undefined)
    return { name: inner["tool"], server: asText(inner["server"]), args: inner["arguments"] };
  if (type.startsWith("exec_command")) return own("shell", { command: p["command"], cwd: p["cwd"] });
  if (type.startsWith("patch_apply"))
    return own("apply_patch", { changes: Object.keys(asObject(p["changes"]) ?? {}) });
  if (type.startsWith("web_search")) return own("web_search", p["action"] ?? { query: p["query"] });
  if (type.startsWith("image_generation")) return own("image_generation", { prompt: p["revised_prompt"] });
  if (type === "local_shell_call") return own("local_shell", p["action"]);
  if (type === "view_image_tool_call") return own("view_image", { path: p["path"] });
  if (type === "tool_search_call") return own("tool_search", p["arguments"]);
  if (type.endsWith("_output")) return undefined;
  const name = p["name"] ?? p["tool"] ?? asObject(p["function"])?.["name"];
  const space = asText(p["namespace"]);
  const server = space?.startsWith("mcp__") === true ? space.slice(5).replace(/__$/, "") : undefined;
  return { name, server, args: p["arguments"] ?? p["input"] };
}

function endOf(type: string, p: Fields): Ended {
  const took = asSpan(p["duration"]) ?? asDuration(p["duration_ms"]);
  const declined = p["status"] === "declined";
  if (type === "mcp_tool_call_end") {
    const result = asObject(p["result"]);
    const good = asObject(result?.["Ok"]);
    const ok = good !== undefined && good["isError"] !== true;
    return { output: good ?? result?.["Err"], ok, exit: undefined, took, declined };
  }
  if (type === "exec_command_end") {
    const exit = asInteger(p["exit_code"]);
    const output = p["aggregated_output"] ?? p["formatted_output"] ?? p["stdout"];
    return { output, ok: exit === undefined ? undefined : exit === 0, exit, took, declined };
  }
  // An image's data is not kept; where it was saved is.
  if (type === "image_generation_end") {
    return {
      output: p["saved_path"],
      ok: p["status"] === "completed" ? true : undefined,
      exit: undefined,
      took,
      declined,
    };
  }
  const raw = p["output"] ?? p["result"] ?? p["content_items"] ?? p["results"] ?? p["tools"] ?? p["stdout"];
  // Older versions put text and exit code in a JSON text of their own.
  const told = asObject(raw) ?? (typeof raw === "string" ? asObject(parseJson(raw)) : undefined);
  const output = asText(told?.["output"]) ?? raw;
  const exit = exitOf(told, output);
  const good = asFlag(p["success"]) ?? asFlag(told?.["success"]);
  const ok = good ?? (exit === undefined ? undefined : exit === 0);
  return { output, ok, exit, took, declined };
}

/** Exit code in a tool's output: its own JSON, or a line of text. */
export function exitOf(o: Fields | undefined, output: unknown): number | undefined {
  const code = o?.["exitCode"] ?? o?.["exit_code"] ?? asObject(o?.["metadata"])?.["exit_code"];
  if (code !== undefined) return asInteger(code);
  return asInteger(EXIT_CODE.exec((textOf(output) ?? "").slice(0, HEAD_CHARS))?.[1]);
}

/** The reviewer of calls; undefined while it has not decided. */
export function guardian(of: CodexRecord): Outcome | undefined {
  const { p } = of;
  const status = asText(p["status"]);
  const verdict = verdictOf(status);
  const action = asObject(p["action"]);
  if (verdict === undefined || action === undefined) return undefined;
  const e: Event = begin("tool-call-decision", of);
  setTool(
    e,
    action["tool_name"] ?? (action["type"] === "command" ? "shell" : action["type"]),
    asText(action["server"]),
  );
  const id = asText(p["target_item_id"]);
  const key = id === undefined ? undefined : of.session.waiting(id)?.key;
  e["gen_ai.tool.call.id"] = id;
  e["tapline.call.ref"] = id;
  e["tapline.call_key"] = key;
  if (key !== undefined && verdict === "deny") of.session.refuse(key);
  e["event.reason"] = asText(p["rationale"]);
  setTargets(e, e["gen_ai.tool.name"]!, action);
  setVerdict(e, verdict, "policy", asText(p["decision_source"]) ?? "guardian");
  setDecided(e, verdict);
  of.scope.emit(e);
  return "recorded";
}
