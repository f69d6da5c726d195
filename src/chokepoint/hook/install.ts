// Puts the hook into a client's configuration and takes it out again, leaving everything else in the file as it is. The
// file before each change is kept beside it. Never writes a file that it could not read.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { readRegular } from "../../core/regular-file.ts";
import { object } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { type Json, SETTINGS, type Settings } from "./settings.ts";

/** Name of the bundle: a hook whose command runs it is ours. */
export const HOOK_FILE = "tapline-hook.cjs";

export interface HookCommand {
  readonly node: string;
  readonly script: string;
  /** Whether a call is refused when the hook fails. */
  readonly closed: boolean;
  /** Options after client and event. */
  readonly options: readonly string[];
}

export interface Change {
  readonly file: string;
  readonly backup: string | undefined;
  readonly changed: boolean;
}

/** As a POSIX shell reads it as one word. */
function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function commandLine(client: string, event: string, { node, script, options }: HookCommand): string {
  return [node, script, client, event, ...options].map(quoted).join(" ");
}

/** Hooks of a client as its configuration has them: a list under each event, or one list with a trigger each. */
function hooksOf(client: string, settings: Settings, command: HookCommand): Json | unknown[] {
  const wire = CLIENTS.get(client)!;
  const entries = settings.events.map((event): [string, Json] => [
    event,
    settings.entry(commandLine(client, event, command), event, command.closed && wire.waits(event) === true),
  ]);
  if (client === "kiro") return entries.map(([, entry]) => entry);
  return Object.fromEntries(entries.map(([event, entry]) => [event, [entry]]));
}

/** What `--print` shows: the configuration of the hook alone. */
export function fragment(client: string, command: HookCommand): { file: string; content: Json } {
  const settings = SETTINGS.get(client)!;
  return {
    file: settings.file(process.env),
    content: { ...settings.frame, hooks: hooksOf(client, settings, command) },
  };
}

const isOurs = (entry: unknown): boolean => JSON.stringify(entry).includes(`/${HOOK_FILE}`);

/** An entry without our hook; undefined when nothing is left of it. Claude Code and its like group hooks by matcher. */
function without(entry: unknown): unknown {
  if (!isOurs(entry)) return entry;
  const group = object(entry);
  const inner = group?.["hooks"];
  if (!Array.isArray(inner)) return undefined;
  const others = inner.filter((hook) => !isOurs(hook));
  return others.length === 0 ? undefined : { ...group, hooks: others };
}

function listWithout(list: readonly unknown[]): unknown[] {
  return list.map(without).filter((entry) => entry !== undefined);
}

function malformed(file: string, what: string): TaplineError {
  return new TaplineError("HOOK_CONFIG_UNREADABLE", `${file}: ${what}`, {
    remedy: "put it right, or merge by hand what `tapline hook install CLIENT --print` shows",
  });
}

/** The file's content with our hooks in place of those that are there; without `hooks` they are only taken out. */
function merged(file: string, before: Json, frame: Json, hooks: Json | unknown[] | undefined): Json {
  const present = before["hooks"];
  if (Array.isArray(hooks) || Array.isArray(present)) {
    if (present !== undefined && !Array.isArray(present)) throw malformed(file, "`hooks` is not a list");
    if (hooks !== undefined && !Array.isArray(hooks)) throw malformed(file, "`hooks` is not an object");
    return { ...frame, ...before, hooks: [...listWithout(present ?? []), ...(hooks ?? [])] };
  }
  const lists = object(present ?? {});
  if (lists === undefined) throw malformed(file, "`hooks` is not an object");
  const result: Json = {};
  for (const [event, list] of Object.entries(lists)) {
    if (!Array.isArray(list)) {
      result[event] = list;
      continue;
    }
    const others = listWithout(list);
    if (others.length > 0 || list.length === 0) result[event] = others;
  }
  for (const [event, list] of Object.entries(hooks ?? {})) {
    const others = result[event] ?? [];
    if (!Array.isArray(others)) throw malformed(file, `\`hooks.${event}\` is not a list`);
    result[event] = [...others, ...(list as unknown[])];
  }
  return { ...frame, ...before, hooks: result };
}

