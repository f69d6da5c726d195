// Cursor. Sends `hook_event_name` and at beforeMCPExecution tool_name, tool_input (text of JSON, in older versions an
// object) and url or command: the server's name is not told, and is looked up in mcp.json. Calls wait at
// beforeShellExecution, beforeMCPExecution and beforeReadFile, and all other tools at preToolUse, which comes before
// those three too and is answered there with allow, without a decision of its own.
// Accepts permission allow, deny and ask (ask for shell and MCP alone) and wants an answer: no output lets the call
// through, or stops it where the hook has `failClosed: true`, as it does with text that does not fit.
// Lets the call through on a timeout, a crash and a missing program, unless `failClosed: true`.
import { type Answer, type HookClient, type Payload, json, text } from "./client.ts";
import { byStart, cursorPlaces } from "./servers.ts";

const GATES = new Set(["beforeShellExecution", "beforeMCPExecution", "beforeReadFile", "preToolUse"]);
const ASKS = new Set(["beforeShellExecution", "beforeMCPExecution"]);
const NEWS = new Set(
  (
    "afterShellExecution afterMCPExecution afterFileEdit beforeSubmitPrompt stop afterAgentResponse afterAgentThought " +
    "postToolUse postToolUseFailure sessionStart sessionEnd subagentStart subagentStop preCompact beforeTabFileRead " +
    "afterTabFileEdit workspaceOpen"
  ).split(" "),
);
/** News that nevertheless want to hear that they may go on. */
const PERMISSION_NEWS = new Set(["subagentStart", "beforeTabFileRead"]);
/** Tools that have an event of their own. */
const ELSEWHERE = /^(?:Shell|Read|MCP:.*)$/s;

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function rootsOf(payload: Payload): string[] {
  const roots = payload["workspace_roots"];
  return Array.isArray(roots) ? roots.map(text).filter((root) => root !== undefined) : [];
}

function permission(verdict: "allow" | "ask" | "deny", reason?: string): Answer {
  if (reason === undefined) return json({ permission: verdict });
  return json({ permission: verdict, user_message: reason, agent_message: reason });
}

export const cursor: HookClient = {
  gate: "preToolUse",
  eventOf: (payload) => text(payload["hook_event_name"]),
  sessionOf: (payload) => text(payload["conversation_id"]) ?? text(payload["session_id"]),
  // Hooks of a user run in ~/.cursor, whatever the project. MCP calls have no cwd: of several roots nobody says which.
  cwdOf(payload) {
    const roots = rootsOf(payload);
    return text(payload["cwd"]) ?? (roots.length === 1 ? roots[0] : undefined);
  },
  waits: (event) => (GATES.has(event) ? true : NEWS.has(event) ? false : undefined),
  read(event, payload, own) {
    if (event === "beforeMCPExecution") {
      const places = cursorPlaces(rootsOf(payload));
      return {
        server: byStart(text(payload["url"]), text(payload["command"]), places, own),
        tool: text(payload["tool_name"]) ?? "",
        arguments: parsed(payload["tool_input"]),
      };
    }
    if (event === "beforeShellExecution") {
      const { command, cwd } = payload;
      return {
        server: undefined,
        tool: typeof command === "string" ? "Shell" : "",
        arguments: { command, cwd },
      };
    }
    if (event === "beforeReadFile") {
      const { file_path } = payload;
      return {
        server: undefined,
        tool: typeof file_path === "string" ? "Read" : "",
        arguments: { file_path },
      };
    }
    if (event !== "preToolUse") return "news";
    const tool = text(payload["tool_name"]) ?? "";
    return ELSEWHERE.test(tool) ? "elsewhere" : { server: undefined, tool, arguments: payload["tool_input"] };
  },
  pass(event) {
    if (GATES.has(event) || PERMISSION_NEWS.has(event)) return permission("allow");
    return json(event === "beforeSubmitPrompt" ? { continue: true } : {});
  },
  ask: (event, reason) => (ASKS.has(event) ? permission("ask", reason) : undefined),
  block: (_event, reason) => permission("deny", reason),
};
