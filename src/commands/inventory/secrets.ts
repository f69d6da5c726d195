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

/** A command line with `*` where a secret may stand. */
export function commandShown(command: readonly string[]): string[] {
  return command.map((word, i) => {
    if (i > 0 && OPTION.test(command[i - 1]!)) return "*";
    const name = ASSIGNED.exec(word)?.[1];
    // Variables of the environment, and options that are named for what they hold.
    if (name !== undefined && (UPPER.test(name) || NAMED.test(name))) return `${name}=*`;
    if (word.includes("://") && URL.canParse(word)) return urlShown(word) === word ? word : "*";
    return redactText(word) === word ? word : "*";
  });
}

/** A URL without user, query and fragment, up to the first part of its path that may be a secret. */
export function urlShown(text: string): string {
  if (!URL.canParse(text)) return "*";
  const url = new URL(text);
  const parts = url.pathname.split("/");
  const at = parts.findIndex((part) => LONG_PART.test(part) || redactText(part) !== part);
  const path = at === -1 ? url.pathname : `${parts.slice(0, at).join("/")}/*`;
  return `${url.protocol}//${url.host}${path}`;
}

export function serverShown(server: ServerIdentity): ServerIdentity {
  return {
    ...server,
    command: server.command === undefined ? undefined : commandShown(server.command),
    url: server.url === undefined ? undefined : urlShown(server.url),
  };
}
