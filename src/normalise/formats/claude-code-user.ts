// Claude Code's user records: prompts, results of tools, and what the harness says in the user's name.
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { type ClaudeStream, begin, changeMode, refOf } from "./claude-code-record.ts";
import { decisionOf, setVerdict } from "./decision.ts";
import { asDuration, asInteger, asResult, setOutcome, textOf } from "./fields.ts";

const EXIT_CODE = /^(?:Error: )?Exit code (\d{1,10})\b/;
const NOT_TYPED = /^(?:<local-command-|<task-notification>|<bash-std|Caveat: )/;

/** Emits a tool-result for every result, else a prompt or a session event; a change of mode comes first. */
export function user(r: Fields, of: ClaudeStream, session: Session, scope: Scope): Outcome {
  mode(r, of, session, scope);
  const content = asObject(r["message"])?.["content"];
  let results = 0;
  for (const item of asList(content)) {
    const block = asObject(item);
    if (block?.["type"] !== "tool_result") continue;
    toolResult(r, block, of, session, scope, results++);
  }
  const text = textOf(
    results > 0 ? asList(content).filter((item) => asObject(item)?.["type"] === "text") : content,
  );
  if (results > 0 && text === undefined) return "recorded";
  const said = speaker(r, text);
  const e = begin(said === undefined ? "prompt" : "session-event", r, of, scope);
  if (said !== undefined) e["tapline.record.type"] = `user.${said}`;
  if (text !== undefined) e["gen_ai.input.messages"] = { text };
  e["tapline.permission.mode"] = session.fact("tapline.permission.mode");
  scope.emit(e);
  return "recorded";
}

/** Who speaks in the user's name, or undefined for the user (in a subagent: the agent that called it). */
function speaker(r: Fields, text: string | undefined): string | undefined {
  if (r["isCompactSummary"] === true) return "compact_summary";
  if (r["isMeta"] === true) return "meta";
  if (text?.startsWith("[Request interrupted") === true) return "interrupted";
  const origin = asText(asObject(r["origin"])?.["kind"]);
  if (origin !== undefined && origin !== "human" && origin !== "cli") return origin;
  return text !== undefined && NOT_TYPED.test(text) ? "output" : undefined;
}

/** Prompts carry the permission mode; older versions write no other record when it changes. */
function mode(r: Fields, of: ClaudeStream, session: Session, scope: Scope): void {
  const now = asText(r["permissionMode"]);
  const known = session.fact("tapline.permission.mode");
  // A subagent's file is read at another time than its parent's: its mode says nothing of now.
  if (now === undefined || now === known || of.agent !== undefined) return;
  if (known === undefined) {
    session.note("tapline.permission.mode", now);
    return;
  }
  const e = begin("permission-change", r, of, scope);
  e["tapline.permission.mode"] = now;
  changeMode(e, session, now, "prompt");
  scope.emit(e);
}

/** Emits one result; `n` tells results of one record apart where they have no id. */
export function toolResult(
  r: Fields,
  block: Fields,
  of: ClaudeStream,
  session: Session,
  scope: Scope,
  n = 0,
): void {
  const detail = r["toolUseResult"];
  const id = asText(block["tool_use_id"]);
  const denied = denialOf(r, block, detail);
  const e = begin("tool-result", r, of, scope);
  const source = asText(r["sourceToolUseID"]);
  const ref =
    id ??
    (source !== undefined && session.isOpen(source)
      ? source
      : refOf(asText(r["sourceToolAssistantUUID"]) ?? "", n));
  e["gen_ai.operation.name"] = "execute_tool";
  e["gen_ai.tool.call.id"] = id;
  e["gen_ai.tool.call.result"] = asResult(block["content"]);
  details(e, block, detail);
  // A denial is a decision of its own, before the result that tells the model of it.
  if (denied !== undefined) {
    setOutcome(e, false, "denied", textOf(block["content"]));
    setVerdict(e, "deny", denied);
  }
  session.result(e, ref);
  if (denied !== undefined) scope.emit(decisionOf(e, begin("tool-call-decision", r, of, scope)));
  scope.emit(e);
}

/** Outcome, exit code, file and duration, as the harness tells them beside the text for the model. */
function details(e: Event, block: Fields, detail: unknown): void {
  const d = asObject(detail);
  const interrupted = d?.["interrupted"] === true;
  const code = serverError(block);
  const failed = block["is_error"] === true || d?.["is_error"] === true || interrupted || code !== undefined;
  setOutcome(e, !failed, interrupted ? "interrupted" : undefined, textOf(block["content"]));
  e["error.code"] = code;
  const exit = failed ? EXIT_CODE.exec(textOf(block["content"]) ?? "")?.[1] : undefined;
  e["process.exit_code"] = asInteger(exit ?? d?.["exitCode"] ?? asObject(d?.["task"])?.["exitCode"]);
  e["file.path"] = asText(d?.["filePath"]) ?? asText(asObject(d?.["file"])?.["filePath"]);
  e["event.duration"] = asDuration(d?.["durationMs"] ?? d?.["totalDurationMs"]);
  const agent = asText(d?.["agentId"]);
  const task = asText(d?.["backgroundTaskId"]);
  if (agent !== undefined) e["tapline.ext"] = { agent_id: agent };
  else if (task !== undefined) e["tapline.ext"] = { background_task_id: task };
}

/** Tools that run at the model's provider tell of failures in their content: `{type: web_search_tool_result_error,
 * error_code}`. */
function serverError(block: Fields): string | undefined {
  const content = asObject(block["content"]);
  if (asText(content?.["type"])?.endsWith("_error") !== true) return undefined;
  return asText(content!["error_code"]) ?? "unknown";
}

/** Who denied the call, when it was denied before it ran. */
function denialOf(r: Fields, block: Fields, detail: unknown): string | undefined {
  const kind = asText(r["toolDenialKind"]);
  if (kind !== undefined) return kind.startsWith("user") ? "user" : kind;
  if (block["is_error"] !== true || typeof detail !== "string") return undefined;
  if (detail === "User rejected tool use") return "user";
  return /^Error: Permission to use .* denied/i.test(detail) ? "config" : undefined;
}
