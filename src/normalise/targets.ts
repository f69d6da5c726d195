// What a tool call is aimed at, read off the arguments that name it plainly: a file, a command, a URL. Looks at
// top-level arguments only; where a URL leads is derived later, for all formats.
import type { Event } from "../core/generated/event.ts";
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

/** Sets file.path, process.command_line and url.full from a tool's arguments, where they name them. */
export function setTargets(e: Event, tool: string, args: Fields): void {
  const path = args["path"] ?? args["file_path"] ?? args["filename"] ?? args["notebook_path"];
  if (typeof path === "string" && path !== "") e["file.path"] = path;
  const command = args["command"] ?? args["cmd"];
  if (command !== undefined && runsCommands(tool)) e["process.command_line"] = commandOf(command);
  const url = args["url"] ?? args["uri"];
  if (typeof url === "string" && url !== "") setUrl(e, url);
}

/** A file: URL is a path, any other a URL. */
export function setUrl(e: Event, url: string): void {
  if (url.startsWith("file://")) {
    e["file.path"] ??= url.slice(7);
    return;
  }
  e["url.full"] = url;
}
