// Codex. Sends what Claude Code sends, with turn_id and model; MCP tools are `mcp__<server>__<tool>`.
// Accepts permissionDecision deny, or exit code 2 with a reason on standard error. The latter is used: Codex lets the
// call through when the JSON has a field that its version does not know, and it knows neither `ask` nor `allow` (an
// answer of that kind is an error, and the call goes on). So `ask` blocks, and a call that passes is answered with {}.
// Lets the call through on a timeout, another exit code, other text, and when the hook was not reviewed with /hooks.
import { mcpTool } from "../../core/mcp-tool.ts";
import { type HookClient, json, refusal, text, toldCwd } from "./client.ts";
import { byName, codexPlaces } from "./servers.ts";

const GATE = "PreToolUse";
const EVENTS = new Set(
  (
    "PreToolUse PermissionRequest PostToolUse PreCompact PostCompact UserPromptSubmit SubagentStart SubagentStop Stop " +
    "StopFailure SessionStart SessionEnd Interrupt"
  ).split(" "),
);

export const codex: HookClient = {
  gate: GATE,
  eventOf: (payload) => text(payload["hook_event_name"]),
  sessionOf: (payload) => text(payload["session_id"]),
  cwdOf: toldCwd,
  waits: (event) => (EVENTS.has(event) ? event === GATE : undefined),
  read(event, payload, own) {
    if (event !== GATE) return "news";
    const name = text(payload["tool_name"]) ?? "";
    const mcp = mcpTool(name, undefined);
    const args = payload["tool_input"];
    if (mcp === undefined) return { server: undefined, tool: name, arguments: args };
    const places = codexPlaces(text(payload["cwd"]) ?? process.cwd());
    return { server: byName(mcp.server, places, own), tool: mcp.tool, arguments: args };
  },
  pass: () => json({}),
  ask: () => undefined,
  block: (_event, reason) => refusal(reason),
};
