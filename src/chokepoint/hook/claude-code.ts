// Claude Code. Sends `hook_event_name`, and on PreToolUse tool_name, tool_input and, for an MCP tool, mcp_server{name}.
// Accepts hookSpecificOutput.permissionDecision allow, deny and ask with exit code 0, or exit code 2 with a reason on
// standard error. `allow` would skip the question that Claude Code asks its user, so a call that passes is answered
// with nothing. Lets the call through when the hook times out, cannot start, or ends with another code or other text,
// unless the hook is configured with `onFailure: "block"` (from 2.1.295 on; see install-clients.ts).
import { mcpTool } from "../../core/mcp-tool.ts";
import { type Answer, type HookClient, SILENT, json, object, refusal, text, toldCwd } from "./client.ts";
import { byName, claudePlaces } from "./servers.ts";

const GATE = "PreToolUse";
const EVENTS = new Set(
  (
    "PreToolUse PostToolUse PostToolUseFailure PostToolBatch Notification UserPromptSubmit UserPromptExpansion " +
    "SessionStart SessionEnd Stop StopFailure SubagentStart SubagentStop PreCompact PostCompact PreModelSwitch " +
    "PostModelSwitch PermissionRequest PermissionDenied Setup TeammateIdle TaskCreated TaskCompleted Elicitation " +
    "ElicitationResult ConfigChange WorktreeCreate WorktreeRemove InstructionsLoaded CwdChanged FileChanged " +
    "DirectoryAdded MessageDisplay"
  ).split(" "),
);

function decided(permissionDecision: "ask" | "deny", permissionDecisionReason: string): Answer {
  return json({ hookSpecificOutput: { hookEventName: GATE, permissionDecision, permissionDecisionReason } });
}

export const claudeCode: HookClient = {
  gate: GATE,
  eventOf: (payload) => text(payload["hook_event_name"]),
  sessionOf: (payload) => text(payload["session_id"]),
  cwdOf: toldCwd,
  waits: (event) => (EVENTS.has(event) ? event === GATE : undefined),
  read(event, payload, own) {
    if (event !== GATE) return "news";
    const name = text(payload["tool_name"]) ?? "";
    const told = object(payload["mcp_server"]);
    const mcp = mcpTool(name, text(told?.["name"]));
    const server = mcp?.server ?? text(told?.["name"]);
    const args = payload["tool_input"];
    if (server === undefined) return { server: undefined, tool: name, arguments: args };
    const places = claudePlaces(text(payload["cwd"]) ?? process.cwd(), text(told?.["source"]));
    return { server: byName(server, places, own), tool: mcp?.tool ?? name, arguments: args };
  },
  pass: () => SILENT,
  ask: (event, reason) => (event === GATE ? decided("ask", reason) : undefined),
  block: (event, reason) => (event === GATE ? decided("deny", reason) : refusal(reason)),
};
