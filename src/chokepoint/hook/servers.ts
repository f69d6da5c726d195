// From the name that a client gives a server to what starts it: policy identifies a server by its command line or URL, and
// most hooks tell the name alone. Reads the client's own configuration of servers, from the places that the inventory
// knows too. A name that is there twice with different meanings, or not at all, stays a name, which no policy takes for
// an identity.
import { homedir } from "node:os";
import { dirname } from "node:path";
import { LIMITS } from "../../core/limits.ts";
import { readRegular } from "../../core/regular-file.ts";
import { type ClientFile, type Entry, clientFiles } from "../../policy/client-files.ts";
import type { ServerIdentity } from "../../policy/contract.ts";
import { type Payload, object } from "./client.ts";
import { tomlServers } from "./toml.ts";

/** Where a client has its servers. */
export interface Place {
  readonly file: ClientFile;
  /** Whether an entry of it counts here. */
  readonly counts: (entry: Entry) => boolean;
}

/** One file may hold servers in several places. A run of the hook is over before it could change. */
const contents = new Map<string, Payload>();

function contentOf(file: ClientFile): Payload {
  const known = contents.get(file.path) ?? read(file);
  contents.set(file.path, known);
  return known;
}

function read({ path, syntax }: ClientFile): Payload {
  try {
    const content = readRegular(path, LIMITS.client_file_bytes);
    return syntax === "toml" ? { mcp_servers: tomlServers(content) } : (object(JSON.parse(content)) ?? {});
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

/** Servers as a client's configuration has them. One that is switched off there counts: not every client looks. */
function identities({ file, counts }: Place, own: string | undefined): ServerIdentity[] {
  return file
    .entries(contentOf(file))
    .filter(counts)
    .map(({ server }) => {
      const { name, transport, command, url } = server;
      if (url !== undefined) return { name, transport, url: expanded(url) };
      return { name, transport, command: unwrapped(command!.map(expanded), own) };
    });
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

/** Files with servers of a client, for work in any of the directories. */
function placesOf(client: string, dirs: readonly string[], counts: Place["counts"] = () => true): Place[] {
  const found = new Map<string, Place>();
  for (const cwd of dirs) {
    for (const file of clientFiles({ home: homedir(), cwd, env: process.env, platform: process.platform })) {
      if (file.client !== client || file.lists === true || found.has(file.path)) continue;
      found.set(file.path, { file, counts });
    }
  }
  return [...found.values()];
}

/** Places of Claude Code's servers by the scope that it tells (`mcp_server.source`); all of them without one. */
export function claudePlaces(cwd: string, source: string | undefined): Place[] {
  const scope = source === "enterprise" ? "managed" : source;
  const dirs = upwards(cwd);
  return placesOf("claude-code", dirs, (entry) => {
    if (scope !== undefined && entry.scope !== scope) return false;
    return entry.project === undefined || dirs.includes(entry.project);
  });
}

export function codexPlaces(cwd: string): Place[] {
  return placesOf("codex", upwards(cwd));
}

export function cursorPlaces(roots: readonly string[]): Place[] {
  return placesOf("cursor", [homedir(), ...roots]);
}

export function geminiPlaces(cwd: string): Place[] {
  return placesOf("gemini-cli", upwards(cwd));
}

export function copilotPlaces(cwd: string): Place[] {
  return placesOf("copilot", upwards(cwd));
}

export function windsurfPlaces(): Place[] {
  return placesOf("windsurf", [homedir()]);
}

export function kiroPlaces(cwd: string): Place[] {
  return placesOf("kiro", upwards(cwd));
}
