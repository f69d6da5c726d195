// GitHub Copilot CLI. Sends toolName and toolArgs, without the event's name (the configuration names it on the command
// line), or hook_event_name, tool_name and tool_input where the event is configured in PascalCase. Tools of servers are
// `<server>-<tool>`; its own tools have no hyphen.
// Accepts permissionDecision allow, deny and ask with a reason and exit code 0. A call that passes is answered with
// nothing, so that the permissions of Copilot still hold.
// Refuses the call on any exit code but 0; lets it through on a timeout, and on exit code 0 with text that is not JSON.
import {
  type Answer,
  type HookClient,
  type Payload,
  SILENT,
  json,
  refusal,
  text,
  toldCwd,
} from "./client.ts";
import { byName, copilotPlaces } from "./servers.ts";

const GATES = new Set(["preToolUse", "PreToolUse", "preMcpToolCall"]);
const NEWS = new Set(
  (
    "agentStop errorOccurred notification permissionRequest postToolUse postToolUseFailure preCompact sessionEnd " +
    "sessionStart subagentStart subagentStop userPromptSubmitted userPromptTransformed Stop ErrorOccurred Notification " +
    "PermissionRequest PostToolUse PostToolUseFailure PreCompact SessionEnd SessionStart SubagentStop UserPromptSubmit"
  ).split(" "),
);

function decided(permissionDecision: "ask" | "deny", permissionDecisionReason: string): Answer {
  return json({ permissionDecision, permissionDecisionReason });
}

/** Arguments come as an object, in some versions as the text of one. */
function argumentsOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function cwdOf(payload: Payload, here: string): string {
  return toldCwd(payload, text(payload["workingDirectory"]) ?? here);
}

export const copilot: HookClient = {
  gate: "preToolUse",
  eventOf(payload) {
    const named = text(payload["hook_event_name"]);
    if (named !== undefined) return named;
    if (payload["serverName"] !== undefined) return "preMcpToolCall";
    if (payload["toolName"] === undefined) return undefined;
    if (payload["toolResult"] !== undefined) return "postToolUse";
    return payload["error"] === undefined ? "preToolUse" : "postToolUseFailure";
  },
  sessionOf: (payload) => text(payload["sessionId"]) ?? text(payload["session_id"]),
  cwdOf,
  waits: (event) => (GATES.has(event) ? true : NEWS.has(event) ? false : undefined),
  read(event, payload, own) {
    if (!GATES.has(event)) return "news";
    const name = text(payload["toolName"]) ?? text(payload["tool_name"]) ?? "";
    const args = argumentsOf(payload["toolArgs"] ?? payload["tool_input"] ?? payload["arguments"]);
    const server = text(payload["serverName"]);
    const cwd = cwdOf(payload, process.cwd());
    if (server !== undefined)
      return { server: byName(server, copilotPlaces(cwd), own), tool: name, arguments: args };
    // The tool of a server is taken to have no hyphen: servers often have one, tools seldom do.
    const end = name.lastIndexOf("-");
    if (end <= 0 || end + 1 === name.length) return { server: undefined, tool: name, arguments: args };
    const owner = byName(name.slice(0, end), copilotPlaces(cwd), own);
    return { server: owner, tool: name.slice(end + 1), arguments: args };
  },
  pass: () => SILENT,
  ask: (event, reason) => (GATES.has(event) ? decided("ask", reason) : undefined),
  block: (event, reason) => (GATES.has(event) ? decided("deny", reason) : refusal(reason)),
};