function readJson(file: string): { text: string; value: Json } | undefined {
  let text: string;
  try {
    text = readRegular(file, LIMITS.client_file_bytes);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw malformed(file, reasonOf(error));
  }
  if (text.trim() === "") return { text, value: {} };
  try {
    const value = object(JSON.parse(text));
    if (value !== undefined) return { text, value };
  } catch {
    // Comments, for one.
  }
  throw malformed(file, "not a JSON object, so it is left alone");
}

/** Directories of the system itself: nobody's configuration is there, and to make one there may never end. */
const SYSTEM = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** As many links in a row as a kernel follows. */
const LINKS = 40;

/** Where a file is made that is not there yet, also behind links that lead to it: a checkout may come after them. */
function missing(named: string): string {
  let file = resolve(named);
  for (let i = 0; i < LINKS; i++) {
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) break;
    file = resolve(realpathSync(dirname(file)), readlinkSync(file));
  }
  return file;
}

/** The file that is meant: a link stays a link, and what it leads to is changed. */
function fileAt(named: string): string {
  let file: string;
  try {
    file = realpathSync(named);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw malformed(named, reasonOf(error));
    file = missing(named);
  }
  if (!SYSTEM.test(file)) return file;
  throw new TaplineError("HOOK_CONFIG_UNREADABLE", `${named}: no place for a configuration`, {
    remedy: "name a file in a home or project directory, or leave --file out",
  });
}

/** Whether a file is of the user who runs this alone: others have to read what an administrator puts elsewhere. */
function isPrivate(file: string): boolean {
  const home = homedir();
  return [home, existsSync(home) ? realpathSync(home) : home].some((dir) => file.startsWith(`${dir}/`));
}

/** Makes a directory and those above it, one by one. With a mode, whatever the umask. */
function makeDirectory(path: string, mode: number | undefined): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path), mode);
  mkdirSync(path);
  if (mode !== undefined) chmodSync(path, mode);
}

/** Keeps the file as it is under a name that no other copy has: several changes may come in one second. */
function keep(file: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  for (let n = 1; ; n++) {
    const backup = `${file}.${stamp}${n === 1 ? "" : `-${n}`}.bak`;
    try {
      copyFileSync(file, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
}

/** Installs, or with `command` undefined takes out. */
export function change(client: string, at: string | undefined, command: HookCommand | undefined): Change {
  const settings = SETTINGS.get(client)!;
  const file = fileAt(at ?? settings.file(process.env));
  const before = readJson(file);
  if (before === undefined && command === undefined) return { file, backup: undefined, changed: false };
  const hooks = command === undefined ? undefined : hooksOf(client, settings, command);
  const after = merged(file, before?.value ?? {}, command === undefined ? {} : settings.frame, hooks);
  if (before !== undefined && JSON.stringify(before.value) === JSON.stringify(after)) {
    return { file, backup: undefined, changed: false };
  }
  return { file, backup: write(file, before !== undefined, after), changed: true };
}

function write(file: string, exists: boolean, content: Json): string | undefined {
  const own = isPrivate(file);
  let backup: string | undefined;
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeDirectory(dirname(file), own ? undefined : 0o755);
    if (exists) backup = keep(file);
    writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
    if (exists) chmodSync(temporary, statSync(file).mode & 0o777);
    else if (!own) chmodSync(temporary, 0o644);
    renameSync(temporary, file);
  } catch (error) {
    throw new TaplineError("HOOK_CONFIG_UNWRITABLE", `cannot write ${file}: ${reasonOf(error)}`, {
      remedy: `merge by hand what \`tapline hook install ${basename(file)} --print\` shows`,
      cause: error,
    });
  }
  return backup;
}
