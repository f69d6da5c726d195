// Who may ask: the address that a request names, the page that it comes from, the cookie, and on Linux the user at the other
// end of the connection. Everything is compared in constant time; nothing of a request is ever repeated.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";

export type Role = "owner" | "reader";

/** Secrets of one run: the tokens of the links, and what the cookies hold in their place. */
export interface Secrets {
  readonly owner: string;
  readonly reader: string;
  readonly owner_cookie: string;
  readonly reader_cookie: string;
}

const NAMES = ["127.0.0.1", "localhost", "[::1]"];
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

function count(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length;
}

/** Why a request is none for this server; undefined when it is. A page of the web reaches it by another name for this
 * machine, or says where it comes from. */
export function foreign(request: IncomingMessage, port: number): string | undefined {
  const { headers, method } = request;
  const hosts = NAMES.map((name) => `${name}:${port}`);
  if (count(request, "host") !== 1 || !hosts.includes(headers.host ?? ""))
    return "the Host is not this viewer's";
  const { origin } = headers;
  const own = `http://${headers.host}`;
  if (count(request, "origin") > 1 || (origin !== undefined && origin !== own))
    return "the Origin is not this viewer's";
  if (method === "POST" && origin === undefined) return "a POST says its Origin";
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isEntry(request))
    return "the request comes from another site";
  return undefined;
}

/** The page itself may be opened by a link from anywhere; what it asks then is its own. */
function isEntry({ method, headers }: IncomingMessage): boolean {
  return (
    method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document"
  );
}

export function roleOfToken(token: string, secrets: Secrets): Role | undefined {
  const owner = same(token, secrets.owner);
  const reader = same(token, secrets.reader);
  return owner ? "owner" : reader ? "reader" : undefined;
}

/** Cookies know no ports: the name does. */
export const cookieName = (port: number): string => `tapline-viewer-${port}`;

export function setCookie(role: Role, secrets: Secrets, port: number): string {
  const value = role === "owner" ? secrets.owner_cookie : secrets.reader_cookie;
  return `${cookieName(port)}=${value}; Path=/; HttpOnly; SameSite=Strict`;
}

export function roleOfCookie({ headers }: IncomingMessage, secrets: Secrets, port: number): Role | undefined {
  const prefix = `${cookieName(port)}=`;
  const found = (headers.cookie ?? "").split(/; ?/).find((pair) => pair.startsWith(prefix));
  if (found === undefined) return undefined;
  const value = found.slice(prefix.length);
  const owner = same(value, secrets.owner_cookie);
  const reader = same(value, secrets.reader_cookie);
  return owner ? "owner" : reader ? "reader" : undefined;
}

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");

/** Number of the user who has the other end of a connection of this machine; `unknown` where the system's tables do not
 * say, undefined where it has none. A client may have a socket of either family for one address. */
export function peerUser({ socket }: IncomingMessage): number | "unknown" | undefined {
  const { remotePort, localPort } = socket;
  if (process.platform !== "linux") return undefined;
  if (remotePort === undefined || localPort === undefined) return "unknown";
  const found = new Set<number>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of linesOf(`/proc/net/${table}`)) {
      const [, local, remote, state, , , , uid] = line.trim().split(/\s+/);
      if (state === TIME_WAIT) continue; // it is nobody's
      if (local?.endsWith(`:${hex(remotePort)}`) === true && remote?.endsWith(`:${hex(localPort)}`) === true)
        found.add(Number(uid));
    }
  }
  // Two with the same ports, at different addresses: either may be it.
  return found.size === 1 ? [...found][0]! : "unknown";
}

const TIME_WAIT = "06";

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return []; // a system without this family of addresses
  }
}

/** The role that is left to who is at the other end: an owner's link opens a reader's view in the hands of another user, and
 * of one that cannot be told. */
export function heldBy(role: Role, uid: number | "unknown" | undefined): Role {
  const own = process.getuid?.();
  return role === "owner" && uid !== undefined && own !== undefined && uid !== own ? "reader" : role;
}
