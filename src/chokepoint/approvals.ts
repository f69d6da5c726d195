// Questions to a person where a server may not send requests (2026-07-28): the call is answered with what is wanted, and
// comes again with the answer. Keeps what was asked, so that the answer to one call cannot be used for another.
import { randomBytes } from "node:crypto";
import { canonical } from "../core/digest.ts";
import { LIMITS } from "../core/limits.ts";
import { type Answer, answerOf } from "./ask.ts";
import { type Fields, type Message, asFields, textOf } from "./json-rpc.ts";

/** Name of our question among those of the server. */
const NAME = "tapline-allow";

interface Open {
  readonly call: string;
  readonly state: unknown;
  readonly until_ms: number;
}

export interface Approval {
  /** The call as it was before it was asked about, under its new id. */
  readonly message: Message;
  readonly answer: Answer;
}

/** What a retry must repeat: all but what differs from one try to the next. */
function callOf({ method, fields }: Message): string {
  const {
    _meta,
    requestState: _state,
    inputResponses: _responses,
    ...call
  } = asFields(fields["params"]) ?? {};
  return canonical([method, call]);
}

export class Approvals {
  readonly #open = new Map<string, Open>();

  /** The answer that asks for approval. */
  put(message: Message, form: object): string {
    const token = `tapline-${randomBytes(16).toString("hex")}`;
    const state = asFields(message.fields["params"])?.["requestState"];
    this.#open.set(token, { call: callOf(message), state, until_ms: Date.now() + LIMITS.approval_ms });
    if (this.#open.size > LIMITS.pending_requests) this.#open.delete(this.#open.keys().next().value!);
    return JSON.stringify({
      jsonrpc: "2.0",
      id: message.id,
      result: {
        resultType: "input_required",
        inputRequests: { [NAME]: { method: "elicitation/create", params: form } },
        requestState: token,
      },
    });
  }

  /** The answer that came with a call, once. */
  take(message: Message): Approval | undefined {
    const params = asFields(message.fields["params"]);
    const token = textOf(params?.["requestState"]);
    const open = token === undefined ? undefined : this.#open.get(token);
    if (open === undefined) return undefined;
    this.#open.delete(token!);
    if (open.call !== callOf(message) || Date.now() > open.until_ms) return undefined;
    const responses = asFields(params!["inputResponses"]) ?? {};
    const { [NAME]: ours, ...others } = responses;
    const { inputResponses: _responses, requestState: _state, ...rest } = params!;
    const before: Fields = { ...rest };
    if (open.state !== undefined) before["requestState"] = open.state;
    if (Object.keys(others).length > 0) before["inputResponses"] = others;
    const fields = { ...message.fields, params: before };
    return {
      message: { ...message, fields, raw: JSON.stringify(fields) },
      answer: answerOf(asFields(asFields(ours)?.["result"]) ?? ours),
    };
  }
}
