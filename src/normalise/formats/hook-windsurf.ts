// Hook payloads of Windsurf (Cascade): few events, no ids of calls. By its documentation and third parties' types: no
// payload of a real client was at hand.
import { type Fields, asObject, asText } from "../format.ts";
import type { HookClient, Told } from "./hook-told.ts";
import { noticed } from "./hook-told.ts";

const ACTION = /^(pre|post)_(run_command|write_code|read_code|mcp_tool_use)$/;

function readWindsurf(event: string, p: Fields): Told | undefined {
  const info = asObject(p["tool_info"]) ?? {};
  const action = ACTION.exec(event);
  if (action !== null)
    return action[1] === "pre" ? { ...tool(action[2]!, info), does: "call" } : done(action[2]!, info);
  if (event === "pre_user_prompt") return noticed("prompt", info, { text: "user_prompt" });
  if (event.startsWith("post_cascade_response"))
    return noticed("notice", info, { output: "response", path: "transcript_path" });
  return event === "post_setup_worktree" ? noticed("notice", info, { path: "worktree_path" }) : undefined;
}

function tool(name: string, info: Fields): Omit<Told, "does"> {
  if (name === "mcp_tool_use") {
    return {
      tool: asText(info["mcp_tool_name"]),
      server: asText(info["mcp_server_name"]),
      args: info["mcp_tool_arguments"],
    };
  }
  if (name === "run_command") {
    const { command_line, cwd } = info;
    return {
      tool: name,
      args: cwd === undefined ? { command: command_line } : { command: command_line, cwd },
    };
  }
  const { file_path, edits } = info;
  return { tool: name, args: edits === undefined ? { file_path } : { file_path, edits } };
}

function done(name: string, info: Fields): Told {
  const exit_code = info["exit_code"];
  const result = info["mcp_result"] ?? info["output"] ?? info["content"];
  const ok = typeof exit_code === "number" ? exit_code === 0 : undefined;
  return { ...tool(name, info), does: "result", result, exit_code, ok };
}

export const windsurfHooks: HookClient = {
  service: "windsurf",
  provider: undefined,
  who: (p) => ({
    session: asText(p["trajectory_id"]),
    turn: asText(p["execution_id"]),
    model: asText(p["model_name"]),
    cwd: asText(asObject(p["tool_info"])?.["cwd"]),
    time: p["timestamp"],
  }),
  read: readWindsurf,
};
