// Windsurf (Cascade). Sends `agent_action_name` and tool_info: mcp_server_name, mcp_tool_name, mcp_tool_arguments, or
// command_line and cwd, or file_path and edits. A call waits at every event that begins with `pre_`, but for the prompt.
// Accepts exit code 2 with a reason on standard error, nothing else, so `ask` blocks.
// Lets the call through on a timeout and any other exit code.
import { type HookClient, SILENT, object, refusal, text } from "./client.ts";
import { byName, windsurfPlaces } from "./servers.ts";

const NEWS = new Set(
  (
    "post_mcp_tool_use post_run_command post_read_code post_write_code pre_user_prompt post_cascade_response " +
    "post_cascade_response_with_transcript post_setup_worktree"
  ).split(" "),
);

export const windsurf: HookClient = {
  gate: "pre_mcp_tool_use",
  eventOf: (payload) => text(payload["agent_action_name"]),
  sessionOf: (payload) => text(payload["trajectory_id"]),
  // Hooks run in the workspace's root unless they are configured otherwise; a command may run elsewhere.
  cwdOf: (payload, here) => text(object(payload["tool_info"])?.["cwd"]) ?? here,
  waits: (event) => (NEWS.has(event) ? false : event.startsWith("pre_") ? true : undefined),
  read(event, payload, own) {
    if (windsurf.waits(event) !== true) return "news";
    const info = object(payload["tool_info"]);
    if (event !== "pre_mcp_tool_use")
      return { server: undefined, tool: info === undefined ? "" : event.slice(4), arguments: info };
    return {
      server: byName(text(info?.["mcp_server_name"]) ?? "", windsurfPlaces(), own),
      tool: text(info?.["mcp_tool_name"]) ?? "",
      arguments: info?.["mcp_tool_arguments"],
    };
  },
  pass: () => SILENT,
  ask: () => undefined,
  block: (_event, reason) => refusal(reason),
};
