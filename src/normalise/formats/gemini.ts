// Gemini CLI: chats `tmp/<project>/chats/session-*.jsonl`: a header, messages, and mutations of what was written. A
// message may be written again with more in it: only what is new makes events.
import type { Event } from "../../core/generated/event.ts";
import type { Action } from "../../core/generated/classes.ts";
import { type Fields, type Format, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { setVerdict } from "./decision.ts";
import { asArguments, asCount, asResult, nthOf, setOutcome, setTool, textOf } from "./fields.ts";
import { GEMINI_FIELDS } from "./known-fields.ts";

const MCP_DISPLAY = /^(.+) \((.+) MCP Server\)$/;
const MCP_NAME = /^mcp_([^_]+)_+(.+)$/;
const TYPES = new Set(["user", "gemini", "info", "error", "warning"]);

function begin(action: Action, r: Fields, scope: Scope, time: unknown = r["timestamp"]): Event {
  const e = scope.event(action, time);
  e["service.name"] = "gemini-cli";
  e["gen_ai.agent.name"] = "gemini-cli";
  e["gen_ai.provider.name"] = "google";
  e["gen_ai.agent.id"] = asText(r["agentId"]);
  e["session.id"] = e["gen_ai.conversation.id"];
  e["tapline.record.type"] = asText(r["type"]);
  e["tapline.record.id"] = asText(r["id"]);
  return e;
}

function map(r: Fields, scope: Scope): Outcome {
  const type = asText(r["type"]);
  if (asText(r["sessionId"]) !== undefined && type === undefined) return header(r, scope);
  if ("$set" in r || "$rewindTo" in r) return mutation(r, scope);
  if (type === "user") return user(r, scope);
  if (type === "gemini") return answer(r, scope);
  const e = begin(
    type === "error" ? "agent-error" : TYPES.has(type ?? "") ? "session-event" : "record",
    r,
    scope,
  );
  const text = textOf(r["content"]);
  if (type === "error") {
    setOutcome(e, false, "error", text);
  } else if (TYPES.has(type ?? "")) {
    if (text !== undefined) e["gen_ai.input.messages"] = { text };
  } else {
    e["tapline.record.known"] = false;
    e["tapline.ext"] = r as never;
  }
  scope.emit(e);
  return "recorded";
}

/** The header; in files that hold one document, with all messages. */
function header(r: Fields, scope: Scope): Outcome {
  let emitted = 0;
  if (!scope.session().repeats(`header:${asText(r["startTime"]) ?? ""}`)) {
    const e = begin("session-start", r, scope, r["startTime"]);
    e["tapline.record.type"] = "header";
    scope.emit(e);
    emitted++;
  }
  for (const item of asList(r["messages"])) {
    const message = asObject(item);
    if (message === undefined || asText(message["type"]) === undefined) continue;
    if (map(message, scope) === "recorded") emitted++;
  }
  return emitted > 0 ? "recorded" : "merged";
}

/** Mutations that change more than a time are kept by what they change. */
function mutation(r: Fields, scope: Scope): Outcome {
  const keys = Object.keys(asObject(r["$set"]) ?? { $rewindTo: true });
  if (keys.length === 1 && keys[0] === "lastUpdated") return "skipped:progress";
  const e = begin("session-event", r, scope);
  e["tapline.record.type"] = "$rewindTo" in r ? "rewind" : "set";
  e["tapline.record.parent_id"] = asText(r["$rewindTo"]);
  e["tapline.ext"] = { changed: keys.join(" ").slice(0, 1_000) };
  scope.emit(e);
  return "recorded";
}

function user(r: Fields, scope: Scope): Outcome {
  const text = textOf(r["content"]);
  const id = asText(r["id"]);
  if (id !== undefined && scope.session().repeats(`${id}:${scope.digest(text ?? "")}`)) return "merged";
  const e = begin("prompt", r, scope);
  if (text !== undefined) e["gen_ai.input.messages"] = { text };
  scope.emit(e);
  return "recorded";
}

function answer(r: Fields, scope: Scope): Outcome {
  let emitted = modelCall(r, scope) ? 1 : 0;
  for (const item of asList(r["toolCalls"])) {
    const call = asObject(item);
    if (call !== undefined) emitted += toolCall(r, call, scope);
  }
  return emitted > 0 ? "recorded" : "merged";
}

function modelCall(r: Fields, scope: Scope): boolean {
  const session = scope.session();
  const id = asText(r["id"]) ?? String(scope.offset);
  const text = textOf(r["content"]);
  const tokens = asObject(r["tokens"]);
  const isFirst = tokens !== undefined && session.countsUsage(id);
  const output = (asCount(tokens?.["output"]) ?? 0) + (asCount(tokens?.["thoughts"]) ?? 0);
  const more = tokens === undefined ? 0 : session.countMore(id, output);
  const isNews = text !== undefined && !session.repeats(`${id}:${scope.digest(text)}`);
  if (!isNews && !isFirst && more === 0) return false;
  const e = begin("model-call", r, scope);
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.response.model"] = asText(r["model"]);
  if (isNews) e["gen_ai.output.messages"] = { text };
  if (more > 0) e["gen_ai.usage.output_tokens"] = more;
  if (isFirst) {
    e["gen_ai.usage.input_tokens"] = asCount(tokens["input"]);
    e["gen_ai.usage.cache_read.input_tokens"] = asCount(tokens["cached"]);
    e["gen_ai.usage.reasoning.output_tokens"] = asCount(tokens["thoughts"]);
  }
  e["event.outcome"] = "success";
  session.observe(e, `model.${id}`);
  scope.emit(e);
  return true;
}

/** One entry is the call and, once it has ended, its result. */
function toolCall(r: Fields, call: Fields, scope: Scope): number {
  const session = scope.session();
  const id = asText(call["id"]);
  let emitted = 0;
  if (id === undefined || !session.repeats(`call:${id}`)) {
    const e = begin("tool-call", r, scope);
    nameTool(e, call);
    e["gen_ai.tool.call.id"] = id;
    e["gen_ai.tool.call.arguments"] = asArguments(call["args"]);
    const args = asObject(call["args"]);
    if (args !== undefined) setTargets(e, e["gen_ai.tool.name"]!, args);
    session.call(e, id ?? nthOf(session, "call", e["gen_ai.tool.name"]!));
    scope.emit(e);
    emitted++;
  }
  const status = asText(call["status"]);
  if (status !== "success" && status !== "error" && status !== "cancelled") return emitted;
  if (id !== undefined && session.repeats(`result:${id}`)) return emitted;
  const e = begin("tool-result", r, scope, call["timestamp"] ?? r["timestamp"]);
  nameTool(e, call);
  e["gen_ai.tool.call.id"] = id;
  const output = asObject(asObject(asObject(asList(call["result"])[0])?.["functionResponse"])?.["response"]);
  e["gen_ai.tool.call.result"] = asResult(output ?? call["result"]);
  const text = textOf(output?.["error"]) ?? textOf(output?.["output"]) ?? textOf(call["resultDisplay"]);
  setOutcome(e, status === "success", status === "cancelled" ? "denied" : undefined, text);
  if (status === "cancelled") setVerdict(e, "deny", "user");
  session.result(e, id ?? nthOf(session, "result", e["gen_ai.tool.name"]!));
  scope.emit(e);
  return emitted + 1;
}

/** MCP tools show their server in the display name; server names hold no underscore. */
function nameTool(e: Event, call: Fields): void {
  const name = asText(call["name"]);
  const shown = MCP_DISPLAY.exec(asText(call["displayName"]) ?? "");
  const parts = MCP_NAME.exec(name ?? "");
  if (shown !== null) setTool(e, shown[1], shown[2]);
  else if (parts !== null) setTool(e, parts[2], parts[1]);
  else setTool(e, name);
}

export const gemini: Format = {
  name: "gemini",
  fields: GEMINI_FIELDS,
  vantage: "transcript",
  recognise(head, path) {
    let sum = 0;
    for (const value of head) {
      const r = asObject(value) ?? {};
      if (asText(r["sessionId"]) !== undefined && asText(r["projectHash"]) !== undefined) sum++;
      else if ("$set" in r || "$rewindTo" in r) sum++;
      else if (TYPES.has(asText(r["type"]) ?? "") && "id" in r && "timestamp" in r && "content" in r)
        sum += 0.9;
    }
    const place = /\/\.gemini\/tmp\/.*\/chats\//.test(path) ? 0.6 : 0;
    return Math.max(place, head.length === 0 ? 0 : (sum / head.length) * 0.95);
  },
  sessionOf(head) {
    for (const value of head) {
      const id = asText(asObject(value)?.["sessionId"]);
      if (id !== undefined) return id;
    }
    return undefined;
  },
  open() {
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, scope);
    };
  },
};
