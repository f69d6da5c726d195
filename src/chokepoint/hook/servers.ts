// From the name that a client gives a server to what starts it: policy identifies a server by its command line or URL, and
// most hooks tell the name alone. Reads the client's own configuration of servers. A name that is there twice with
// different meanings, or not at all, stays a name, which no policy takes for an identity.
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ServerIdentity } from "../../policy/contract.ts";
import { type Payload, object, text } from "./client.ts";
import { tomlServers } from "./toml.ts";

/** A client keeps more than servers in some of these files. */
const FILE_BYTES = 32 * 1024 * 1024;

/** Where a client has its servers. `pick` leads from the file's content to the servers, by name. */
export interface Place {
  readonly path: string;
  pick?(content: Payload): unknown;
}

const home = (...path: string[]): string => join(homedir(), ...path);

/** One file may hold servers in several places. A run of the hook is over before it could change. */
const contents = new Map<string, Payload>();

function contentOf(path: string): Payload {
  const known = contents.get(path) ?? read(path);
  contents.set(path, known);
  return known;
}

function read(path: string): Payload {
  try {
    if (statSync(path).size > FILE_BYTES) return {};
    const content = readFileSync(path, "utf8");
    return path.endsWith(".toml")
      ? { mcpServers: tomlServers(content) }
      : (object(JSON.parse(content)) ?? {});
  } catch {
    return {};
  }
}

/** `${NAME}`, `${NAME:-default}` and `${env:NAME}`, as clients write them. */
function expanded(value: string): string {
  return value.replaceAll(
    /\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}/g,
    (whole, name: string, other?: string) => process.env[name] ?? other ?? whole,
  );
}

/** Words that start our program: its path, its name, or its name with a runner. */
function startsOurs(command: readonly string[], own: string): number {
  if (command[0] === "tapline" || command[0] === own) return 1;
  return command[1] === own || (command[0] === "npx" && command[1] === "tapline") ? 2 : 0;
}

/** What a proxy of ours stands before: the inventory knows the server itself. `own` is the path of our program. */
function unwrapped(command: readonly string[], own: string | undefined): readonly string[] {
  const at = own === undefined ? 0 : startsOurs(command, own);
  if (at === 0 || command[at] !== "mcp") return command;
  const end = command.indexOf("--", at);
  return end === -1 ? command : command.slice(end + 1);
}

/** A server as a client's configuration has it. */
function identityOf(name: string, value: unknown, own: string | undefined): ServerIdentity | undefined {
  const server = object(value);
  const url = text(server?.["url"]) ?? text(server?.["httpUrl"]) ?? text(server?.["serverUrl"]);
  if (url !== undefined) return { name, transport: "http", url: expanded(url) };
  const command = text(server?.["command"]);
  if (command === undefined) return undefined;
  const list: unknown = server!["args"];
  const args = Array.isArray(list) ? list.filter((arg) => typeof arg === "string") : [];
  return { name, transport: "stdio", command: unwrapped([command, ...args].map(expanded), own) };
}

function identities(place: Place, own: string | undefined): ServerIdentity[] {
  const content = contentOf(place.path);
  const servers = object(place.pick === undefined ? content["mcpServers"] : place.pick(content)) ?? {};
  return Object.entries(servers).flatMap(([name, value]) => identityOf(name, value, own) ?? []);
}

/** The server of that name. */
export function byName(name: string, places: readonly Place[], own: string | undefined): ServerIdentity {
  let found: ServerIdentity | undefined;
  for (const place of places) {
    for (const server of identities(place, own)) {
      if (server.name !== name) continue;
      if (found !== undefined && JSON.stringify(found) !== JSON.stringify(server))
        return { name, transport: "stdio" };
      found = server;
    }
  }
  return found ?? { name, transport: "stdio" };
}

/** The server behind a URL or a command line, where the client tells those and not the name. Without a name in the
 * configuration the URL or the command stands for it. */
export function byStart(
  url: string | undefined,
  line: string | undefined,
  places: readonly Place[],
  own: string | undefined,
): ServerIdentity {
  for (const place of places) {
    for (const server of identities(place, undefined)) {
      if (url !== undefined && server.url === url) return server;
      if (line === undefined || server.command?.join(" ") !== line) continue;
      return { ...server, command: unwrapped(server.command, own) };
    }
  }
  if (url !== undefined) return { name: url, transport: "http", url };
  if (line === undefined) return { name: "", transport: "stdio" };
  return { name: line, transport: "stdio", command: unwrapped(line.split(" "), own) };
}

/** The directory and all above it, nearest first. */
function upwards(cwd: string): string[] {
  const all = [cwd];
  for (let at = dirname(cwd); at !== all.at(-1); at = dirname(at)) all.push(at);
  return all;
}

/** Places of Claude Code's servers by the scope that it tells (`mcp_server.source`); all of them without one. */
export function claudePlaces(cwd: string, source: string | undefined): Place[] {
  const config = process.env["CLAUDE_CONFIG_DIR"];
  const path = config === undefined ? home(".claude.json") : join(config, ".claude.json");
  const places: Record<string, Place[]> = {
    user: [{ path }],
    local: upwards(cwd).map((dir) => ({
      path,
      pick: (content) => object(object(content["projects"])?.[dir])?.["mcpServers"],
    })),
    project: upwards(cwd).map((dir) => ({ path: join(dir, ".mcp.json") })),
    managed: [
      { path: "/etc/claude-code/managed-mcp.json" },
      { path: "/Library/Application Support/ClaudeCode/managed-mcp.json" },
    ],
  };
  if (source === "enterprise") return places["managed"]!;
  return source === undefined ? Object.values(places).flat() : (places[source] ?? []);
}

export function codexPlaces(cwd: string): Place[] {
  const own = join(process.env["CODEX_HOME"] ?? home(".codex"), "config.toml");
  return [{ path: own }, { path: "/etc/codex/config.toml" }, ...upwards(cwd).map(toml)];
}
const toml = (dir: string): Place => ({ path: join(dir, ".codex", "config.toml") });

export function cursorPlaces(roots: readonly string[]): Place[] {
  return [homedir(), ...roots].map((dir) => ({ path: join(dir, ".cursor", "mcp.json") }));
}

export function geminiPlaces(cwd: string): Place[] {
  const dirs = new Set([homedir(), ...upwards(cwd)]);
  const system = { path: "/etc/gemini-cli/settings.json" };
  return [system, ...[...dirs].map((dir) => ({ path: join(dir, ".gemini", "settings.json") }))];
}

export function copilotPlaces(cwd: string): Place[] {
  const own = join(process.env["COPILOT_HOME"] ?? home(".copilot"), "mcp-config.json");
  const names = [".mcp.json", ".github/mcp.json"];
  return [{ path: own }, ...upwards(cwd).flatMap((dir) => names.map((name) => ({ path: join(dir, name) })))];
}

export function windsurfPlaces(): Place[] {
  return [{ path: home(".codeium", "windsurf", "mcp_config.json") }];
}

export function kiroPlaces(cwd: string): Place[] {
  const dirs = new Set([homedir(), ...upwards(cwd)]);
  return [...dirs].map((dir) => ({ path: join(dir, ".kiro", "settings", "mcp.json") }));
}
