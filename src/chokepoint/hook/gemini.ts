// Gemini CLI. Sends `hook_event_name`, tool_name, tool_input and, for an MCP tool, mcp_context{server_name, tool_name};
// MCP tools are named `mcp_<server>_<tool>`, in some versions with two underscores.
// Accepts decision deny with a reason and exit code 0, or exit code 2 with a reason on standard error. Its documents
// know no question to the user, so `ask` blocks. A call that passes is answered with {}.
// Lets the call through on a timeout, any other exit code, and text that is not JSON.
import { mcpTool } from "../../core/mcp-tool.ts";
import { type HookClient, json, object, refusal, text, toldCwd } from "./client.ts";
import { byName, geminiPlaces } from "./servers.ts";

const GATE = "BeforeTool";
const EVENTS = new Set(
  (
    "BeforeTool AfterTool BeforeAgent AfterAgent BeforeModel AfterModel BeforeToolSelection SessionStart SessionEnd " +
    "Notification PreCompress"
  ).split(" "),
);

/** `mcp_<server>_<tool>` where nothing else names them: a server's name has no underscore. */
function split(name: string): { server: string; tool: string } | undefined {
  const two = mcpTool(name, undefined);
  if (two !== undefined || !name.startsWith("mcp_")) return two;
  const end = name.indexOf("_", 4);
  if (end === -1 || end + 1 === name.length) return undefined;
  return { server: name.slice(4, end), tool: name.slice(end + 1) };
}

export const gemini: HookClient = {
  gate: GATE,
  eventOf: (payload) => text(payload["hook_event_name"]),
  sessionOf: (payload) => text(payload["session_id"]),
  cwdOf: toldCwd,
  waits: (event) => (EVENTS.has(event) ? event === GATE : undefined),
  read(event, payload, own) {
    if (event !== GATE) return "news";
    const name = text(payload["tool_name"]) ?? "";
    const context = object(payload["mcp_context"]);
    const server = text(context?.["server_name"]);
    const mcp = server === undefined ? split(name) : { server, tool: text(context?.["tool_name"]) ?? name };
    const args = payload["tool_input"];
    if (mcp === undefined) return { server: undefined, tool: name, arguments: args };
    const places = geminiPlaces(text(payload["cwd"]) ?? process.cwd());
    return { server: byName(mcp.server, places, own), tool: mcp.tool, arguments: args };
  },
  pass: () => json({}),
  ask: () => undefined,
  block: (event, reason) => (event === GATE ? json({ decision: "deny", reason }) : refusal(reason)),
};
