// What each client sends when an agent calls a tool of the server `desk`, and what it sends when nothing waits. Built
// from the clients' documents, as the samples are.
export interface Sent {
  readonly client: string;
  /** Event at which the call waits, as the configuration names it on the command line. */
  readonly gate: string;
  call(tool: string): object;
  /** News: event and payload. */
  readonly news: readonly [string, object];
  /** A tool of the agent itself that the policy denies, where the client tells its name. */
  readonly own: object | undefined;
}

const args = { note: "ü" };
const claude = { session_id: "s1", transcript_path: "/t.jsonl", cwd: "/w", permission_mode: "default" };
const cursor = {
  conversation_id: "c1",
  generation_id: "g1",
  cursor_version: "2.0.77",
  workspace_roots: ["/w"],
};
const windsurf = { trajectory_id: "t1", execution_id: "e1", timestamp: "2026-11-20T10:00:00Z" };

export const CLIENTS: readonly Sent[] = [
  {
    client: "claude-code",
    gate: "PreToolUse",
    call: (tool) => ({
      ...claude,
      hook_event_name: "PreToolUse",
      tool_name: `mcp__desk__${tool}`,
      tool_input: args,
      tool_use_id: "toolu_1",
      mcp_server: { name: "desk", source: "user" },
    }),
    news: ["SessionStart", { ...claude, hook_event_name: "SessionStart", source: "startup" }],
    own: {
      ...claude,
      hook_event_name: "PreToolUse",
      tool_name: "WebFetch",
      tool_input: { url: "https://x" },
    },
  },
  {
    client: "codex",
    gate: "PreToolUse",
    call: (tool) => ({
      ...claude,
      turn_id: "t1",
      hook_event_name: "PreToolUse",
      tool_name: `mcp__desk__${tool}`,
      tool_input: args,
      tool_use_id: "call_1",
    }),
    news: ["Stop", { ...claude, turn_id: "t1", hook_event_name: "Stop", stop_hook_active: false }],
    own: { ...claude, turn_id: "t1", hook_event_name: "PreToolUse", tool_name: "WebFetch", tool_input: {} },
  },
  {
    client: "cursor",
    gate: "beforeMCPExecution",
    call: (tool) => ({
      ...cursor,
      hook_event_name: "beforeMCPExecution",
      tool_name: tool,
      tool_input: JSON.stringify(args),
      command: "npx -y @desk/server",
    }),
    news: ["stop", { ...cursor, hook_event_name: "stop", status: "completed", loop_count: 0 }],
    own: { ...cursor, hook_event_name: "preToolUse", tool_name: "WebFetch", tool_input: {} },
  },
  {
    client: "gemini",
    gate: "BeforeTool",
    call: (tool) => ({
      session_id: "s1",
      cwd: "/w",
      hook_event_name: "BeforeTool",
      tool_name: `mcp_desk_${tool}`,
      tool_input: args,
      mcp_context: { server_name: "desk", tool_name: tool },
    }),
    news: ["BeforeAgent", { session_id: "s1", cwd: "/w", hook_event_name: "BeforeAgent", prompt: "hello" }],
    own: {
      session_id: "s1",
      cwd: "/w",
      hook_event_name: "BeforeTool",
      tool_name: "WebFetch",
      tool_input: {},
    },
  },
  {
    client: "copilot",
    gate: "preToolUse",
    call: (tool) => ({
      sessionId: "s1",
      timestamp: 1_795_168_800_000,
      cwd: "/w",
      toolName: `desk-${tool}`,
      toolArgs: args,
    }),
    news: ["sessionEnd", { sessionId: "s1", timestamp: 1_795_168_800_000, cwd: "/w", reason: "complete" }],
    own: { sessionId: "s1", cwd: "/w", toolName: "WebFetch", toolArgs: {} },
  },
  {
    client: "windsurf",
    gate: "pre_mcp_tool_use",
    call: (tool) => ({
      ...windsurf,
      agent_action_name: "pre_mcp_tool_use",
      tool_info: { mcp_server_name: "desk", mcp_tool_name: tool, mcp_tool_arguments: args },
    }),
    news: [
      "post_run_command",
      { ...windsurf, agent_action_name: "post_run_command", tool_info: { command_line: "ls" } },
    ],
    own: undefined,
  },
  {
    client: "kiro",
    gate: "preToolUse",
    call: (tool) => ({
      hook_event_name: "preToolUse",
      cwd: "/w",
      session_id: "s1",
      tool_name: `@desk/${tool}`,
      tool_input: args,
    }),
    news: ["agentSpawn", { hook_event_name: "agentSpawn", cwd: "/w" }],
    own: { hook_event_name: "preToolUse", cwd: "/w", tool_name: "WebFetch", tool_input: {} },
  },
];
