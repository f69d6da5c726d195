// Command lines and URLs as they may be shown and written down: what may be a secret is `*`, which also is a pattern that
// still matches. Knows secrets by their shape and by the options that they follow; one of no known shape stays.
import { createRedactor } from "../../normalise/redact.ts";
import type { ServerIdentity } from "../../policy/contract.ts";

const NAMES = "token|key|secret|password|passwd|pwd|auth|bearer|credential|cookie|session";
const OPTION = new RegExp(`^--?(?:[\\w.-]*[-_.])?(?:${NAMES})s?$`, "i");
const ASSIGNED = /^(-{0,2}[A-Za-z_][\w.-]*)=(?=.)/;
const NAMED = new RegExp(`(?:^|[-_.])(?:${NAMES})s?$`, "i");
const UPPER = /^[A-Z_][A-Z0-9_]*$/;
const LONG_PART = /^(?=.*\d)(?=.*[a-z])[\w-]{20,}$/i;

const { redactText } = createRedactor("");

/** A variable of the environment, as clients write it. */
const VARIABLE = /\$\{[^}]*\}/g;

/** A command line with `*` where a secret may stand. */
export function commandShown(command: readonly string[]): string[] {
  return command.map((word, i) => {
    if (i > 0 && OPTION.test(command[i - 1]!)) return "*";
    const name = ASSIGNED.exec(word)?.[1];
    // Variables of the environment, and options that are named for what they hold.
    if (name !== undefined && (UPPER.test(name) || NAMED.test(name))) return `${name}=*`;
    if (word.includes("://") && URL.canParse(word)) return urlShown(word) === word ? word : "*";
    return redactText(word) === word ? word.replaceAll(VARIABLE, "*") : "*";
  });
}

function mayBeSecret(part: string): boolean {
  return LONG_PART.test(part) || part.includes("$") || redactText(part) !== part;
}

/** A URL without user, query and fragment, up to the first part of its path that may be a secret; undefined when it cannot
 * be read. */
export function urlShown(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.host.includes("$")) return undefined;
  const parts = url.pathname.split("/");
  const at = parts.findIndex(mayBeSecret);
  const path = at === -1 ? url.pathname : `${parts.slice(0, at).join("/")}/*`;
  return `${url.protocol}//${url.host}${path}`;
}

/** A server as it may be shown; undefined when there is nothing to tell it by. */
export function serverShown(server: ServerIdentity): ServerIdentity | undefined {
  const url = server.url === undefined ? undefined : urlShown(server.url);
  if (server.url !== undefined && url === undefined) return undefined;
  return { ...server, url, command: server.command === undefined ? undefined : commandShown(server.command) };
}
