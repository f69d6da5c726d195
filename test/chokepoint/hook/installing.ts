// What the tests of `tapline hook install` share: configurations with something in them, the command in this process, and
// what it wrote.
import { readFileSync } from "node:fs";
import { expect, vi } from "vitest";
import { hook } from "../../../src/commands/hook.ts";

/** What a user has in the file of each client before the hook comes. */
export const KEPT: Record<string, object> = {
  "claude-code": {
    model: "opus",
    hooks: { PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "guard" }] }], Other: [] },
  },
  codex: { description: "mine", hooks: { Stop: [{ hooks: [{ type: "command", command: "ring" }] }] } },
  cursor: { version: 1, hooks: { stop: [{ command: "ring" }] } },
  gemini: { theme: "dark", mcpServers: { desk: { command: "npx", args: ["-y", "@desk/server"] } } },
  copilot: { version: 1, hooks: { preToolUse: [{ type: "command", bash: "guard" }] } },
  windsurf: { hooks: { pre_run_command: [{ command: "guard" }] } },
  kiro: {
    version: "v1",
    hooks: [{ name: "lint", trigger: "PostFileSave", action: { type: "command", command: "lint" } }],
  },
};

/** The command in this process; what it said. */
export async function command(...words: string[]): Promise<string> {
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
  try {
    expect(await hook.run(words)).toBe(0);
  } finally {
    log.mockRestore();
  }
  return said.join("\n");
}

export const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;

/** Command lines of our hooks in a configuration, whatever is around them. */
export function commands(content: unknown): string[] {
  if (typeof content === "string") return content.includes("tapline-hook.cjs") ? [content] : [];
  if (typeof content !== "object" || content === null) return [];
  return Object.values(content).flatMap(commands);
}
