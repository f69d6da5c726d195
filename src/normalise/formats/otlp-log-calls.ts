// Tool calls and decisions about them in the log events of agents.
import type { Event } from "../../core/generated/event.ts";
import { fromMs } from "../../core/time.ts";
import { type Fields, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { aboutCall, setDecided, setVerdict, verdictOf } from "./decision.ts";
import {
  asArguments,
  asCount,
  asDuration,
  asFlag,
  asResult,
  parseJson,
  setOutcome,
  setTool,
} from "./fields.ts";
import { type OtlpRecord, REF } from "./otlp-attributes.ts";
import { begin, emit, first } from "./otlp-log-record.ts";
import { setGrant } from "./permission.ts";

const NANO_PER_MS = 1e6;

/** Names the call: tool, server, id, arguments and targets, as far as the agent was told to log them. */
function setCall(e: Event, a: Fields): void {
  const details =
    typeof a["tool_parameters"] === "string" ? asObject(parseJson(a["tool_parameters"])) : undefined;
  const server = asText(details?.["mcp_server_name"]) ?? asText(first(a, "mcp_server_name", "mcp_server"));
  const owner = server === "" ? undefined : server;
  let name = details?.["mcp_tool_name"] ?? first(a, "tool_name", "function_name");
  // Gemini CLI: mcp_<server>_<tool>.
  if (typeof name === "string" && name.startsWith(`mcp_${owner}_`)) name = name.slice(`mcp_${owner}_`.length);
  setTool(e, name, owner);
  e["gen_ai.tool.call.id"] ??= asText(first(a, "tool_use_id", "call_id"));
  const args =
    asArguments(first(a, "tool_input", "arguments", "function_args")) ?? e["gen_ai.tool.call.arguments"];
  e["gen_ai.tool.call.arguments"] = args;
  e["tapline.server.scope"] = asText(first(a, "mcp_server_scope", "server_scope"));
  e["tapline.server.transport"] = asText(a["mcp_server_origin"]);
  const fields = asObject(args);
  if (fields !== undefined) setTargets(e, e["gen_ai.tool.name"]!, fields);
  e["process.command_line"] ??= asText(details?.["full_command"]) ?? asText(details?.["bash_command"]);
}

/** The only trace of a call is its result: the call is put where it must have begun. */
export function toolResult(of: OtlpRecord): number {
  const { attributes: a, session } = of;
  const took = asDuration(a["duration_ms"]);
  const result = begin("tool-result", of);
  setCall(result, a);
  const denied = verdictOf(asText(first(a, "decision_type", "decision"))) === "deny";
  let emitted = 1;
  const id = result["gen_ai.tool.call.id"];
  const ref = REF + (id ?? `${of.name}.${of.scope.offset}.${asText(a["event.sequence"]) ?? ""}`);
  if (!denied) {
    const ended = Date.parse(result["@timestamp"] ?? "");
    const call = begin("tool-call", of, fromMs(ended - Math.round((took ?? 0) / NANO_PER_MS)));
    setCall(call, a);
    setDecider(call, a);
    session.call(call, ref);
    emitted += emit(of, call);
    // The call has them.
    result["gen_ai.tool.call.arguments"] = undefined;
  }
  result["event.duration"] = took;
  result["gen_ai.tool.call.result"] = asResult(first(a, "output", "tool_output"));
  result["tapline.data.bytes_in"] = asCount(a["tool_result_size_bytes"]);
  result["tapline.data.bytes_out"] = asCount(a["tool_input_size_bytes"]);
  const ok = asFlag(a["success"]);
  if (ok === undefined) result["event.outcome"] = "unknown";
  else
    setOutcome(
      result,
      ok,
      denied ? "denied" : asText(a["error_type"]),
      asText(first(a, "error", "error_message")),
    );
  setDecider(result, a);
  session.result(result, ref);
  emitted += answered(of, result);
  return emitted - 1 + emit(of, result);
}

/** Who decided about a call, where the record says it. */
function setDecider(e: Event, a: Fields): void {
  const verdict = verdictOf(asText(first(a, "decision_type", "decision")));
  const told = asText(first(a, "decision_source", "source"));
  const source = told ?? (a["function_name"] === undefined ? undefined : "user");
  if (verdict === undefined) return;
  setVerdict(
    e,
    verdict,
    source?.startsWith("user") === true ? "user" : (source?.toLowerCase() ?? "config"),
    told,
  );
}

/** Gemini CLI writes a decision only where the user was asked, and no record of its own of it. */
function answered(of: OtlpRecord, about: Event): number {
  const verdict = verdictOf(asText(of.attributes["decision"]));
  if (verdict === undefined || !of.name.startsWith("gemini_cli.")) return 0;
  const e = aboutCall(about, begin("tool-call-decision", of));
  setVerdict(e, verdict, "user");
  setDecided(e, verdict);
  e["event.reason"] = asText(of.attributes["decision"]);
  return emit(of, e) + granted(of, e, of.attributes["decision"] === "auto_accept", undefined);
}

/** The user allowed the tool for more than this call. */
function granted(of: OtlpRecord, about: Event, isGrant: boolean, scope: string | undefined): number {
  if (!isGrant) return 0;
  const e = begin("permission-change", of);
  const { "gen_ai.tool.name": tool, "tapline.server.name": server } = about;
  setGrant(e, scope, server === undefined ? tool : `${server}/${tool}`, of.name, "user");
  return emit(of, e);
}

export function decision(of: OtlpRecord): number {
  const { attributes: a } = of;
  const e = begin("tool-call-decision", of);
  setCall(e, a);
  setDecider(e, a);
  const id = e["gen_ai.tool.call.id"];
  e["tapline.call.ref"] = id === undefined ? undefined : REF + id;
  const verdict = verdictOf(asText(a["decision"]));
  if (verdict === undefined) e["event.outcome"] = "unknown";
  else setDecided(e, verdict);
  e["event.reason"] = asText(a["source"]);
  return emit(of, e) + granted(of, e, verdict === "allow" && a["source"] === "user_permanent", "permanent");
}
