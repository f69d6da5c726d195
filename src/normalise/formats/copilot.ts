// Copilot CLI: events of a session, `session-state/<id>/events.jsonl`, by the types of its SDK. A call is told by the
// model's request and by its start: whichever comes first makes the event.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Format, type Outcome, asList, asObject, asText } from "../format.ts";
import { call, decision, result, verdictOf } from "./copilot-calls.ts";
import { type CopilotRecord, begin, emit } from "./copilot-record.ts";
import { asCount, asDuration, setServer, textOf } from "./fields.ts";
import { setMode } from "./permission.ts";
import { COPILOT_FIELDS } from "./known-fields.ts";

const EPHEMERAL =
  /_delta$|^assistant\.(?:streaming|idle|intent|fusion|server_tool)|(?:partial_result|progress)$/;
const KNOWN =
  /^(?:abort|(?:session|assistant|user|system|hook|tool|subagent|skill|command|commands|permission|elicitation|sampling|external_tool|mcp|model|user_input|exit_plan_mode|auto_mode_switch|capabilities)\.)/;
const PATH = /\/session-state\/([^/]+)\/events\.jsonl/;

function map(of: CopilotRecord): Outcome {
  const { type, data } = of;
  switch (type) {
    case "session.start":
    case "session.resume":
      return start(of);
    case "session.shutdown":
      return emit(of, begin("session-end", of));
    case "user.message":
      return said(of, "prompt");
    case "assistant.message":
      return message(of);
    case "assistant.usage":
      return usage(of, begin("model-call", of), asCount(data["outputTokens"])) ?? "merged";
    case "tool.execution_start":
      return call(of, data["toolName"], data) ? "recorded" : "merged";
    case "tool.execution_complete":
      return result(of);
    case "permission.requested":
      return decision(of, "ask", asObject(data["permissionRequest"]) ?? {});
    case "permission.completed": {
      const verdict = verdictOf(data["result"]);
      return verdict === undefined ? said(of, "session-event") : decision(of, verdict, data);
    }
    case "session.error":
    case "model.call_failure":
      return failure(of);
    case "session.permissions_changed":
    case "session.mode_changed":
      return modeChange(of);
    case "session.mcp_servers_loaded":
      return servers(of, asList(data["servers"]));
    case "session.mcp_server_status_changed":
      return servers(of, [{ name: data["serverName"], status: data["status"], error: data["error"] }]);
    default:
      if (EPHEMERAL.test(type)) return "skipped:progress";
      return KNOWN.test(type) ? said(of, "session-event") : unknown(of);
  }
}

function said(of: CopilotRecord, action: Action): Outcome {
  const e = begin(action, of);
  const text = textOf(of.data["content"]) ?? textOf(of.data["message"]);
  if (text !== undefined) e["gen_ai.input.messages"] = { text };
  e["event.duration"] = asDuration(of.data["durationMs"]);
  return emit(of, e);
}

function unknown(of: CopilotRecord): Outcome {
  const e = begin("record", of);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = of.data as never;
  return emit(of, e);
}

function start(of: CopilotRecord): Outcome {
  const { data, session } = of;
  session.note("service.version", asText(data["copilotVersion"]));
  session.note("gen_ai.request.model", asText(data["selectedModel"]));
  session.note("process.working_directory", asText(asObject(data["context"])?.["cwd"]));
  return emit(of, begin("session-start", of));
}

function message(of: CopilotRecord): Outcome {
  const { data } = of;
  const text = textOf(data["content"]);
  const e = begin("model-call", of);
  e["gen_ai.response.model"] = asText(data["model"]);
  if (text !== undefined) e["gen_ai.output.messages"] = { text };
  let isNews = usage(of, e, asCount(data["outputTokens"]), text !== undefined) !== undefined;
  for (const item of asList(data["toolRequests"])) {
    const request = asObject(item);
    if (request !== undefined && call(of, request["name"], request)) isNews = true;
  }
  return isNews ? "recorded" : "merged";
}

