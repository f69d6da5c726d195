// Which servers of the inventory a server is, told by what started it: its command line, the package that a runner was
// asked for, or its URL. What a server says of itself, and the name a client gives it, decide nothing.
import type { CompiledServer } from "./compiled.ts";
import type { ServerIdentity } from "./contract.ts";
import { matches } from "./glob.ts";
import { inRange } from "./version.ts";

/** `version`: it is the package of the inventory, in a version that is not approved, or in none that is named. */
export type Match = "no" | "yes" | "version";

export interface Package {
  readonly name: string;
  readonly version: string | undefined;
}

/** Directories whose runners are taken for what their name says. */
const PROGRAMS = ["/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"];
const NPM_NAME = /^(?:@[a-z0-9~][\w.~-]{0,100}\/)?[a-z0-9~][\w.~-]{0,200}$/i;
const PIP = /^([a-z0-9][\w.-]{0,200})(?:\[[\w,-]{1,100}\])?(?:(?:==|@)([\w.!+-]{1,100}))?$/i;
const IMAGE =
  /^([a-z0-9][\w./-]{0,200}(?::\d{1,5}\/[\w./-]{1,200})?)(?::([\w.-]{1,128}))?(@sha256:[0-9a-f]{64})?$/i;
/** Says nothing of what is run. */
const QUIET = new Set(["-y", "--yes", "-q", "--quiet", "--silent"]);
const DOCKER_ALONE = new Set(["-i", "-t", "-it", "--interactive", "--tty", "--rm", "--init"]);
const DOCKER_VALUE = new Set(["-e", "--env"]);

/** The package that a command line runs, where a known runner is asked for one in a way that can be read for certain.
 * An option that may change what is run makes it none. */
export function packageOf(command: readonly string[]): Package | undefined {
  const words = command.slice(1);
  switch (program(command[0] ?? "")) {
    case "npx":
    case "bunx":
      return npm(words);
    case "pnpm":
    case "yarn":
      return words[0] === "dlx" ? npm(words.slice(1)) : undefined;
    case "uvx":
      return python(words);
    case "uv":
      return words[0] === "tool" && words[1] === "run" ? python(words.slice(2)) : undefined;
    case "pipx":
      return words[0] === "run" ? python(words.slice(1)) : undefined;
    case "docker":
    case "podman":
      return words[0] === "run" ? image(words.slice(1)) : undefined;
    default:
      return undefined;
  }
}

function program(word: string): string {
  for (const directory of PROGRAMS) {
    if (word.startsWith(directory)) return word.slice(directory.length);
  }
  return word;
}

/** The first word that is no option, when all options before it are harmless. */
function afterOptions(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => !QUIET.has(word));
  const word = words[at];
  return word === undefined || word.startsWith("-") ? undefined : word;
}

function npm(words: readonly string[]): Package | undefined {
  const word = afterOptions(words);
  if (word === undefined) return undefined;
  const at = word.indexOf("@", 1);
  const name = at === -1 ? word : word.slice(0, at);
  const version = at === -1 ? undefined : word.slice(at + 1);
  // npm:other@1 or a URL behind the @ is another package.
  if (!NPM_NAME.test(name) || (version !== undefined && !/^[\w.^~<>=*+ -]{1,100}$/.test(version)))
    return undefined;
  return { name, version };
}

function python(words: readonly string[]): Package | undefined {
  const word = afterOptions(words);
  const m = word === undefined ? null : PIP.exec(word);
  return m === null ? undefined : { name: m[1]!, version: m[2] };
}

function image(words: readonly string[]): Package | undefined {
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (DOCKER_VALUE.has(word)) at += 2;
    else if (DOCKER_ALONE.has(word) || /^--(?:env|pull)=/.test(word)) at++;
    else break;
  }
  const m = IMAGE.exec(words[at] ?? "");
  // With a digest the tag is not looked at: what is run is whatever has the digest.
  return m === null ? undefined : { name: m[1]!, version: m[3] === undefined ? m[2] : undefined };
}

/** A URL as it is compared: scheme, host, port and path; undefined for what two readers could take for two hosts. */
export function urlKey(text: string): string | undefined {
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const path = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  return `${url.protocol}//${url.host}${path}`;
}

function commandMatches(patterns: readonly string[], command: readonly string[]): boolean {
  const open = patterns.at(-1) === "**";
  const fixed = open ? patterns.length - 1 : patterns.length;
  if (open ? command.length < fixed : command.length !== fixed) return false;
  for (let i = 0; i < fixed; i++) if (!matches(patterns[i]!, command[i]!)) return false;
  return true;
}

/** What a server is to an entry of the inventory. */
export function matchServer(entry: CompiledServer, server: ServerIdentity): Match {
  if (entry.url !== undefined) return urlMatches(entry.url, server.url) ? "yes" : "no";
  const command = server.command;
  if (command === undefined || command.length === 0) return "no";
  if (entry.command !== undefined && !commandMatches(entry.command, command)) return "no";
  if (entry.package === undefined) return "yes";
  const found = packageOf(command);
  if (found === undefined || found.name !== entry.package) return "no";
  if (entry.version === undefined) return "yes";
  return found.version !== undefined && inRange(found.version, entry.version) ? "yes" : "version";
}

function urlMatches(pattern: string, url: string | undefined): boolean {
  const key = url === undefined ? undefined : urlKey(url);
  if (key === undefined) return false;
  const open = pattern.endsWith("/*");
  const own = urlKey(open ? pattern.slice(0, -2) : pattern);
  return own !== undefined && (key === own || (open && key.startsWith(`${own}/`)));
}

/** What pins of a server are kept under: the entry of the inventory, else what started it. */
export function identityKey(server: ServerIdentity): string {
  if (server.command !== undefined && server.command.length > 0)
    return `command ${JSON.stringify(server.command)}`;
  const url = server.url === undefined ? undefined : urlKey(server.url);
  return url === undefined ? `name ${server.name}` : `url ${url}`;
}
