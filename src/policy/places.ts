// Paths and hosts of arguments, held against the lists of a policy. A text that two readers could take for different
// places is refused: `..`, percent-encoding, backslashes, user parts and disguised addresses are the ways around a list.
// Follows no symbolic link and resolves no name.
import { posix } from "node:path";
import { addressOf } from "../core/address.ts";
import { LIMITS } from "../core/limits.ts";

export interface Surroundings {
  readonly home: string;
  /** Where relative paths start; without it they are refused. */
  readonly cwd: string | undefined;
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;
const OVERLONG = /%(?:c[01]|e0%[89]|f0%8)/i;
const DECODES = 4;
const DRIVE = /^[a-z]:\//i;

/** A directory of a policy as it is compared. */
export function directory(text: string, home: string): string {
  const path = text === "~" || text.startsWith("~/") ? home + text.slice(1) : text;
  const plain = posix.normalize(path.replaceAll("\\", "/"));
  return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
}

export function below(path: string, dir: string): boolean {
  return path === dir || dir === "/" || path.startsWith(`${dir}/`);
}

/** Every absolute path that a text may be read as; undefined when it cannot be told. */
export function pathsOf(text: string, { home, cwd }: Surroundings): string[] | undefined {
  if (CONTROL.test(text) || OVERLONG.test(text)) return undefined;
  const start = /^file:/i.test(text) ? filePath(text) : text;
  if (start === undefined) return undefined;
  const forms = new Set([start]);
  for (let form = start, i = 0; form.includes("%"); i++) {
    const next = form.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === form) break;
    if (i === DECODES || CONTROL.test(next)) return undefined;
    forms.add(next);
    form = next;
  }
  const paths: string[] = [];
  for (const form of forms) {
    const variants = form.includes("\\") ? [form, form.replaceAll("\\", "/")] : [form];
    for (const variant of variants) {
      const path = absolute(variant, home, cwd);
      if (path === undefined) return undefined;
      paths.push(path);
    }
  }
  return paths;
}

function filePath(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.hostname === "" || url.hostname === "localhost" ? url.pathname : undefined;
}

function absolute(text: string, home: string, cwd: string | undefined): string | undefined {
  let path = text;
  if (path === "~" || path.startsWith("~/")) path = home + path.slice(1);
  else if (path.startsWith("~")) return undefined;
  else if (!path.startsWith("/") && !DRIVE.test(path)) {
    if (cwd === undefined) return undefined;
    path = `${cwd}/${path}`;
  }
  const plain = posix.normalize(path);
  return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
}

export interface Host {
  readonly name: string;
  readonly port: string | undefined;
}

export interface HostPattern extends Host {
  /** Names below it, and not itself. */
  readonly below: boolean;
}

const SCHEME_CHARS = 32;
/** A host ends far before that. */
const URL_CHARS = 1_024;
const PORT = /:(\d{1,5})$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "ws:": "80",
  "wss:": "443",
};

function canonicalName(authority: string): string | undefined {
  const bracketed = authority.includes(":") && !authority.startsWith("[") ? `[${authority}]` : authority;
  const url = `http://${bracketed}/`;
  if (!URL.canParse(url)) return undefined;
  let { hostname } = new URL(url);
  if (hostname.startsWith("[")) hostname = hostname.slice(1, -1);
  if (hostname.endsWith(".")) hostname = hostname.slice(0, -1);
  return hostname === "" ? undefined : (addressOf(hostname)?.ip ?? hostname);
}

