// Claude Code: transcripts `projects/<slug>/<session>.jsonl` and its subagents' `<session>/subagents/agent-<id>.jsonl`.
// Decides what each record is; messages with their tool calls are read in claude-code-{assistant,user}.ts. The format
// changes with every release: types that are not known are kept whole, never dropped.
import { type Fields, type Format, type Outcome, type Scope, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { assistant } from "./claude-code-assistant.ts";
import { type ClaudeStream, begin, changeMode } from "./claude-code-record.ts";
import { user } from "./claude-code-user.ts";
import { asCount, asDuration, textOf } from "./fields.ts";
import { CLAUDE_CODE_FIELDS } from "./known-fields.ts";

/** Records that say something about the session and nothing that needs a reading of its own. */
const SESSION_TYPES = new Set(
  (
    "summary file-history-snapshot queue-operation attachment mode worktree-state relocated ai-title custom-title " +
    "agent-name last-prompt pr-link frame-link bridge-session started result tag content-replacement"
  ).split(" "),
);
const TYPES = new Set(["user", "assistant", "system", "progress", "permission-mode", ...SESSION_TYPES]);
const UUID =
  /([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})(?:\.jsonl|\/subagents\/[^/]*)(?:\.\d+)?(?:\.gz)?$/;
const AGENT = /\/subagents\/(?:[^/]*\/)*agent-([^/]+?)\.jsonl/;

function map(r: Fields, of: ClaudeStream, scope: Scope): Outcome {
  const type = r["type"];
  if (type === "progress") return progress(r, of, scope);
  const session = scope.session(of.session ?? asText(r["sessionId"]) ?? asText(r["session_id"]));
  const uuid = asText(r["uuid"]);
  if (uuid !== undefined && (session.repeats(uuid) || isCopy(r, session, scope))) return "merged";
  if (type === "assistant") return assistant(r, of, session, scope);
  if (type === "user") return user(r, of, session, scope);
  if (type === "system") return system(r, of, scope);
  if (type === "permission-mode") return permissionMode(r, of, session, scope);
  if (typeof type === "string" && SESSION_TYPES.has(type)) return sessionEvent(r, type, of, scope);
  const e = begin("record", r, of, scope);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = r as never;
  scope.emit(e);
  return "recorded";
}

/** A branch copies the history of its origin and says so; the copy counts when the origin was not seen. */
function isCopy(r: Fields, own: Session, scope: Scope): boolean {
  const origin = asObject(r["forkedFrom"]);
  const session = asText(origin?.["sessionId"]);
  const uuid = asText(origin?.["messageUuid"]) ?? asText(r["uuid"]);
  if (session === undefined || uuid === undefined || session === own.id) return false;
  const seen = scope.session(session).repeats(uuid);
  scope.session(own.id);
  return seen;
}

/** Progress repeats what other records say, but for a subagent's messages where its own file is not kept. */
function progress(r: Fields, of: ClaudeStream, scope: Scope): Outcome {
  const data = asObject(r["data"]);
  const message = asObject(data?.["message"]);
  const type = message?.["type"];
  if (data?.["type"] !== "agent_progress" || (type !== "assistant" && type !== "user"))
    return "skipped:progress";
  const { agentId } = data;
  const inner = {
    ...r,
    ...message,
    agentId,
    isSidechain: true,
    timestamp: message!["timestamp"] ?? r["timestamp"],
  };
  return map(inner, of, scope);
}

function system(r: Fields, of: ClaudeStream, scope: Scope): Outcome {
  const subtype = asText(r["subtype"]) ?? "unknown";
  const error = asObject(r["error"]);
  const failed = error !== undefined || subtype.includes("error") || subtype === "api_refusal";
  const start = subtype === "session_start" || subtype === "init";
  const e = begin(failed ? "agent-error" : start ? "session-start" : "session-event", r, of, scope);
  e["tapline.record.type"] = `system.${subtype}`;
  e["event.duration"] = asDuration(r["durationMs"]);
  e["gen_ai.request.model"] = asText(r["model"]) ?? asText(r["originalModel"]);
  const text = asText(r["content"]);
  if (failed) {
    e["event.outcome"] = "failure";
    e["error.type"] = subtype;
    e["error.code"] = codeOf(error?.["status"]) ?? asText(r["apiRefusalCategory"]);
    e["error.message"] = asText(error?.["message"]) ?? asText(r["apiRefusalExplanation"]) ?? text;
  } else if (text !== undefined) e["gen_ai.input.messages"] = { text };
  const compact = asObject(r["compactMetadata"]);
  const ext: Record<string, string | number | boolean> = {};
  put(ext, "trigger", asText(compact?.["trigger"]));
  put(ext, "tokens_before", asCount(compact?.["preTokens"]));
  put(ext, "hooks", asCount(r["hookCount"]));
  put(ext, "hook_errors", Array.isArray(r["hookErrors"]) ? r["hookErrors"].length : undefined);
  put(ext, "prevented_continuation", r["preventedContinuation"] === true ? true : undefined);
  put(ext, "retry_attempt", asCount(r["retryAttempt"]));
  if (Object.keys(ext).length > 0) e["tapline.ext"] = ext;
  scope.emit(e);
  return "recorded";
}

function codeOf(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : asText(value);
}

function put<T>(to: Record<string, T>, key: string, value: T | undefined): void {
  if (value !== undefined) to[key] = value;
}

function permissionMode(r: Fields, of: ClaudeStream, session: Session, scope: Scope): Outcome {
  const mode = asText(r["permissionMode"]);
  const known = session.fact("tapline.permission.mode");
  const e = begin(mode === known ? "session-event" : "permission-change", r, of, scope);
  e["tapline.permission.mode"] = mode;
  if (mode !== known) changeMode(e, session, mode, "mode_record");
  scope.emit(e);
  return "recorded";
}

function sessionEvent(r: Fields, type: string, of: ClaudeStream, scope: Scope): Outcome {
  const e = begin("session-event", r, of, scope);
  const attachment = asObject(r["attachment"]);
  const about = attachment ?? asObject(r["worktreeSession"]) ?? r;
  const detail = asText(attachment?.["type"]) ?? asText(r["operation"]);
  if (detail !== undefined) e["tapline.record.type"] = `${type}.${detail}`;
  if (type === "mode" && typeof r["mode"] === "string") e["tapline.ext"] = { mode: r["mode"] };
  if (type === "relocated") e["process.working_directory"] ??= asText(r["relocatedCwd"]);
  e["file.path"] = asText(about["filename"]) ?? asText(about["path"]) ?? asText(about["worktreePath"]);
  e["url.full"] = asText(r["prUrl"]) ?? asText(r["frameUrl"]);
  e["process.exit_code"] = asCount(attachment?.["exitCode"]);
  e["event.duration"] = asDuration(attachment?.["durationMs"]);
  const content = about["content"] ?? about["prompt"] ?? about["snippet"] ?? r["lastPrompt"];
  const text = textOf(asObject(content)?.["content"] ?? content);
  if (text !== undefined) e["gen_ai.input.messages"] = { text };
  const title =
    asText(r["summary"]) ?? asText(r["aiTitle"]) ?? asText(r["customTitle"]) ?? asText(r["title"]);
  const output = title ?? textOf(asObject(r["result"])?.["summary"] ?? r["result"]);
  if (output !== undefined) e["gen_ai.output.messages"] = { text: output };
  scope.emit(e);
  return "recorded";
}

/** How much a record looks like one of Claude Code's: 1 sure, 0 not at all. */
function likeness(value: unknown): number {
  const r = asObject(value);
  const type = asText(r?.["type"]);
  if (r === undefined || type === undefined || !TYPES.has(type)) return 0;
  const own = asText(r["sessionId"]) ?? asText(r["session_id"]);
  if (own !== undefined && ("parentUuid" in r || "uuid" in r || SESSION_TYPES.has(type))) return 1;
  if (own !== undefined || (type === "file-history-snapshot" && asObject(r["snapshot"]) !== undefined))
    return 0.9;
  return asText(r["leafUuid"]) !== undefined ? 0.9 : 0.2;
}

export const claudeCode: Format = {
  name: "claude-code",
  fields: CLAUDE_CODE_FIELDS,
  vantage: "transcript",
  recognise(head, path) {
    let sum = 0;
    for (const r of head) sum += likeness(r);
    const place = path.includes("/.claude/projects/") ? 0.6 : 0;
    return Math.max(place, head.length === 0 ? 0 : (sum / head.length) * 0.95);
  },
  sessionOf(head, path) {
    // A branch shares its origin's worker, where its copied records are known.
    for (const value of head) {
      const origin = asText(asObject(asObject(value)?.["forkedFrom"])?.["sessionId"]);
      if (origin !== undefined) return origin;
    }
    const named = UUID.exec(path)?.[1];
    if (named !== undefined) return named;
    for (const value of head) {
      const r = asObject(value);
      const id = asText(r?.["sessionId"]) ?? asText(r?.["session_id"]);
      if (id !== undefined) return id;
    }
    return undefined;
  },
  open(stream) {
    const of = { session: UUID.exec(stream.path)?.[1], agent: AGENT.exec(stream.path)?.[1] };
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, of, scope);
    };
  },
};
