// Kiro CLI (before: Amazon Q). Sends hook_event_name, cwd, tool_name and tool_input, from version 3 on session_id too;
// MCP tools are `@<server>/<tool>`. Events are camelCase in an agent's configuration, PascalCase in hook files.
// Accepts exit code 2 with a reason on standard error, nothing else, so `ask` blocks. Standard output of exit code 0
// would become part of the conversation: it stays empty.
// Lets the call through on a timeout; version 2 also on any exit code but 2.
import { type HookClient, SILENT, refusal, text, toldCwd } from "./client.ts";
import { byName, kiroPlaces } from "./servers.ts";

const GATES = new Set(["preToolUse", "PreToolUse"]);
const NEWS = new Set(
  (
    "agentSpawn userPromptSubmit postToolUse stop SessionStart UserPromptSubmit PostToolUse Stop PreTaskExec " +
    "PostTaskExec PostFileSave PostFileCreate PostFileDelete Manual"
  ).split(" "),
);

export const kiro: HookClient = {
  gate: "preToolUse",
  eventOf: (payload) => text(payload["hook_event_name"]),
  sessionOf: (payload) => text(payload["session_id"]),
  cwdOf: toldCwd,
  waits: (event) => (GATES.has(event) ? true : NEWS.has(event) ? false : undefined),
  read(event, payload, own) {
    if (!GATES.has(event)) return "news";
    const name = text(payload["tool_name"]) ?? "";
    const slash = name.indexOf("/");
    const args = payload["tool_input"];
    if (!name.startsWith("@") || slash < 2 || slash + 1 === name.length)
      return { server: undefined, tool: name, arguments: args };
    const places = kiroPlaces(text(payload["cwd"]) ?? process.cwd());
    return {
      server: byName(name.slice(1, slash), places, own),
      tool: name.slice(slash + 1),
      arguments: args,
    };
  },
  pass: () => SILENT,
  ask: () => undefined,
  block: (_event, reason) => refusal(reason),
};
