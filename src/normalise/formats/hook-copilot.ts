// Hook payloads of Copilot CLI (types of `@github/copilot-sdk` 1.0.14 and its documentation), and of VS Code, which
// writes the same under names in the other style. Payloads do not name their event: the line does.
import { canonical } from "../../core/digest.ts";
import { type Fields, asObject, asText } from "../format.ts";
import { asArguments } from "./fields.ts";
import type { HookClient, Places, Told, Who } from "./hook-told.ts";
import { noticed } from "./hook-told.ts";

const NOTICES: Readonly<Record<string, Places>> = {
  userPromptTransformed: { text: "transformedPrompt" },
  agentStop: { reason: "stopReason" },
  stop: { reason: "stopReason" },
  subagentStart: { reason: "agentName" },
  subagentStop: { reason: "stopReason" },
  preCompact: { reason: "trigger", text: "customInstructions" },
  notification: { text: "message", reason: "notification_type" },
};

function who(p: Fields): Who {
  return {
    session: asText(p["sessionId"]) ?? asText(p["session_id"]),
    cwd: asText(p["workingDirectory"]) ?? asText(p["cwd"]),
    time: p["timestamp"],
  };
}

function tool(p: Fields): Omit<Told, "does"> {
  const args = asArguments(p["toolArgs"] ?? p["arguments"] ?? p["tool_input"] ?? p["toolInput"]);
  return {
    tool: asText(p["toolName"]) ?? asText(p["tool_name"]),
    server: asText(p["serverName"]),
    call_id: asText(p["toolCallId"]) ?? asText(p["tool_use_id"]),
    args,
    target: canonical(args),
  };
}

function result(p: Fields): Told {
  const given = p["toolResult"] ?? p["tool_result"] ?? p["tool_response"];
  const type = asText(asObject(given)?.["resultType"]) ?? asText(asObject(given)?.["result_type"]);
  const failed = type === "failure" || type === "denied" || type === "rejected";
  return {
    ...tool(p),
    does: "result",
    result: asObject(given)?.["textResultForLlm"] ?? asObject(given)?.["text_result_for_llm"] ?? given,
    ok: !failed,
    error: failed
      ? (asText(asObject(given)?.["error"]) ?? asText(asObject(given)?.["textResultForLlm"]))
      : undefined,
    error_type: type === "denied" || type === "rejected" ? "denied" : undefined,
  };
}

function errorOf(p: Fields): Told {
  const error = asObject(p["error"]);
  return {
    ...noticed("error", p, { reason: "errorContext" }),
    error: asText(error?.["message"]) ?? asText(p["error"]),
    error_type: asText(error?.["name"]),
    rest: undefined,
  };
}

function read(event: string, p: Fields): Told | undefined {
  // VS Code: PreToolUse; Copilot CLI: preToolUse.
  const name = event.charAt(0).toLowerCase() + event.slice(1);
  switch (name) {
    case "preToolUse":
    case "preMcpToolCall":
      return { ...tool(p), does: "call" };
    case "postToolUse":
      return result(p);
    case "postToolUseFailure":
      return { ...tool(p), does: "result", ok: false, error: asText(p["error"]) };
    case "permissionRequest":
      return { ...tool(p), does: "decision", verdict: "ask" };
    case "userPromptSubmitted":
    case "userPromptSubmit":
      return noticed("prompt", p, { text: "prompt" });
    case "sessionStart":
      return noticed("start", p, { reason: "source", text: "initialPrompt" });
    case "sessionEnd":
      return noticed("end", p, { reason: "reason", output: "finalMessage" });
    case "errorOccurred":
      return errorOf(p);
    default: {
      const places = NOTICES[name];
      return places === undefined ? undefined : noticed("notice", p, places);
    }
  }
}

export const copilotHooks: HookClient = { service: "copilot-cli", provider: undefined, who, read };