/** Emits the model call when it holds text or tokens not counted yet. */
function usage(of: CopilotRecord, e: Event, output = 0, isNeeded = false): Outcome | undefined {
  const { data, session } = of;
  const request = asText(data["apiCallId"]) ?? asText(data["messageId"]) ?? asText(of.r["id"]) ?? "";
  const input = asCount(data["inputTokens"]);
  const more = session.countMore(request, output);
  const isFirst = input !== undefined && !session.repeats(`input:${request}`);
  if (!isNeeded && more === 0 && !isFirst) return undefined;
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.response.model"] ??= asText(data["model"]);
  if (more > 0) e["gen_ai.usage.output_tokens"] = more;
  if (isFirst) {
    e["gen_ai.usage.input_tokens"] = input;
    e["gen_ai.usage.cache_read.input_tokens"] = asCount(data["cacheReadTokens"]);
    e["gen_ai.usage.cache_creation.input_tokens"] = asCount(data["cacheWriteTokens"]);
  }
  e["event.duration"] = asDuration(data["duration"]);
  e["event.outcome"] = "success";
  session.observe(e, `model.${request}`);
  return emit(of, e);
}

function failure(of: CopilotRecord): Outcome {
  const { data } = of;
  const e = begin("agent-error", of);
  const status = asCount(data["statusCode"]);
  e["event.outcome"] = "failure";
  e["error.type"] = asText(data["errorType"]) ?? "error";
  e["error.code"] = status === undefined ? asText(data["errorCode"]) : String(status);
  e["error.message"] = asText(data["message"]) ?? asText(data["errorMessage"]);
  return emit(of, e);
}

function modeChange(of: CopilotRecord): Outcome {
  const { data, session } = of;
  const e = begin("permission-change", of);
  const after = asText(data["newMode"]) ?? asText(data["mode"]);
  const before = session.note("tapline.permission.mode", after);
  e["tapline.permission.mode"] = after;
  setMode(e, asText(data["previousMode"]) ?? before, after, of.type);
  return emit(of, e);
}

function servers(of: CopilotRecord, list: readonly unknown[]): Outcome {
  let emitted = 0;
  for (const item of list) {
    const server = asObject(item);
    const name = asText(server?.["name"]);
    const status = asText(server?.["status"]);
    if (server === undefined || name === undefined) continue;
    const e = begin(
      status === "connected" || status === "failed" ? "server-connected" : "server-discovered",
      of,
    );
    setServer(e, name);
    e["tapline.server.scope"] = asText(server["source"]);
    e["tapline.server.transport"] = asText(server["transport"]);
    e["error.message"] = asText(server["error"]);
    e["event.outcome"] = status === "failed" ? "failure" : "success";
    e["event.reason"] = status;
    of.scope.emit(e);
    emitted++;
  }
  return emitted === 0 ? said(of, "session-event") : "recorded";
}

export const copilot: Format = {
  name: "copilot",
  fields: COPILOT_FIELDS,
  vantage: "transcript",
  recognise(head, path) {
    let sum = 0;
    for (const value of head) {
      const r = asObject(value);
      const type = asText(r?.["type"]);
      if (type !== undefined && asObject(r!["data"]) !== undefined && "parentId" in r! && KNOWN.test(type))
        sum++;
    }
    return Math.max(PATH.test(path) ? 0.6 : 0, head.length === 0 ? 0 : (sum / head.length) * 0.95);
  },
  sessionOf(head, path) {
    const told = asObject(asObject(head[0])?.["data"])?.["sessionId"];
    return PATH.exec(path)?.[1] ?? asText(told);
  },
  open() {
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      const of = { type: asText(r["type"]) ?? "unknown", data: asObject(r["data"]) ?? {}, r };
      return map({ ...of, session: scope.session(), scope });
    };
  },
};
