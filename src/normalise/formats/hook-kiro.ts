// Hook payloads of Kiro CLI (before: Amazon Q CLI) and of Kiro's IDE: five events, no ids of calls, in older versions no
// session. By its documentation: no payload of a real client was at hand.
import { type Fields, asObject, asText } from "../format.ts";
import type { HookClient, Told } from "./hook-told.ts";
import { noticed, pathIn } from "./hook-told.ts";

/** MCP tools are `@server/tool`. */
function kiroTool(p: Fields): Omit<Told, "does"> {
  const name = asText(p["tool_name"]) ?? "unknown";
  const slash = name.startsWith("@") ? name.indexOf("/") : -1;
  const args = p["tool_input"];
  const path = pathIn(args);
  if (slash < 0) return { tool: name, args, path };
  return { tool: name.slice(slash + 1), server: name.slice(1, slash), args, path };
}

function readKiro(event: string, p: Fields): Told | undefined {
  // In hook files, also those that we install: PreToolUse. In an agent's configuration: preToolUse.
  switch (event.charAt(0).toLowerCase() + event.slice(1)) {
    case "preToolUse":
      return { ...kiroTool(p), does: "call" };
    case "postToolUse": {
      const response = asObject(p["tool_response"]);
      const ok = response?.["success"];
      const result = response?.["result"] ?? p["tool_response"];
      return {
        ...kiroTool(p),
        does: "result",
        result,
        ok: typeof ok === "boolean" ? ok : undefined,
        error: asText(response?.["error"]),
      };
    }
    case "userPromptSubmit":
      return noticed("prompt", p, { text: "prompt" });
    case "agentSpawn":
    case "sessionStart":
      return noticed("start", p);
    case "stop":
      return noticed("notice", p, { output: "assistant_response" });
    default:
      return undefined;
  }
}

export const kiroHooks: HookClient = {
  service: "kiro",
  provider: undefined,
  who: (p) => ({ session: asText(p["session_id"]), cwd: asText(p["cwd"]) }),
  read: readKiro,
};
