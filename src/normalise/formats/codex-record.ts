// Codex records of any age in one shape, and the events that need no more than that: messages, errors, the session.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { asDuration, textOf } from "./fields.ts";

/** One record, whatever its age: `kind` is the envelope's type, `type` that of the payload. */
export interface CodexRecord {
  readonly kind: string;
  readonly type: string;
  readonly p: Fields;
  readonly time: unknown;
  readonly session: Session;
  /** The first ancestor of a session that is a fork. */
  readonly origin: Session | undefined;
  readonly scope: Scope;
}

/** A new event with what the session has said of itself. */
export function begin(action: Action, of: CodexRecord): Event {
  const e = of.scope.event(action, of.time);
  e["service.name"] = "codex";
  e["gen_ai.agent.name"] = of.session.fact("gen_ai.agent.name") ?? "codex";
  of.session.fill(e);
  e["gen_ai.provider.name"] ??= "openai";
  e["session.id"] = of.session.id;
  e["tapline.record.type"] = of.kind === of.type ? of.type : `${of.kind}.${of.type}`;
  e["tapline.record.id"] = asText(of.p["id"]);
  return e;
}

const OPENING = /^<image(?: name=[^>]*)?>$/;
const CLOSING = "</image>";

function isImage(item: unknown): boolean {
  return asObject(item)?.["type"] === "input_image";
}

/** The text of a message's content without the tags that the client puts around images: the event of the same prompt
 * has none. A prompt that is nothing but an image has them alone. */
export function textSaid(content: unknown): string | undefined {
  const items = asList(content);
  if (!items.some(isImage)) return textOf(content);
  const own = items.filter((item, i) => {
    const text = asText(asObject(item)?.["text"]);
    if (text === CLOSING) return !isImage(items[i - 1]);
    return text === undefined || !OPENING.test(text) || !isImage(items[i + 1]);
  });
  return textOf(own) ?? textOf(content);
}

/** A prompt or an answer, unless another kind of record has told it. */
export function message(of: CodexRecord, role: unknown, text: string | undefined): Outcome {
  if (text === undefined) return "skipped:empty";
  if (role !== "user" && role !== "assistant") return sessionEvent(of, text);
  const kind = of.type === "item_completed" ? of.type : of.kind;
  if (!of.session.isNews(`${role}.${of.scope.digest(text).slice(0, 16)}`, kind)) return "merged";
  if (role === "assistant") return answer(of, { text });
  // What the harness tells the model in the user's name comes as tagged text.
  const e = begin(/^<(?!image>)[a-z_]+>|^# AGENTS\.md /.test(text) ? "session-event" : "prompt", of);
  e["gen_ai.input.messages"] = { text };
  of.scope.emit(e);
  return "recorded";
}

export function reasoning(of: CodexRecord, thinking: string | undefined): Outcome {
  if (thinking === undefined) return "skipped:empty";
  return of.session.isNews(`reasoning.${of.scope.digest(thinking).slice(0, 16)}`, of.kind)
    ? answer(of, { thinking })
    : "merged";
}

/** What the model said. Where requests are counted by their tokens, those events are the primary ones. */
function answer(of: CodexRecord, said: { text: string } | { thinking: string }): Outcome {
  const e = begin("model-call", of);
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.output.messages"] = said;
  e["event.outcome"] = "success";
  e["tapline.primary"] = "text" in said && of.session.fact("service.version") === undefined;
  of.scope.emit(e);
  return "recorded";
}

export function failure(of: CodexRecord, error: Fields): Outcome {
  const e = begin("agent-error", of);
  e["event.outcome"] = "failure";
  e["error.type"] = asText(error["kind"]) ?? asText(error["codex_error_info"]) ?? "error";
  e["error.message"] = textOf(error["message"]);
  of.scope.emit(e);
  return "recorded";
}

export function sessionEvent(of: CodexRecord, said?: unknown): Outcome {
  const e = begin("session-event", of);
  const text = textOf(said);
  if (text !== undefined) e["gen_ai.output.messages"] = { text };
  e["event.duration"] = asDuration(of.p["duration_ms"]);
  e["event.reason"] = asText(of.p["reason"]);
  of.scope.emit(e);
  return "recorded";
}
