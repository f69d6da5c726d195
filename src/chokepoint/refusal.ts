// What is answered instead of passing a message on: an error result that a model can read for tool calls, a JSON-RPC
// error for everything else, and nothing at all to a notification.
import type { Decision } from "../policy/contract.ts";
import { type Message, asFields, textOf } from "./json-rpc.ts";

/** Implementation-defined. */
const REFUSED = -32_010;
export const HEADER_MISMATCH = -32_020;
export const INVALID_REQUEST = -32_600;
/** First revision without sessions. */
const STATELESS = "2026-07-28";
const META_VERSION = "io.modelcontextprotocol/protocolVersion";

/** Whether a request is of the revisions without sessions, as it says itself. */
export function isStateless({ fields }: Message): boolean {
  const version = textOf(asFields(asFields(fields["params"])?.["_meta"])?.[META_VERSION]);
  return version !== undefined && version >= STATELESS;
}

export function isStatelessVersion(version: string | undefined): boolean {
  return version !== undefined && version >= STATELESS;
}

export function errorText(id: string | number | null, code: number, message: string, data?: object): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id,
    error: data === undefined ? { code, message } : { code, message, data },
  });
}

/** What the client gets in place of the server's answer with this id, where it may not have that; `asked` is the request, where
 * it is known. */
export function refusalOfAnswer(
  id: Message["id"],
  asked: Pick<Message, "method" | "fields"> | undefined,
  why: string,
  decision?: Decision,
): string | undefined {
  return refusal({ raw: "", fields: {}, method: undefined, ...asked, id }, why, decision);
}

/** The answer to a request that is refused; undefined for a notification. */
export function refusal(message: Message, why: string, decision?: Decision): string | undefined {
  const { id, method, fields } = message;
  if (id === undefined) return undefined;
  const text = `Refused by policy. ${why}`;
  const task = asFields(fields["params"])?.["task"] !== undefined;
  if (method === "tools/call" && !task) {
    const result = { content: [{ type: "text", text }], isError: true };
    return JSON.stringify({
      jsonrpc: "2.0",
      id,
      result: isStateless(message) ? { resultType: "complete", ...result } : result,
    });
  }
  const data = decision === undefined ? undefined : { rule: decision.rule, policy: decision.policy };
  return errorText(id, REFUSED, text, data);
}
