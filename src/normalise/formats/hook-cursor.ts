// Hook payloads of Cursor. Commands, MCP calls and reads have hooks of their own beside those for all tools, so that
// one call may be told twice. Field names are those that third parties document: no payload of a real client was at hand.
import { canonical } from "../../core/digest.ts";
import { type Fields, asList, asText } from "../format.ts";
import { asArguments, parseJson } from "./fields.ts";
import type { HookClient, Places, Told, Who } from "./hook-told.ts";
import { noticed, pathIn } from "./hook-told.ts";

const NOTICES: Readonly<Record<string, Places>> = {
  afterAgentResponse: { output: "text" },
  afterAgentThought: { output: "text" },
  subagentStart: {},
  subagentStop: { reason: "status" },
  preCompact: { reason: "trigger" },
  stop: { reason: "status" },
};

function who(p: Fields): Who {
  return {
    session: asText(p["conversation_id"]) ?? asText(p["session_id"]),
    model: asText(p["model"]),
    version: asText(p["cursor_version"]),
    cwd: asText(p["cwd"]) ?? asText(asList(p["workspace_roots"])[0]),
    turn: asText(p["generation_id"]),
    email: asText(p["user_email"]),
  };
}

function command(p: Fields): Omit<Told, "does"> {
  const line = asText(p["command"]);
  return { tool: "Shell", args: { command: line ?? "" }, target: line };
}

/** Arguments are an object in older versions and its JSON in newer ones. */
function mcp(p: Fields): Omit<Told, "does"> {
  const url = asText(p["url"]);
  const args = asArguments(p["tool_input"]);
  const line = asText(p["command"]);
  return {
    tool: asText(p["tool_name"]),
    // The hook names the server by what it is reached by alone.
    server: asText(p["server_name"]) ?? url ?? line,
    server_url: url,
    server_command: line,
    args,
    target: canonical(args),
  };
}

/** Tools of servers are `MCP:<tool>` here, and by their own name in the hooks of MCP. */
function tool(p: Fields): Omit<Told, "does"> {
  const args = asArguments(p["tool_input"]);
  const fields = (typeof args === "object" ? args : undefined) as Fields | undefined;
  const name = asText(p["tool_name"]);
  const line = asText(fields?.["command"]);
  return {
    tool: name?.startsWith("MCP:") === true ? name.slice(4) : name,
    call_id: asText(p["tool_use_id"]),
    args,
    call_args: name === "Shell" && line !== undefined ? { command: line } : args,
    target: line ?? pathIn(fields) ?? canonical(args),
    duration_ms: p["duration"],
  };
}

function file(p: Fields, name: string): Omit<Told, "does"> {
  const { file_path, edits, attachments } = p;
  const args: Fields = { file_path };
  if (edits !== undefined) args["edits"] = edits;
  if (attachments !== undefined) args["attachments"] = attachments;
  return { tool: name, args, target: asText(file_path) };
}

function resultOf(value: unknown): unknown {
  return typeof value === "string" ? (parseJson(value) ?? value) : value;
}

function read(event: string, p: Fields): Told | undefined {
  switch (event) {
    case "preToolUse":
      return { ...tool(p), does: "call" };
    case "postToolUse":
      return { ...tool(p), does: "result", result: resultOf(p["tool_output"] ?? p["result_json"]), ok: true };
    case "postToolUseFailure":
      return {
        ...tool(p),
        does: "result",
        ok: false,
        error: asText(p["error_message"]),
        error_type: asText(p["failure_type"]),
      };
    case "beforeShellExecution":
      return { ...command(p), does: "call" };
    case "afterShellExecution":
      return { ...command(p), does: "result", result: p["output"], duration_ms: p["duration"] };
    case "beforeMCPExecution":
      return { ...mcp(p), does: "call" };
    case "afterMCPExecution":
      return { ...mcp(p), does: "result", result: resultOf(p["result_json"]), duration_ms: p["duration"] };
    // What the file holds comes before it is read: it is the result of a read that nothing else tells of.
    case "beforeReadFile":
      return { ...file(p, "Read"), does: "call", result: p["content"] };
    case "beforeTabFileRead":
      return { ...file(p, "TabRead"), does: "call", result: p["content"] };
    case "afterFileEdit":
      return { ...file(p, "Write"), does: "result", ok: true };
    case "afterTabFileEdit":
      return { ...file(p, "TabWrite"), does: "result", ok: true };
    case "beforeSubmitPrompt":
      return noticed("prompt", p, { text: "prompt" });
    case "sessionStart":
      return noticed("start", p);
    case "sessionEnd":
      return noticed("end", p, { reason: "reason" });
    default: {
      const places = NOTICES[event];
      return places === undefined ? undefined : noticed("notice", p, places);
    }
  }
}

export const cursorHooks: HookClient = { service: "cursor", provider: undefined, who, read };
