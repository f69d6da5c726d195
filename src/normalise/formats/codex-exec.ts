// Output of `codex exec --json`: a thread's turns and items. Item ids start anew with every run, so they are joined
// within it. These records have no times of their own.
import { type Fields, type Outcome, asObject, asText } from "../format.ts";
import { type Call, type Ended, closeCall, openCall } from "./codex-calls.ts";
import { type CodexRecord, begin, failure, message, reasoning, sessionEvent } from "./codex-record.ts";
import { usage } from "./codex-usage.ts";
import { asInteger } from "./fields.ts";

export function execItem(of: CodexRecord): Outcome {
  const { type, p, session } = of;
  if (type === "thread.started") {
    session.tally("runs");
    const e = begin("session-start", of);
    e["session.id"] = asText(p["thread_id"]) ?? session.id;
    of.scope.emit(e);
    return "recorded";
  }
  if (type === "turn.completed") return usage(of) ?? sessionEvent(of);
  if (type === "turn.failed" || type === "error") return failure(of, asObject(p["error"]) ?? p);
  const item = asObject(p["item"]);
  return item === undefined ? sessionEvent(of) : itemRecord(of, item);
}

function itemRecord(of: CodexRecord, item: Fields): Outcome {
  const done = of.type === "item.completed";
  const inner = { ...of, type: `${of.type}.${asText(item["type"]) ?? "unknown"}`, p: item };
  const call = callOf(item);
  if (call !== undefined) {
    const id = `${of.session.counted("runs")}.${asText(item["id"]) ?? of.scope.offset}`;
    const opened = openCall(inner, id, call);
    const closed = done && closeCall(inner, id, call, endOf(item));
    return opened || closed ? "recorded" : "merged";
  }
  if (!done) return "skipped:progress";
  if (item["type"] === "agent_message") return message(inner, "assistant", asText(item["text"]));
  if (item["type"] === "reasoning") return reasoning(inner, asText(item["text"]));
  return item["type"] === "error" ? failure(inner, item) : sessionEvent(inner);
}

function callOf(item: Fields): Call | undefined {
  switch (item["type"]) {
    case "command_execution":
      return { name: "shell", server: undefined, args: { command: item["command"] } };
    case "mcp_tool_call":
      return { name: item["tool"], server: asText(item["server"]), args: item["arguments"] };
    case "file_change":
      return { name: "apply_patch", server: undefined, args: { changes: item["changes"] } };
    case "web_search":
      return { name: "web_search", server: undefined, args: { query: item["query"] } };
    default:
      return undefined;
  }
}

function endOf(item: Fields): Ended {
  const exit = asInteger(item["exit_code"]);
  const failed =
    item["status"] === "failed" ||
    (exit !== undefined && exit !== 0) ||
    asObject(item["error"]) !== undefined;
  const output = item["aggregated_output"] ?? item["result"] ?? asObject(item["error"])?.["message"];
  return { output, ok: !failed, exit, took: undefined, declined: item["status"] === "declined" };
}
