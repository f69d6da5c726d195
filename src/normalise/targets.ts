// What a tool call is aimed at, read off the arguments that name it plainly: a file, a command, a URL. Looks at
// top-level arguments only; where a URL leads is derived later, for all formats.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import type { Fields } from "./format.ts";

/** Text, or the words of a command given as a list. */
function commandOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  return value.every((word) => typeof word === "string") ? value.join(" ") : undefined;
}

/** Editors and memory tools have a `command` too: there it names what to do with the file. */
function runsCommands(tool: string): boolean {
  return !tool.includes("edit") && !tool.includes("memory");
}

const READS_RESOURCE = /^read_?mcp_?resource/i;

/** Sets file.path, process.command_line and url.full from a tool's arguments, where they name them. */
export function setTargets(e: Event, tool: string, args: Fields): void {
  const path =
    args["path"] ??
    args["file_path"] ??
    args["filename"] ??
    args["notebook_path"] ??
    args["absolute_path"] ??
    args["target_file"];
  if (typeof path === "string" && path !== "") e["file.path"] = path;
  const command = args["command"] ?? args["cmd"];
  if (command !== undefined && runsCommands(tool)) e["process.command_line"] = commandOf(command);
  const url = args["url"] ?? args["uri"];
  if (typeof url !== "string" || url === "") return;
  setUrl(e, url);
  // Agents read resources of MCP servers by a tool of their own.
  if (args["uri"] === url && READS_RESOURCE.test(tool)) e["mcp.resource.uri"] ??= url;
}

/** A file: URL is a path, any other a URL. */
export function setUrl(e: Event, url: string): void {
  if (url.startsWith("file://")) {
    e["file.path"] ??= url.slice(7);
    return;
  }
  e["url.full"] = url;
}

const WRITES =
  /(?:^|[_-])(?:write|edit|multiedit|create|append|replace|patch|insert|move|rename|save|delete|remove|update|put|store|upload)(?:$|[_-])|(?:^|[a-z])(?:Write|Edit|MultiEdit|Create|Append|Replace|Patch|Move)(?:$|[A-Z])|^(?:write|edit|create|append|replace|patch|insert|move|rename|save|delete|remove|update|put)(?=[A-Z])/;
const writers = new Map<string, boolean>();

/** Whether a tool of that name changes the file that it is given. */
export function writesFiles(tool: string): boolean {
  let found = writers.get(tool);
  if (found === undefined) {
    found = WRITES.test(tool.slice(0, LIMITS.tool_name_chars));
    if (writers.size >= LIMITS.tool_classes) writers.clear();
    writers.set(tool, found);
  }
  return found;
}

const TO = [
  "to",
  "recipients",
  "recipient",
  "email",
  "address",
  "bcc",
  "cc",
  "participants",
  "user_email",
  "channel",
];
const MAIL = /^[^\s@<>"]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;

/** The first mail address among the arguments that say to whom something goes. */
export function recipientIn(args: Json): string | undefined {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return undefined;
  const object = args as Readonly<Record<string, Json>>;
  for (let i = 0; i < TO.length; i++) {
    const value = object[TO[i]!];
    if (value === undefined) continue;
    const first = Array.isArray(value) ? value[0] : value;
    if (typeof first === "string" && first.includes("@") && first.length < 320 && MAIL.test(first))
      return first.toLowerCase();
  }
  return undefined;
}
