// Reads which MCP servers the clients of this machine are set up with. A file that cannot be read is told by its path
// alone: what stands in it may be a secret.
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { readRegular } from "../core/regular-file.ts";
import {
  type ClientFile,
  type Entry,
  type Fields,
  type Places,
  clientFiles,
  fieldsOf,
} from "./client-files.ts";
import type { ServerIdentity } from "./contract.ts";

/** A server that a client is set up with, and where that stands. */
export interface Configured extends Entry {
  readonly client: string;
  readonly path: string;
  /** The server with the variables of the environment put in, as the client starts it: to compare, never to show. */
  readonly identity: ServerIdentity;
  /** Whether it is started through Tapline's own proxy; the server is then what the proxy starts. */
  readonly proxied: boolean;
}

export interface Discovered {
  readonly configured: readonly Configured[];
  /** Files that are there and cannot be used. */
  readonly problems: readonly string[];
}

/** Comments and commas too many, which editors allow in JSON, taken out. */
export function plainJson(text: string): string {
  return text
    .replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_, quoted?: string) => quoted ?? " ")
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, quoted?: string) => quoted ?? "");
}

async function parse(file: ClientFile, text: string): Promise<Fields> {
  if (file.syntax === "toml") return fieldsOf((await import("smol-toml")).parse(text));
  try {
    return fieldsOf(JSON.parse(text));
  } catch (error) {
    if (text.length > LIMITS.client_comment_chars) throw error;
    return fieldsOf(JSON.parse(plainJson(text)));
  }
}

/** What a command starts, when it starts Tapline's proxy first. */
export function unwrap(command: readonly string[]): readonly string[] | undefined {
  const at = command.indexOf("--");
  const before = command.slice(0, at === -1 ? 0 : at);
  const tapline = before.findIndex((word) => /^tapline(?:\.js|@.*)?$/.test(basename(word)));
  return tapline !== -1 && before[tapline + 1] === "mcp" ? command.slice(at + 1) : undefined;
}

function placed(file: ClientFile, entry: Entry, env: Places["env"]): Configured {
  const { command, url } = entry.server;
  const inner = command === undefined ? undefined : unwrap(command);
  const server = inner === undefined ? entry.server : { ...entry.server, command: inner };
  const identity = {
    ...server,
    command: server.command?.map((word) => expanded(word, env)),
    url: url === undefined ? undefined : expanded(url, env),
  };
  return { ...entry, server, identity, client: file.client, path: file.path, proxied: inner !== undefined };
}

/** `${NAME}`, `${NAME:-other}` and `${env:NAME}`, as clients write variables of the environment. */
export function expanded(text: string, env: Places["env"]): string {
  return text.replaceAll(
    /\$\{(?:env:)?([A-Za-z_]\w{0,127})(?::-([^}]{0,1024}))?\}/g,
    (whole, name: string, other?: string) => env[name] ?? other ?? whole,
  );
}

async function readClient(file: ClientFile, env: Places["env"]): Promise<Configured[] | string> {
  let text: string;
  try {
    text = readRegular(file.path, LIMITS.client_file_bytes);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    return `${file.path}: ${code ?? reasonOf(error)}`;
  }
  try {
    const content = await parse(file, text);
    return file.entries(content).map((entry) => placed(file, entry, env));
  } catch {
    return `${file.path}: no ${file.syntax.toUpperCase()}`;
  }
}

export function placesHere(cwd: string = process.cwd()): Places {
  return { home: homedir(), cwd, env: process.env, platform: process.platform };
}

/** Servers of all clients, here and in the projects that Claude Code knows. */
export async function discoverClients(places: Places): Promise<Discovered> {
  const configured: Configured[] = [];
  const problems: string[] = [];
  const files = clientFiles(places);
  const seen = new Set<string>();
  for (let i = 0; i < files.length; i++) {
    const file = files[i]!;
    if (seen.has(file.path)) continue;
    seen.add(file.path);
    const found = await readClient(file, places.env);
    if (typeof found === "string") {
      problems.push(found);
      continue;
    }
    configured.push(...found);
    const projects = [...new Set(found.flatMap(({ project }) => project ?? []))];
    for (const project of projects.slice(0, LIMITS.client_projects)) {
      const path = join(project, ".mcp.json");
      files.push({ ...file, path, entries: (content) => projectEntries(content, project) });
    }
  }
  return { configured, problems };
}

function projectEntries(content: Fields, project: string): Entry[] {
  const [file] = clientFiles({ home: "/", cwd: project, env: {}, platform: "linux" }).filter(
    ({ path }) => path === join(project, ".mcp.json"),
  );
  return file!.entries(content).map((entry) => ({ ...entry, project }));
}
