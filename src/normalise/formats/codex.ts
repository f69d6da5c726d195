// Codex: rollouts `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl` with and without envelope, and the output of
// `codex exec --json`. Brings them to one shape and reads what is about the session; calls are read in
// codex-calls.ts. Most things are logged twice, as item and as event: the second sight is merged.
import { type Fields, type Format, type Outcome, type Scope, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { isCopiedHeader, rootOf } from "./codex-fork.ts";
import { callItem, guardian } from "./codex-calls.ts";
import { execItem } from "./codex-exec.ts";
import {
  type CodexRecord,
  begin,
  failure,
  message,
  reasoning,
  sessionEvent,
  textSaid,
} from "./codex-record.ts";
import { usage } from "./codex-usage.ts";
import { textOf } from "./fields.ts";
import { isRolloutMode, setMode } from "./permission.ts";
import { CODEX_FIELDS } from "./known-fields.ts";

const ENVELOPES = new Set([
  "session_meta",
  "turn_context",
  "response_item",
  "event_msg",
  "compacted",
  "world_state",
]);
const BARE_ITEMS = new Set(
  (
    "message reasoning function_call function_call_output function_result local_shell_call custom_tool_call " +
    "custom_tool_call_output web_search_call tool_call tool_result"
  ).split(" "),
);
const EXEC = /^(?:thread|turn|item)\.\w+$/;
const QUIET_EVENTS =
  /^(?:task_|turn_|turn\.|thread_|context_|entered_|exited_|undo_|sub_agent_|collab_|shutdown|background_|deprecation_|warning|plan_|item_|mcp_startup|raw_|codex\/|account\/|image_generation_|skills_|get_history|session_configured|agent_reasoning_section|turn_diff|hook_)/;
const QUIET_ITEMS = new Set(["ghost_snapshot", "agent_message", "compaction", "compaction_summary", "other"]);
const PATH_ID = /rollout-[\dT:-]+-([\da-f]{8}-[\da-f-]{27})\.jsonl/;

function map(of: CodexRecord): Outcome {
  switch (of.kind) {
    case "session_meta":
      return sessionMeta(of);
    case "turn_context":
      return turnContext(of);
    case "exec":
      return execItem(of);
    case "response_item":
      return item(of);
    case "event_msg":
      return event(of);
    case "compacted":
      return sessionEvent(of, of.p["message"]);
    case "world_state":
    case "inter_agent_communication_metadata":
    case "state":
      return sessionEvent(of);
    default:
      return unknown(of);
  }
}

function item(of: CodexRecord): Outcome {
  const called = callItem(of);
  if (called !== undefined) return called;
  if (of.type === "message") return message(of, of.p["role"], textSaid(of.p["content"] ?? of.p["message"]));
  if (of.type === "reasoning") return reasoning(of, textOf(of.p["summary"]) ?? textOf(of.p["content"]));
  return QUIET_ITEMS.has(of.type) ? sessionEvent(of, of.p["content"]) : unknown(of);
}

function event(of: CodexRecord): Outcome {
  const called = callItem(of);
  if (called !== undefined) return called;
  switch (of.type) {
    case "user_message":
      return message(of, "user", textOf(of.p["message"]));
    case "agent_message":
      return message(of, "assistant", textOf(of.p["message"]));
    case "agent_reasoning":
    case "agent_reasoning_raw_content":
      return reasoning(of, textOf(of.p["text"]));
    case "token_count":
    case "turn.completed":
      return usage(of) ?? sessionEvent(of);
    case "guardian_assessment":
      return guardian(of) ?? sessionEvent(of);
    case "error":
    case "stream_error":
      return failure(of, asObject(of.p["error"]) ?? of.p);
    case "item_completed":
      return itemCompleted(of);
    default:
      return QUIET_EVENTS.test(of.type) ? sessionEvent(of) : unknown(of);
  }
}

/** Newer versions log every item a third time, in words of their own. */
function itemCompleted(of: CodexRecord): Outcome {
  const inner = asObject(of.p["item"]) ?? {};
  const text = textOf(inner["content"]) ?? textOf(inner["text"]);
  if (inner["type"] === "UserMessage") return message(of, "user", text);
  if (inner["type"] === "AgentMessage") return message(of, "assistant", text);
  return sessionEvent(of, text);
}

function unknown(of: CodexRecord): Outcome {
  const e = begin("record", of);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = of.p as never;
  of.scope.emit(e);
  return "recorded";
}

function sessionMeta(of: CodexRecord): Outcome {
  const { p, session } = of;
  const own = asText(p["id"]) ?? asText(p["session_id"]);
  // A fork carries its origin's header too: that says nothing of this session.
  if (session.counted("meta") === 0 || own === session.id) {
    session.note("service.version", asText(p["cli_version"]));
    session.note("process.working_directory", asText(p["cwd"]));
    session.note("gen_ai.provider.name", asText(p["model_provider"]));
    session.note("gen_ai.agent.name", asText(p["agent_nickname"]));
  }
  session.tally("meta");
  if (own !== undefined && isCopiedHeader(of, own)) return "merged";
  const e = begin("session-start", of);
  e["session.id"] = own ?? session.id;
  e["tapline.record.parent_id"] = asText(p["parent_thread_id"]) ?? asText(p["forked_from_id"]);
  if (asObject(asObject(p["source"])?.["subagent"]) !== undefined) e["tapline.call.sidechain"] = true;
  const git = asObject(p["git"]);
  const ext: Record<string, string> = {};
  for (const [key, value] of [
    ["originator", p["originator"]],
    ["branch", git?.["branch"]],
    ["commit", git?.["commit_hash"]],
    ["repository", git?.["repository_url"]],
  ] as const) {
    const text = asText(value);
    if (text !== undefined) ext[key] = text;
  }
  e["tapline.ext"] = ext;
  const told = textOf(p["instructions"]) ?? textOf(asObject(p["base_instructions"])?.["text"]);
  if (told !== undefined) e["gen_ai.system_instructions"] = { text: told };
  of.scope.emit(e);
  return "recorded";
}

/** The permission mode is approval policy and sandbox: `never/danger-full-access`. */
function turnContext(of: CodexRecord): Outcome {
  const { p, session } = of;
  const sandbox = asObject(p["sandbox_policy"]);
  const policy = asText(p["approval_policy"]);
  const box = asText(sandbox?.["type"]) ?? asText(sandbox?.["mode"]) ?? asText(p["sandbox_policy"]);
  const mode = policy === undefined ? undefined : `${policy}/${box ?? "unknown"}`;
  session.note("process.working_directory", asText(p["cwd"]));
  session.note("gen_ai.request.model", asText(p["model"]));
  const noted = session.note("tapline.permission.mode", mode);
  const before = isRolloutMode(noted) ? noted : undefined;
  const e = begin(before === undefined ? "session-event" : "permission-change", of);
  if (before !== undefined) setMode(e, before, mode, "turn_context");
  if (typeof sandbox?.["network_access"] === "boolean")
    e["tapline.ext"] = { network_access: sandbox["network_access"] };
  of.scope.emit(e);
  return "recorded";
}

/** Brings a line of any age to one shape. */
function recordOf(r: Fields, session: Session, origin: Session | undefined, scope: Scope): CodexRecord {
  const type = asText(r["type"]);
  const payload = asObject(r["payload"]);
  const time = r["timestamp"] ?? r["created_at"];
  if (payload !== undefined && type !== undefined) {
    const inner = asText(payload["type"]) ?? type;
    return { kind: type, type: inner, p: payload, time, session, origin, scope };
  }
  const of = (kind: string, inner: string): CodexRecord => ({
    kind,
    type: inner,
    p: r,
    time,
    session,
    origin,
    scope,
  });
  if (type !== undefined && (EXEC.test(type) || type === "error")) return of("exec", type);
  if (type !== undefined && BARE_ITEMS.has(type)) return of("response_item", type);
  if (type === undefined && asText(r["role"]) !== undefined) return of("response_item", "message");
  if (type === undefined && asText(r["id"]) !== undefined && "timestamp" in r)
    return of("session_meta", "session_meta");
  return "record_type" in r ? of("state", "state") : of(type ?? "unknown", type ?? "unknown");
}

function likeness(value: unknown): number {
  const r = asObject(value);
  const type = asText(r?.["type"]);
  if (r === undefined) return 0;
  if (type !== undefined && asObject(r["payload"]) !== undefined) return ENVELOPES.has(type) ? 1 : 0.3;
  if (type !== undefined && EXEC.test(type))
    return "thread_id" in r || "item" in r || type.startsWith("turn.") ? 1 : 0.3;
  if (type === "message" && Array.isArray(r["content"])) return 0.6;
  if (type !== undefined && BARE_ITEMS.has(type))
    return "call_id" in r || "encrypted_content" in r ? 0.9 : 0.4;
  return type === undefined && "git" in r && "instructions" in r ? 1 : "record_type" in r ? 0.5 : 0;
}

export const codex: Format = {
  name: "codex",
  fields: CODEX_FIELDS,
  vantage: "transcript",
  recognise(head, path) {
    let sum = 0;
    for (const r of head) sum += likeness(r);
    return Math.max(PATH_ID.test(path) ? 0.7 : 0, head.length === 0 ? 0 : (sum / head.length) * 0.95);
  },
  sessionOf(head, path) {
    const named = PATH_ID.exec(path)?.[1];
    // A fork shares its origin's worker, where what it copied is known.
    if (named !== undefined) return rootOf(head, named);
    for (const value of head) {
      const r = asObject(value);
      const p = asObject(r?.["payload"]) ?? r;
      if (
        r?.["type"] === "session_meta" ||
        (r?.["type"] === undefined && p !== undefined && "instructions" in p)
      ) {
        return asText(p?.["id"]) ?? asText(p?.["session_id"]);
      }
      const thread = asText(r?.["thread_id"]);
      if (thread !== undefined) return thread;
    }
    return undefined;
  },
  open({ path, session }) {
    const own = PATH_ID.exec(path)?.[1];
    const root = own === session ? undefined : session;
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      const origin = own === undefined || root === undefined ? undefined : scope.session(root);
      return map(recordOf(r, scope.session(own), origin, scope));
    };
  },
};
