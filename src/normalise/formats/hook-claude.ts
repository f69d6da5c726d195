// Hook payloads of Claude Code, and of Codex, whose hooks are made after them: 33 events in the types of
// `@anthropic-ai/claude-agent-sdk` 0.3.330.
import { type Fields, asObject, asText } from "../format.ts";
import { exitOf } from "./codex-calls.ts";
import { asFlag, parseJson, textOf } from "./fields.ts";
import type { HookClient, Places, Told, Who } from "./hook-told.ts";
import { noticed } from "./hook-told.ts";

const NOTICES: Readonly<Record<string, Places>> = {
  Notification: { text: "message", reason: "notification_type" },
  UserPromptExpansion: { text: "prompt", reason: "expansion_type" },
  Stop: { output: "last_assistant_message" },
  SubagentStart: {},
  SubagentStop: { output: "last_assistant_message" },
  PreCompact: { reason: "trigger", text: "custom_instructions" },
  PostCompact: { reason: "trigger", output: "compact_summary" },
  PreModelSwitch: { reason: "source" },
  PostModelSwitch: { reason: "source" },
  Setup: { reason: "trigger" },
  TeammateIdle: {},
  TaskCreated: { text: "task_subject" },
  TaskCompleted: { text: "task_subject" },
  WorktreeCreate: {},
  WorktreeRemove: { path: "worktree_path" },
  InstructionsLoaded: { path: "file_path", reason: "load_reason" },
  CwdChanged: { path: "new_cwd" },
  FileChanged: { path: "file_path", reason: "event" },
  DirectoryAdded: { path: "directory", reason: "source" },
  MessageDisplay: { output: "delta" },
  PostToolBatch: {},
};

function who(p: Fields): Who {
  return {
    session: asText(p["session_id"]),
    agent_id: asText(p["agent_id"]),
    agent_name: asText(p["agent_type"]),
    model: asText(p["model"]),
    mode: asText(p["permission_mode"]),
    cwd: asText(p["cwd"]),
    turn: asText(p["prompt_id"]) ?? asText(p["turn_id"]),
    time: p["timestamp"],
  };
}

function tool(p: Fields): Omit<Told, "does"> {
  const server = asObject(p["mcp_server"]);
  return {
    tool: asText(p["tool_name"]),
    server: asText(server?.["name"]),
    server_scope: asText(server?.["source"]),
    call_id: asText(p["tool_use_id"]),
    args: p["tool_input"],
    duration_ms: p["duration_ms"],
  };
}

/** A tool that ran. Most failures have an event of their own in Claude Code. */
function done(p: Fields): Told {
  const response = asObject(p["tool_response"]);
  const interrupted = response?.["interrupted"] === true;
  const failed = interrupted || response?.["isError"] === true || response?.["is_error"] === true;
  return {
    ...tool(p),
    does: "result",
    result: p["tool_response"],
    ok: !failed,
    error: failed ? (textOf(response["content"]) ?? asText(response["stderr"])) : undefined,
    error_type: interrupted ? "interrupted" : undefined,
  };
}

function read(event: string, p: Fields): Told | undefined {
  switch (event) {
    case "PreToolUse":
      return { ...tool(p), does: "call" };
    case "PostToolUse":
      return done(p);
    case "PostToolUseFailure": {
      const error_type = p["is_interrupt"] === true ? "interrupted" : undefined;
      return { ...tool(p), does: "result", ok: false, error: asText(p["error"]), error_type };
    }
    case "PermissionRequest":
      return {
        ...tool(p),
        does: "decision",
        verdict: "ask",
        rest:
          p["permission_suggestions"] === undefined
            ? undefined
            : { suggestions: p["permission_suggestions"] },
      };
    case "PermissionDenied":
      return {
        ...tool(p),
        does: "decision",
        verdict: "deny",
        decider: "config",
        reason: asText(p["reason"]),
      };
    case "UserPromptSubmit":
      return noticed("prompt", p, { text: "prompt", reason: "source" });
    case "SessionStart":
      return noticed("start", p, { reason: "source" });
    case "SessionEnd":
      return noticed("end", p, { reason: "reason" });
    case "StopFailure":
      return {
        ...noticed("error", p, { output: "last_assistant_message" }),
        error: asText(p["error_details"]),
        error_type: asText(p["error"]),
        rest: undefined,
      };
    case "ConfigChange":
      // Settings hold permissions; skills do not.
      return noticed(p["source"] === "skills" ? "notice" : "permission", p, {
        reason: "source",
        path: "file_path",
      });
    case "Elicitation":
      return {
        ...noticed("elicitation", p, { text: "message", url: "url" }),
        server: asText(p["mcp_server_name"]),
      };
    case "ElicitationResult":
      return { ...noticed("answer", p, { reason: "action" }), server: asText(p["mcp_server_name"]) };
    default: {
      const places = NOTICES[event];
      return places === undefined ? undefined : noticed("notice", p, places);
    }
  }
}

/** Codex sends PostToolUse for what failed, too, and of commands often the output alone, which does not tell. */
function readCodex(event: string, p: Fields): Told | undefined {
  const told = read(event, p);
  if (told === undefined || event !== "PostToolUse" || told.ok === false) return told;
  const given = p["tool_response"];
  const response = asObject(typeof given === "string" ? parseJson(given) : given);
  const exit_code = exitOf(response, asText(response?.["output"]) ?? given);
  // A server's answer: without `isError` it is none.
  const answered = Array.isArray(response?.["content"]) ? true : undefined;
  const ok = asFlag(response?.["success"]) ?? (exit_code === undefined ? answered : exit_code === 0);
  return { ...told, exit_code, ok };
}

export const claudeHooks: HookClient = { service: "claude-code", provider: "anthropic", who, read };
export const codexHooks: HookClient = { service: "codex", provider: "openai", who, read: readCodex };
