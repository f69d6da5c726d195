// What a decision says to the model and the person: what was refused, and what to do about it. Made only of the policy's own
// words.
import type { Fallback } from "./compiled.ts";
import type { Finding } from "./findings.ts";

export const ASK_OWNER = "Ask whoever keeps the policy to change it if this is needed.";

export const CHANGED =
  "The definition of this tool is not the one that was reviewed or first seen. Compare it, and accept it with `tapline inventory accept` or leave it alone.";

/** What is wrong with an argument. */
export const SAID = {
  arguments: "the arguments cannot be checked",
  under: "a path lies outside the directories that the policy allows, or cannot be told for certain",
  not_under: "a path lies in a directory that the policy keeps out, or cannot be told for certain",
  hosts: "a URL or host is none that the policy allows, or cannot be told for certain",
  not_hosts: "a URL or host is one that the policy keeps out, or cannot be told for certain",
  max_bytes: "the argument is longer than the policy allows",
} as const;

export function saidOf({ verdict, place }: Pick<Fallback, "verdict" | "place">, where: string): string {
  if (verdict === "allow") return `The policy allows this ${where} (${place}).`;
  if (verdict === "ask") return `The policy wants a person to confirm this ${where} (${place}).`;
  return `The policy denies this ${where} (${place}). ${ASK_OWNER}`;
}

/** A demand of a line is not met. */
export function broken({ mode, place }: Fallback, part: string, what: string): Finding {
  return {
    verdict: "deny",
    mode,
    place: `${place}.${part}`,
    reason: `The policy refuses this call: ${what} (${place}.${part}).`,
  };
}
