// What goes into the configuration of each client so that it runs the hook: which file, which events, and what makes it
// refuse calls when the hook itself fails, where there is such a thing. Merging and writing is in install.ts.
import { homedir } from "node:os";
import { join } from "node:path";

export type Json = { [key: string]: unknown };

export interface Settings {
  /** The user's own file; those of administrators and projects are named in docs/guides/chokepoint.md. */
  file(env: NodeJS.ProcessEnv): string;
  /** Events that are configured; others the client has are left out, with the reason beside them. */
  readonly events: readonly string[];
  /** Entry of one event; `closed` where the client is to refuse the call when the hook fails to answer. */
  entry(command: string, event: string, closed: boolean): Json;
  /** Keys that a new file needs beside `hooks`. */
  readonly frame: Json;
  /** What the user has to do or know after installation. */
  readonly note: string | undefined;
}

const TIMEOUT_S = 30;
const words = (text: string): readonly string[] => text.split(" ");
const home = (...path: string[]): string => join(homedir(), ...path);

const claudeCode: Settings = {
  file: (env) => join(env["CLAUDE_CONFIG_DIR"] ?? home(".claude"), "settings.json"),
  // Not WorktreeCreate, whose hook would have to make the worktree, and none that repeat others (PostToolBatch) or come
  // with every piece of text (MessageDisplay).
  events: words(
    "PreToolUse PostToolUse PostToolUseFailure PermissionRequest PermissionDenied UserPromptSubmit SessionStart SessionEnd " +
      "SubagentStart SubagentStop Stop Notification ConfigChange InstructionsLoaded Elicitation ElicitationResult PreCompact",
  ),
  entry: (command, _event, closed) => ({
    matcher: "*",
    hooks: [{ type: "command", command, timeout: TIMEOUT_S, ...(closed ? { onFailure: "block" } : {}) }],
  }),
  frame: {},
  note: 'versions before 2.1.295 do not know `onFailure: "block"`: they let a call through when the hook fails to run',
};

const codex: Settings = {
  file: (env) => join(env["CODEX_HOME"] ?? home(".codex"), "hooks.json"),
  events: words(
    "PreToolUse PermissionRequest PostToolUse UserPromptSubmit SessionStart Stop SubagentStart SubagentStop PreCompact",
  ),
  entry: (command) => ({ hooks: [{ type: "command", command, timeout: TIMEOUT_S }] }),
  frame: {},
  note: "Codex runs the hook after you have reviewed it: type /hooks in Codex",
};

const cursor: Settings = {
  file: () => home(".cursor", "hooks.json"),
  events: words(
    "beforeShellExecution beforeMCPExecution beforeReadFile preToolUse afterShellExecution afterMCPExecution afterFileEdit " +
      "postToolUseFailure beforeSubmitPrompt afterAgentResponse sessionStart sessionEnd subagentStart subagentStop stop",
  ),
  entry: (command, _event, closed) => ({
    command,
    timeout: TIMEOUT_S,
    ...(closed ? { failClosed: true } : {}),
  }),
  frame: { version: 1 },
  note: undefined,
};

const gemini: Settings = {
  file: () => home(".gemini", "settings.json"),
  // Not those around the model: AfterModel comes with every piece of text.
  events: words(
    "BeforeTool AfterTool BeforeAgent AfterAgent SessionStart SessionEnd Notification PreCompress",
  ),
  entry: (command, event) => ({
    ...(event.endsWith("Tool") ? { matcher: ".*" } : {}),
    hooks: [{ name: "tapline", type: "command", command, timeout: TIMEOUT_S * 1_000 }],
  }),
  frame: {},
  note: undefined,
};

const copilot: Settings = {
  file: (env) => join(env["COPILOT_HOME"] ?? home(".copilot"), "hooks", "tapline.json"),
  events: words(
    "preToolUse permissionRequest postToolUse postToolUseFailure userPromptSubmitted sessionStart sessionEnd subagentStart " +
      "subagentStop agentStop errorOccurred notification preCompact",
  ),
  entry: (command) => ({ type: "command", bash: command, timeoutSec: TIMEOUT_S }),
  frame: { version: 1 },
  note: undefined,
};

const windsurf: Settings = {
  file: () => home(".codeium", "windsurf", "hooks.json"),
  events: words(
    "pre_mcp_tool_use pre_run_command pre_read_code pre_write_code post_mcp_tool_use post_run_command post_read_code " +
      "post_write_code pre_user_prompt post_cascade_response",
  ),
  entry: (command) => ({ command, show_output: true }),
  frame: {},
  note: undefined,
};

const kiro: Settings = {
  file: () => home(".kiro", "hooks", "tapline.json"),
  events: words("PreToolUse PostToolUse UserPromptSubmit SessionStart Stop"),
  entry: (command, event) => ({
    name: `tapline-${event}`,
    trigger: event,
    ...(event.endsWith("ToolUse") ? { matcher: ".*" } : {}),
    action: { type: "command", command },
    timeout: TIMEOUT_S,
    enabled: true,
  }),
  frame: { version: "v1" },
  note: "Kiro CLI 2 reads hooks from an agent's configuration alone: see docs/guides/chokepoint.md",
};

export const SETTINGS: ReadonlyMap<string, Settings> = new Map([
  ["claude-code", claudeCode],
  ["codex", codex],
  ["cursor", cursor],
  ["gemini", gemini],
  ["copilot", copilot],
  ["windsurf", windsurf],
  ["kiro", kiro],
]);
