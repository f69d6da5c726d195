// Conversations in the chat-completions shape, as evaluation sets and gateways write them: a line is
// `{session?, messages: [...]}`. Reads the line; chat-message.ts maps the messages in it.
import { canonical } from "../../core/digest.ts";
import { type Fields, type Format, type Outcome, type Scope, asHeld, asObject, asText } from "../format.ts";
import { type ChatLine, mapMessage, skipMessage, userPrompt } from "./chat-message.ts";
import { timeOf } from "./fields.ts";

const BRIEF_CHARS_MAX = 128;
/** More short values than these do not go with every event: lines may be made of nothing else. */
const BRIEF_VALUES_MAX = 32;

function messagesOf(record: unknown): readonly unknown[] | undefined {
  const messages = asObject(record)?.["messages"];
  return Array.isArray(messages) ? messages : undefined;
}

function isChat(record: unknown): boolean {
  const messages = messagesOf(record);
  return (
    messages !== undefined && messages.every((message) => asText(asObject(message)?.["role"]) !== undefined)
  );
}

function sessionIdOf(record: unknown): string | undefined {
  const fields = asObject(record);
  return asText(fields?.["session"]) ?? asText(fields?.["session_id"]) ?? asText(fields?.["conversation_id"]);
}

/** What the line says beside its messages, session, time and prompt. Short values go with every event, all of it
 * with the first. */
function contextOf(
  fields: Fields,
  used: readonly unknown[],
): { all: Fields | undefined; brief: Fields | undefined } {
  const all: [string, unknown][] = [];
  const brief: [string, unknown][] = [];
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (key === "messages" || value === null || used.includes(value)) continue;
    all.push([key, value]);
    if (brief.length === BRIEF_VALUES_MAX || key.length > BRIEF_CHARS_MAX) continue;
    if (typeof value === "string" ? value.length <= BRIEF_CHARS_MAX : typeof value !== "object") {
      brief.push([key, value]);
    }
  }
  return {
    all: all.length === 0 ? undefined : Object.fromEntries(all),
    brief: brief.length === 0 ? undefined : Object.fromEntries(brief),
  };
}

/**
 * How many messages at the start were in earlier lines of the session. Gateways log the whole history with every
 * request; a message counts as the same only when all before it are the same too.
 */
function repeated(line: ChatLine, messages: readonly unknown[]): number {
  let chain = "";
  let count = 0;
  for (let i = 0; i < messages.length; i++) {
    chain = line.scope.digest(chain + canonical(messages[i]));
    if (line.session.repeats(chain) && count === i) count++;
  }
  return count;
}

function map(record: unknown, scope: Scope): Outcome {
  const fields = asObject(record);
  const messages = messagesOf(record);
  if (fields === undefined || messages === undefined) return keep(record, scope);
  const named = sessionIdOf(fields);
  const session = scope.session(
    named ?? scope.stream.session ?? `${scope.stream.id}.${scope.offset.toString(36)}`,
  );
  const time = timeOf(fields);
  // Evaluation sets keep what the user asked beside the messages.
  const asked = messages.some((message) => asObject(message)?.["role"] === "user");
  const prompt = asked ? undefined : asText(fields["prompt"]);
  const { all, brief } = contextOf(fields, [named, time, prompt]);
  const line: ChatLine = { scope, session, fields, time, all, brief, waiting: [], emitted: 0 };
  const known = named !== undefined && messages.length > 1 ? repeated(line, messages) : 0;
  for (let i = 0; i < known; i++) skipMessage(line, messages[i]);
  if (known === 0 && prompt !== undefined) userPrompt(line, { role: "user", content: prompt });
  for (let i = known; i < messages.length; i++) mapMessage(line, messages[i], i === messages.length - 1);
  if (line.emitted > 0) return "recorded";
  return known > 0 ? "merged" : keep(record, scope);
}

/** Keeps what is no conversation, as it is. */
function keep(record: unknown, scope: Scope): Outcome {
  const e = scope.event("record", timeOf(asObject(record) ?? {}));
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(record);
  scope.emit(e);
  return "recorded";
}

export const chat: Format = {
  name: "chat",
  vantage: "chat",

  recognise(head) {
    return head.length === 0 ? 0 : (head.filter(isChat).length / head.length) * 0.9;
  },

  /** The session that all lines name. */
  sessionOf(head) {
    const first = sessionIdOf(head[0]);
    return head.every((record) => sessionIdOf(record) === first) ? first : undefined;
  },

  open() {
    return map;
  },
};
