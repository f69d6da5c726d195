// Hook payloads of Gemini CLI, by the types of `@google/gemini-cli-core` 0.61. A model's answer comes in pieces, each
// with its own AfterModel: the piece that ends it is kept.
import { type Fields, asList, asObject, asText } from "../format.ts";
import { asCount, textOf } from "./fields.ts";
import type { HookClient, Told } from "./hook-told.ts";
import { noticed } from "./hook-told.ts";

const MCP_NAME = /^mcp_([^_]+)_+(.+)$/;

function tool(p: Fields): Omit<Told, "does"> {
  const context = asObject(p["mcp_context"]);
  const name = asText(p["tool_name"]);
  const parts = context === undefined ? MCP_NAME.exec(name ?? "") : null;
  const command = [context?.["command"], ...asList(context?.["args"])]
    .map(asText)
    .filter((word) => word !== undefined);
  return {
    tool: asText(context?.["tool_name"]) ?? parts?.[2] ?? name,
    server: asText(context?.["server_name"]) ?? parts?.[1],
    server_url: asText(context?.["url"]),
    server_command: asText(command.join(" ")),
    args: p["tool_input"],
  };
}

/** What the model is given is the result; what is shown repeats it. */
function result(p: Fields): Told {
  const response = asObject(p["tool_response"]);
  const error = asObject(response?.["error"]);
  const failed = error !== undefined || typeof response?.["error"] === "string";
  return {
    ...tool(p),
    does: "result",
    result: response?.["llmContent"] ?? response?.["returnDisplay"] ?? response,
    ok: !failed,
    error: asText(error?.["message"]) ?? asText(response?.["error"]),
    error_type: asText(error?.["type"]),
  };
}

/** Whether the user may be asked about a tool: the only notification that there is. */
function asked(p: Fields): Told {
  const details = asObject(p["details"]) ?? {};
  const type = asText(details["type"]);
  const path = asText(details["filePath"]);
  const command = asText(details["command"]);
  return {
    does: "decision",
    verdict: "ask",
    tool: asText(details["toolName"]) ?? (type === "exec" ? "run_shell_command" : (type ?? "unknown")),
    server: asText(details["serverName"]),
    args: command === undefined ? undefined : { command },
    path,
    url: asText(asList(details["urls"])[0]),
    text: asText(p["message"]),
  };
}

function model(p: Fields): Told {
  const request = asObject(p["llm_request"]);
  const response = asObject(p["llm_response"]);
  const usage = asObject(response?.["usageMetadata"]);
  const rest: Fields = {};
  const tokens = asCount(usage?.["totalTokenCount"]);
  if (tokens !== undefined) rest["total_tokens"] = tokens;
  const wanted = asText(request?.["model"]);
  if (wanted !== undefined) rest["model"] = wanted;
  return { does: "notice", output: textOf(response?.["text"]), rest };
}

function read(event: string, p: Fields): Told | undefined {
  switch (event) {
    case "BeforeTool":
      return { ...tool(p), does: "call" };
    case "AfterTool":
      return result(p);
    case "BeforeAgent":
      return noticed("prompt", p, { text: "prompt" });
    case "AfterAgent":
      return { does: "notice", output: asText(p["prompt_response"]) };
    case "Notification":
      return p["notification_type"] === "ToolPermission"
        ? asked(p)
        : noticed("notice", p, { text: "message" });
    case "SessionStart":
      return noticed("start", p, { reason: "source" });
    case "SessionEnd":
      return noticed("end", p, { reason: "reason" });
    case "PreCompress":
      return noticed("notice", p, { reason: "trigger" });
    case "BeforeModel":
    case "AfterModel":
    case "BeforeToolSelection":
      return model(p);
    default:
      return undefined;
  }
}

export const geminiHooks: HookClient = {
  service: "gemini-cli",
  provider: "google",
  who: (p) => ({ session: asText(p["session_id"]), cwd: asText(p["cwd"]), time: p["timestamp"] }),
  read,
};
