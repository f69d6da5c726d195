// Where MCP clients keep which servers they use, and how each writes it: the one list, for the inventory and for hooks.
// Paths and shapes only: nothing is read here.
// Of an entry its name, command and URL are taken; environment, headers and everything else stay where they are.
import { join } from "node:path";
import type { ServerIdentity } from "./contract.ts";

export type Scope = "managed" | "user" | "project" | "local" | "allowed" | "denied";

/** A server as a client's file has it. */
export interface Entry {
  readonly scope: Scope;
  /** Directory of the project, for servers that only count there. */
  readonly project?: string | undefined;
  readonly server: ServerIdentity;
  readonly disabled: boolean;
}

export interface ClientFile {
  readonly client: string;
  readonly path: string;
  readonly syntax: "json" | "toml";
  /** It names servers that are let through or kept out, and sets none up. */
  readonly lists?: boolean;
  readonly entries: (content: Fields) => Entry[];
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Places {
  readonly home: string;
  /** Directory of the project. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}

/** The server of one entry, under whatever name its client gives the parts; undefined when it names none. */
function serverOf(name: string, entry: Fields): ServerIdentity | undefined {
  const url = text(entry["httpUrl"]) ?? text(entry["serverUrl"]) ?? text(entry["url"]);
  if (url !== undefined) {
    const sse =
      entry["type"] === "sse" ||
      (entry["url"] !== undefined && entry["httpUrl"] === undefined && entry["transport"] === "sse");
    return { name, transport: sse ? "sse" : "http", url };
  }
  const program = text(entry["command"]);
  const command = program === undefined ? words(entry["command"]) : [program, ...words(entry["args"])];
  return command.length === 0 ? undefined : { name, transport: "stdio", command };
}

function entriesOf(servers: unknown, scope: Scope, project?: string): Entry[] {
  return Object.entries(fieldsOf(servers)).flatMap(([name, value]) => {
    const entry = fieldsOf(value);
    const server = serverOf(name, entry);
    const disabled = entry["disabled"] === true || entry["enabled"] === false;
    return server === undefined ? [] : [{ scope, project, server, disabled }];
  });
}

const servers = (key: string, scope: Scope) => (content: Fields) => entriesOf(content[key], scope);

/** Claude Code's own file holds servers of the user, and of the user in each project. */
function claudeEntries(content: Fields): Entry[] {
  const local = Object.entries(fieldsOf(content["projects"])).flatMap(([project, value]) =>
    entriesOf(fieldsOf(value)["mcpServers"], "local", project),
  );
  return [...entriesOf(content["mcpServers"], "user"), ...local];
}

/** What the settings of Claude Code let through and keep out. A name alone is no identity and is left out. */
function claudeLists(content: Fields): Entry[] {
  const list = (key: string, scope: Scope): Entry[] =>
    (Array.isArray(content[key]) ? (content[key] as unknown[]) : []).flatMap((value) => {
      const entry = fieldsOf(value);
      const named = { command: entry["serverCommand"], url: entry["serverUrl"] };
      const server = serverOf(text(entry["serverName"]) ?? "", named);
      if (server === undefined) return [];
      const name = server.name === "" ? nameFor(server) : server.name;
      return [{ scope, server: { ...server, name }, disabled: false }];
    });
  return [...list("allowedMcpServers", "allowed"), ...list("deniedMcpServers", "denied")];
}

/** A name for a server that has none: its host, or the last telling word of its command. */
function nameFor({ command, url }: ServerIdentity): string {
  if (url !== undefined) return /^\w+:\/\/([^/:?#]+)/.exec(url)?.[1]?.replaceAll("*", "any") ?? "server";
  const word = command!.findLast((one) => !one.startsWith("-")) ?? command![0]!;
  return word.split("/").at(-1)!.split("@")[0]! || "server";
}

/** Every file that may hold servers, the one that goes first in a client before the others of that client. */
export function clientFiles({ home, cwd, env, platform }: Places): ClientFile[] {
  const mac = platform === "darwin";
  const claude_managed = mac ? "/Library/Application Support/ClaudeCode" : "/etc/claude-code";
  const claude_home = env["CLAUDE_CONFIG_DIR"];
  const claude_dir = claude_home ?? join(home, ".claude");
  const desktop = mac ? "Library/Application Support/Claude" : ".config/Claude";
  const codex = env["CODEX_HOME"] ?? join(home, ".codex");
  const json = (client: string, path: string, entries: ClientFile["entries"]): ClientFile => ({
    client,
    path,
    syntax: "json",
    entries,
  });
  const lists = (path: string): ClientFile => ({ ...json("claude-code", path, claudeLists), lists: true });
  const toml = (path: string, scope: Scope): ClientFile => ({
    client: "codex",
    path,
    syntax: "toml",
    entries: servers("mcp_servers", scope),
  });
  const mcp = (scope: Scope) => servers("mcpServers", scope);
  return [
    json("claude-code", join(claude_managed, "managed-mcp.json"), mcp("managed")),
    lists(join(claude_managed, "managed-settings.json")),
    json("claude-code", join(claude_home ?? home, ".claude.json"), claudeEntries),
    lists(join(claude_dir, "settings.json")),
    json("claude-code", join(cwd, ".mcp.json"), mcp("project")),
    lists(join(cwd, ".claude/settings.json")),
    json("claude-desktop", join(home, desktop, "claude_desktop_config.json"), mcp("user")),
    toml("/etc/codex/config.toml", "managed"),
    toml(join(cwd, ".codex/config.toml"), "project"),
    toml(join(codex, "config.toml"), "user"),
    json("cursor", join(cwd, ".cursor/mcp.json"), mcp("project")),
    json("cursor", join(home, ".cursor/mcp.json"), mcp("user")),
    json("gemini-cli", "/etc/gemini-cli/settings.json", mcp("managed")),
    json("gemini-cli", join(cwd, ".gemini/settings.json"), mcp("project")),
    json("gemini-cli", join(home, ".gemini/settings.json"), mcp("user")),
    json("copilot", join(cwd, ".mcp.json"), mcp("project")),
    json("copilot", join(cwd, ".github/mcp.json"), mcp("project")),
    json("copilot", join(cwd, ".vscode/mcp.json"), servers("servers", "project")),
    json("copilot", join(env["COPILOT_HOME"] ?? join(home, ".copilot"), "mcp-config.json"), mcp("user")),
    json("windsurf", join(home, ".codeium/windsurf/mcp_config.json"), mcp("user")),
    json("kiro", join(cwd, ".kiro/settings/mcp.json"), mcp("project")),
    json("kiro", join(home, ".kiro/settings/mcp.json"), mcp("user")),
  ];
}
