// Finds the AI agents of this machine by the places where they keep their transcripts. Reads nothing but names.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Found {
  readonly name: string;
  readonly root: string;
  readonly include: readonly string[];
  readonly type: "file" | "spool";
}

/** Agents whose directories exist. `state_dir` holds the spool of the MCP proxy. */
export function discover(state_dir: string, env: NodeJS.ProcessEnv = process.env): Found[] {
  const home = homedir();
  const codex = env["CODEX_HOME"] ?? join(home, ".codex");
  const candidates: [string, string, string[]][] = [
    ["claude-code", join(env["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude"), "projects"), ["**/*.jsonl"]],
    ["codex", codex, ["sessions/**/*.jsonl", "archived_sessions/**/*.jsonl"]],
    ["gemini-cli", join(home, ".gemini", "tmp"), ["*/chats/*.jsonl"]],
    ["copilot-cli", join(home, ".copilot", "session-state"), ["*/events.jsonl"]],
    ["claude-desktop", join(home, "Library", "Logs", "Claude"), ["mcp-server-*.log"]],
    ["cursor", join(home, ".cursor", "projects"), ["*/agent-transcripts/**/*.jsonl"]],
  ];
  const found: Found[] = [];
  for (const [name, root, patterns] of candidates) {
    if (!existsSync(root)) continue;
    found.push({ name, root, include: patterns.map((pattern) => join(root, pattern)), type: "file" });
  }
  const spool = join(state_dir, "spool");
  if (existsSync(spool)) found.push({ name: "mcp-proxy", root: spool, include: [spool], type: "spool" });
  return found;
}
