// Which messages of MCP are held up for a decision, and what the decision is about. A method that no revision defines is
// held up too: it may be a way to do what another method may not.
import { type Message, asFields, textOf } from "./json-rpc.ts";
import type { Direction } from "./recorder.ts";

/** Requests that are part of the protocol itself: they only pass or list. */
const FREE: Readonly<Record<Direction, ReadonlySet<string>>> = {
  c2s: new Set(
    (
      "initialize ping server/discover subscriptions/listen tools/list resources/list resources/templates/list " +
      "resources/unsubscribe prompts/list completion/complete logging/setLevel tasks/get tasks/result tasks/list " +
      "tasks/cancel tasks/update"
    ).split(" "),
  ),
  s2c: new Set("ping tasks/get tasks/result tasks/list tasks/cancel".split(" ")),
};
const NOTIFICATION = "notifications/";

/** Whether a request or notification waits for a decision. */
export function isDecided(method: string, dir: Direction): boolean {
  return !FREE[dir].has(method) && !method.startsWith(NOTIFICATION);
}

export interface Subject {
  /** Tool, or what stands for it: the URI of a resource, the name of a prompt, the method of anything else. */
  readonly tool: string;
  readonly arguments: unknown;
}

export function subjectOf({ method = "", fields }: Message): Subject {
  const params = asFields(fields["params"]);
  if (method === "tools/call" || method === "prompts/get")
    return { tool: textOf(params?.["name"]) ?? "", arguments: params?.["arguments"] };
  if (method.startsWith("resources/")) {
    const uri = textOf(params?.["uri"]) ?? "";
    return { tool: uri, arguments: { uri } };
  }
  return { tool: method, arguments: params };
}
