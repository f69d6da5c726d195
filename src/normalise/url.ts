// Where a call goes: the first http or https URL of its arguments or command line, and its host. Resolves nothing.
import type { Json } from "../core/text.ts";

const HOST_CHARS_MAX = 253;
const COMMAND_CHARS_MAX = 16_384;

/** Host of an http(s) URL in lower case, without user, port and brackets; undefined for anything else. */
export function hostOf(url: string): string | undefined {
  let at = url.startsWith("https://") ? 8 : url.startsWith("http://") ? 7 : 0;
  if (at === 0) return undefined;
  let end = at;
  for (; end < url.length; end++) {
    const c = url.charCodeAt(end);
    if (c === 64) at = end + 1;
    else if (c === 47 || c === 63 || c === 35 || c === 92 || c <= 32) break;
    else if (c === 34 || c === 39 || c === 60 || c === 62 || c === 96) break;
  }
  let host = url.slice(at, end);
  if (host.startsWith("[")) host = host.slice(1, host.indexOf("]"));
  else if (host.includes(":")) host = host.slice(0, host.indexOf(":"));
  if (host.endsWith(".")) host = host.slice(0, -1);
  return host === "" || host.length > HOST_CHARS_MAX ? undefined : host.toLowerCase();
}

/** This machine, by any of its usual names. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" ||
    host === "::1" ||
    host === "0.0.0.0" ||
    /^127(?:\.\d{1,3}){1,3}$/.test(host) ||
    host.endsWith(".localhost")
  );
}

/** The first URL among the values of the arguments, else the first in the command line. */
export function urlIn(args: Json, command: string | undefined): string | undefined {
  if (typeof args === "object" && args !== null && !Array.isArray(args)) {
    const object = args as Readonly<Record<string, Json>>;
    for (const key in object) {
      const value = object[key];
      if (typeof value === "string" && value.charCodeAt(0) === 104 && hostOf(value) !== undefined)
        return value;
    }
  }
  if (command === undefined) return undefined;
  let at = command.indexOf("http");
  while (at !== -1 && at < COMMAND_CHARS_MAX) {
    const c = command.charCodeAt(at + 4);
    if (c === 58 || c === 115) {
      const url = command.slice(at, at + HOST_CHARS_MAX + 270);
      if (hostOf(url) !== undefined) return url;
    }
    at = command.indexOf("http", at + 4);
  }
  return undefined;
}

const SECOND = /^(?:co|com|org|net|gov|edu|ac|or|ne|go|gob|nom)$/;

/** The part of a host name that was registered: its last two labels, or three where the second is a country's
 * category such as co.uk. Knows no list of suffixes. */
export function registeredDomain(host: string): string {
  const last = host.lastIndexOf(".");
  const second = host.lastIndexOf(".", last - 1);
  if (last <= 0 || second <= 0) return host;
  if (host.length - last !== 3 || !SECOND.test(host.slice(second + 1, last))) return host.slice(second + 1);
  return host.slice(host.lastIndexOf(".", second - 1) + 1);
}