/** A host of a policy as it is compared; undefined when it is none. */
export function hostPattern(text: string): HostPattern | undefined {
  const wild = text.startsWith("*.");
  const rest = wild ? text.slice(2) : text;
  const many = rest.split(":").length > 2 && !rest.startsWith("[");
  const port = many ? undefined : PORT.exec(rest)?.[1];
  const name = canonicalName(port === undefined ? rest : rest.slice(0, -port.length - 1));
  return name === undefined || /[/?#@\\%\s]/.test(rest) ? undefined : { name, port, below: wild };
}

/** The host of a URL, or of a text that is a host; undefined when it cannot be told for certain. */
export function hostIn(text: string): Host | undefined {
  if (CONTROL.test(text) || /[\s\\]/.test(text)) return undefined;
  const scheme = /^([a-z][a-z0-9+.-]{0,31}:)?\/\//i.exec(text);
  const rest = scheme === null ? text : text.slice(scheme[0].length);
  const authority = /^[^/?#]*/.exec(rest)![0];
  if (authority === "" || authority.length > URL_CHARS || authority.includes("@") || authority.includes("%"))
    return undefined;
  const port = /\]|^[^:]*:[^:]*$|^[^:]*$/.test(authority) ? PORT.exec(authority)?.[1] : undefined;
  const raw = port === undefined ? authority : authority.slice(0, -port.length - 1);
  const bare = raw.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const written = addressOf(bare.endsWith(".") ? bare.slice(0, -1) : bare);
  if (written !== undefined && written.form !== "plain") return undefined;
  if (raw.startsWith("[") !== raw.endsWith("]")) return undefined;
  // In a URL an address with colons stands in brackets.
  if (scheme !== null && raw.includes(":") && !raw.startsWith("[")) return undefined;
  const name = canonicalName(raw);
  if (name === undefined) return undefined;
  // Digits that only some readers take for an address.
  if (written === undefined && addressOf(name) !== undefined && !name.includes(":")) return undefined;
  return { name, port: port ?? DEFAULT_PORTS[scheme?.[1]?.toLowerCase() ?? ""] };
}

export function hostMatches(pattern: HostPattern, host: Host): boolean {
  if (pattern.port !== undefined && pattern.port !== host.port) return false;
  return pattern.below ? host.name.endsWith(`.${pattern.name}`) : host.name === pattern.name;
}

const STOPS = /[\s"'<>`]/;
/** Browsers and their like take a scheme that they know for the begin of a URL however many slashes follow, or none, and
 * take no notice of tabs and line ends among them. */
const LOOSE = /((?:https?|wss?|ftp):)([/\\\t\r\n]*)/gi;
const AT_START = /^((?:https?|wss?|ftp):|[a-z][a-z0-9+.-]{0,31}:(?=[/\\]{2})|)([/\\]*)/i;
// oxlint-disable-next-line no-control-regex
const AROUND = /^[\u0000-\u0020]+/;

/** A text without what readers of URLs take no notice of: white space around it, and tabs and line ends anywhere. */
export function withoutBlanks(text: string): string {
  return text
    .replace(AROUND, "")
    .trimEnd()
    .replaceAll(/[\t\r\n]/g, "");
}

function authorityAt(text: string, from: number): string {
  let end = from;
  while (end < text.length && end - from < URL_CHARS && !STOPS.test(text[end]!)) end++;
  return text.slice(from, end);
}

/** The URLs in a text, each as far as its host may reach; undefined when there are too many. */
export function urlsIn(text: string): string[] | undefined {
  const urls: string[] = [];
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", at + 3)) {
    if (urls.length >= LIMITS.policy_texts) return undefined;
    let from = at;
    while (from > 0 && at - from < SCHEME_CHARS && /[a-z0-9+.-]/i.test(text[from - 1]!)) from--;
    urls.push(text.slice(from, at + 3) + authorityAt(text, at + 3));
  }
  for (const { 0: start, 1: scheme, 2: slashes, index } of text.matchAll(LOOSE)) {
    if (urls.length >= LIMITS.policy_texts) return undefined;
    if (slashes !== "//") add(urls, scheme!, slashes!, authorityAt(text, index + start.length));
  }
  // A text that is a URL as a whole: one may begin with its host, and have line ends anywhere.
  const whole = withoutBlanks(text);
  const [start, scheme, slashes] = AT_START.exec(whole)!;
  if (scheme === "" && slashes!.length < 2) return urls;
  const user = /^[^/\\?#]*@/.test(whole.slice(start.length)) ? "@" : ""; // whatever stands before it
  add(urls, scheme!, slashes!, user + authorityAt(whole, start.length));
  return urls;
}

/** A backslash stays, so that nobody takes the host for certain. */
function add(urls: string[], scheme: string, slashes: string, authority: string): void {
  if (authority !== "") urls.push(`${scheme}//${slashes.replaceAll(/[^\\]/g, "")}${authority}`);
}

/** An address that names no file. */
const ADDRESS = /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i;

/** Whether a text may be a path, where nobody says that it is one: what is written like one, and each line with a slash. */
export function looksLikePath(text: string): boolean {
  return (
    /^(?:[~/\\]|\.{1,2}(?:[/\\]|$)|file:|[a-z]:[/\\])/i.test(text) ||
    /[/\\]\.\.(?:[/\\]|$)|%2e|%2f|%5c/i.test(text) ||
    (/[/\\]/.test(text) && !/[\r\n]/.test(text) && !ADDRESS.test(text))
  );
}

/** Whether a text may be the name of a file or directory. */
export function looksLikeName(text: string): boolean {
  return /^[^\s/\\]{1,1024}$/.test(text);
}
