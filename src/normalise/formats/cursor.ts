// Cursor: agent transcripts `agent-transcripts/<id>/<id>.jsonl`. They have no times, no ids and mostly no results: the
// calls are what they show. Hooks see more.
import type { Event } from "../../core/generated/event.ts";
import type { Action } from "../../core/generated/classes.ts";
import { type Fields, type Format, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { asArguments, asResult, nthOf, setTool, textOf } from "./fields.ts";
import { CURSOR_FIELDS } from "./known-fields.ts";

const PATH = /\/agent-transcripts\/([^/]+)\//;
const SUBAGENT = /\/subagents\/([^/]+?)\.jsonl/;

function map(r: Fields, agent: string | undefined, scope: Scope): Outcome {
  const role = r["role"];
  const content = asObject(r["message"])?.["content"];
  if (role !== "user" && role !== "assistant") return other(r, agent, scope);
  let emitted = 0;
  const text = textOf(asList(content).filter((item) => !isTool(item))) ?? asText(content);
  if (text !== undefined) {
    const e = begin(role === "user" ? "prompt" : "model-call", r, agent, scope);
    if (role === "user") e["gen_ai.input.messages"] = { text };
    else {
      e["gen_ai.operation.name"] = "chat";
      e["gen_ai.output.messages"] = { text };
      e["tapline.primary"] = true;
    }
    scope.emit(e);
    emitted++;
  }
  for (const item of asList(content)) {
    const block = asObject(item);
    if (block === undefined || !isTool(item)) continue;
    tool(r, block, agent, scope);
    emitted++;
  }
  return emitted > 0 ? "recorded" : "skipped:empty";
}

function begin(action: Action, r: Fields, agent: string | undefined, scope: Scope): Event {
  const e = scope.event(action, r["timestamp"]);
  e["service.name"] = "cursor";
  e["gen_ai.agent.name"] = "cursor";
  e["gen_ai.agent.id"] = agent;
  e["gen_ai.request.model"] = asText(r["model"]);
  e["session.id"] = e["gen_ai.conversation.id"];
  if (agent !== undefined) e["tapline.call.sidechain"] = true;
  e["tapline.record.type"] = asText(r["role"]) ?? asText(r["type"]);
  return e;
}

function isTool(item: unknown): boolean {
  return /^tool[-_](?:use|call|result)$/.test(asText(asObject(item)?.["type"]) ?? "");
}

function tool(r: Fields, block: Fields, agent: string | undefined, scope: Scope): void {
  const session = scope.session();
  const isResult = (asText(block["type"]) ?? "").endsWith("result");
  const e = begin(isResult ? "tool-result" : "tool-call", r, agent, scope);
  setTool(e, block["name"]);
  const id = asText(block["id"]) ?? asText(block["tool_use_id"]);
  e["gen_ai.tool.call.id"] = id;
  const name = e["gen_ai.tool.name"]!;
  if (isResult) {
    e["gen_ai.tool.call.result"] = asResult(block["content"]);
    e["event.outcome"] = block["is_error"] === true ? "failure" : "unknown";
    session.result(e, id ?? nthOf(session, "result", name));
  } else {
    e["gen_ai.tool.call.arguments"] = asArguments(block["input"]);
    const args = asObject(block["input"]);
    if (args !== undefined) setTargets(e, name, args);
    session.call(e, id ?? nthOf(session, "call", name));
  }
  scope.emit(e);
}

function other(r: Fields, agent: string | undefined, scope: Scope): Outcome {
  const isKnown = r["type"] === "turn_ended";
  const e = begin(isKnown ? "session-event" : "record", r, agent, scope);
  if (isKnown) e["event.reason"] = asText(r["status"]);
  else {
    e["tapline.record.known"] = false;
    e["tapline.ext"] = r as never;
  }
  scope.emit(e);
  return "recorded";
}

export const cursor: Format = {
  name: "cursor",
  fields: CURSOR_FIELDS,
  vantage: "transcript",
  recognise(head, path) {
    let sum = 0;
    for (const value of head) {
      const r = asObject(value) ?? {};
      const role = r["role"];
      const content = asObject(r["message"])?.["content"];
      // Others that write a role beside a message give it a type too.
      if ((role === "user" || role === "assistant") && Array.isArray(content) && !("type" in r)) sum++;
      else if (r["type"] === "turn_ended") sum++;
    }
    return Math.max(PATH.test(path) ? 0.7 : 0, head.length === 0 ? 0 : (sum / head.length) * 0.8);
  },
  sessionOf(_head, path) {
    return PATH.exec(path)?.[1];
  },
  open(stream) {
    const agent = SUBAGENT.exec(stream.path)?.[1];
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, agent, scope);
    };
  },
};
