// Log events of agents (Claude Code, Codex, Gemini CLI: the same things under different names) and of the GenAI
// conventions. Returns how many events were emitted; names that are not known are kept.
import type { Event } from "../../core/generated/event.ts";
import type { Json } from "../../core/text.ts";
import { asNumber, asText } from "../format.ts";
import { asCount, asDuration, asFlag, asInteger, asResult } from "./fields.ts";
import { type OtlpRecord, valueOf } from "./otlp-attributes.ts";
import { decision, toolResult } from "./otlp-log-calls.ts";
import { AGENTS, begin, emit, first } from "./otlp-log-record.ts";
import { setMode } from "./permission.ts";
import { countTokens, requestOf } from "./tokens.ts";

const QUIET =
  /^(?:auth|chat\.|plan\.|agent\.|conseca|keychain|onboarding|token_storage|loop_|llm_loop|malformed_|network_retry|ripgrep_|web_fetch_|edit_|startup_|rewind|invalid_|content_retry|recovery_|plugin_|skill_|hook_|retention_|api_re|compaction|at_mention|feedback|config|sandbox|websocket|sse|file_operation|conversation_|next_speaker|slash_|flash_|model_|chat_|extension_|ide_|agent_|tool_output|session)/;

export function log(of: OtlpRecord): number {
  const agent = AGENTS.find(([prefix]) => of.name.startsWith(prefix));
  if (agent === undefined) return standard(of);
  const name = of.name.slice(agent[0].length);
  switch (name) {
    case "user_prompt":
      return prompt(of);
    case "tool_result":
    case "tool_call":
      return toolResult(of);
    case "tool_decision":
      return decision(of);
    case "api_request":
      return agent[1] === "claude-code" ? modelCall(of) : sessionEvent(of);
    case "api_response":
    case "assistant_response":
      return modelCall(of);
    case "sse_event":
      return of.attributes["event.kind"] === "response.completed" ? modelCall(of) : 0;
    case "api_error":
    case "api_refusal":
    case "internal_error":
      return failure(of, name);
    case "permission_mode_changed":
    case "approval_mode_switch":
    case "plan.approval_mode_switch":
      return modeChange(of);
    case "mcp_server_connection":
      return connection(of);
    case "conversation_starts":
    case "config":
      return start(of);
    default:
      return QUIET.test(name) ? sessionEvent(of) : unknown(of);
  }
}

function prompt(of: OtlpRecord): number {
  const e = begin("prompt", of);
  const text = asText(of.attributes["prompt"]);
  const length = asCount(of.attributes["prompt_length"]);
  if (text !== undefined && text !== "<REDACTED>" && text !== "[REDACTED]")
    e["gen_ai.input.messages"] = { text };
  else if (length !== undefined) e["tapline.ext"] = { prompt_length: length };
  return emit(of, e);
}

const DETAILS = "gen_ai.client.inference.operation.details";

/** Gemini CLI tells every answer twice, in its own words and in those of the conventions, without a common id. */
function twinOf(of: OtlpRecord): string | undefined {
  if (of.resource["service.name"] !== "gemini-cli") return undefined;
  return `gemini#${of.session.tally(`answer.${of.name}`)}`;
}

/** Codex names no requests, neither here nor in its rollouts. */
function requestBy(of: OtlpRecord, e: Event, output: number | undefined): string | undefined {
  const { attributes: a, session } = of;
  if (!of.name.startsWith("codex.")) return undefined;
  return requestOf(e, session, asCount(a["input_token_count"]), output, asCount(a["cached_token_count"]));
}

function modelCall(of: OtlpRecord): number {
  const { attributes: a, session } = of;
  const e = begin("model-call", of);
  e["gen_ai.operation.name"] ??= "chat";
  e["event.duration"] = asDuration(a["duration_ms"]);
  e["event.outcome"] = "success";
  const output = asCount(first(a, "output_tokens", "output_token_count", "gen_ai.usage.output_tokens"));
  const named = twinOf(of) ?? asText(first(a, "request_id", "gen_ai.response.id"));
  if (countTokens(e, session, named ?? requestBy(of, e, output), output)) {
    e["gen_ai.usage.input_tokens"] ??= asCount(first(a, "input_tokens", "input_token_count"));
    e["gen_ai.usage.cache_read.input_tokens"] ??= asCount(
      first(a, "cache_read_tokens", "cached_token_count", "cached_content_token_count"),
    );
    e["gen_ai.usage.cache_creation.input_tokens"] ??= asCount(a["cache_creation_tokens"]);
    e["gen_ai.usage.reasoning.output_tokens"] ??= asCount(
      first(a, "reasoning_token_count", "thoughts_token_count"),
    );
  }
  const text = asText(first(a, "response", "response_text"));
  if (text !== undefined) e["gen_ai.output.messages"] = { text };
  const cost = asNumber(a["cost_usd"]);
  if (cost !== undefined) e["tapline.ext"] = { cost_usd: cost };
  return emit(of, e);
}

function failure(of: OtlpRecord, type: string): number {
  const { attributes: a } = of;
  const e = begin("agent-error", of);
  e["event.outcome"] = "failure";
  e["error.type"] ??= asText(first(a, "error_type", "error_name")) ?? type;
  const code = first(a, "status_code", "error_code");
  e["error.code"] = asText(code) ?? (typeof code === "number" ? String(code) : undefined);
  e["error.message"] ??= asText(first(a, "error", "error_message"));
  e["event.duration"] = asDuration(a["duration_ms"]);
  return emit(of, e);
}

function modeChange(of: OtlpRecord): number {
  const { attributes: a } = of;
  const e = begin("permission-change", of);
  const after = asText(a["to_mode"]);
  setMode(e, asText(a["from_mode"]), after, asText(a["trigger"]));
  e["tapline.permission.mode"] = after;
  of.session.note("tapline.permission.mode", after);
  return emit(of, e);
}

function connection(of: OtlpRecord): number {
  const { attributes: a } = of;
  const status = asText(a["status"]);
  const e = begin(status === "disconnected" ? "session-event" : "server-connected", of);
  const server = asText(a["server_name"]);
  if (server !== undefined) {
    e["tapline.server.name"] = server;
    e["tapline.server.identity_source"] = "configured";
    e["service.target.name"] = server;
  }
  e["service.target.type"] = "mcp";
  e["tapline.server.transport"] = asText(a["transport_type"]);
  e["tapline.server.scope"] = asText(a["server_scope"]);
  e["event.duration"] = asDuration(a["duration_ms"]);
  e["event.outcome"] = status === "failed" ? "failure" : "success";
  const code = a["error_code"];
  e["error.code"] = asText(code) ?? (typeof code === "number" ? String(code) : undefined);
  return emit(of, e);
}

function start(of: OtlpRecord): number {
  const { attributes: a } = of;
  const e = begin("session-start", of);
  const policy = asText(first(a, "approval_policy", "approval_mode"));
  const sandbox = asText(a["sandbox_policy"]);
  if (policy !== undefined)
    e["tapline.permission.mode"] = sandbox === undefined ? policy : `${policy}/${sandbox}`;
  const servers = asText(a["mcp_servers"]);
  if (servers !== undefined) e["tapline.ext"] = { mcp_servers: servers };
  return emit(of, e);
}

function sessionEvent(of: OtlpRecord): number {
  const e = begin("session-event", of);
  e["event.duration"] = asDuration(of.attributes["duration_ms"]);
  e["http.response.status_code"] ??= asInteger(of.attributes["status_code"]);
  const ok = asFlag(of.attributes["success"]);
  if (ok !== undefined) e["event.outcome"] = ok ? "success" : "failure";
  return emit(of, e);
}

/** Log events of the GenAI conventions, and everything else. */
function standard(of: OtlpRecord): number {
  const isGemini = of.resource["service.name"] === "gemini-cli";
  if (of.name === DETAILS) {
    // Gemini CLI writes one beside each of its own records of requests and errors too.
    return isGemini && of.attributes["gen_ai.usage.output_tokens"] === undefined
      ? sessionEvent(of)
      : modelCall(of);
  }
  if (isGemini && of.name === "end_session") return emit(of, begin("session-end", of));
  if (of.name === "gen_ai.evaluation.result") return emit(of, begin("evaluation", of));
  if (of.name === "gen_ai.user.message")
    return emit(of, withBody(of, begin("prompt", of), "gen_ai.input.messages"));
  if (of.name === "gen_ai.choice")
    return emit(of, withBody(of, begin("model-call", of), "gen_ai.output.messages"));
  return unknown(of);
}

function withBody(
  of: OtlpRecord,
  e: Event,
  field: "gen_ai.input.messages" | "gen_ai.output.messages",
): Event {
  e[field] ??= asResult(valueOf(of.raw["body"]));
  return e;
}

function unknown(of: OtlpRecord): number {
  const e = begin("record", of);
  e["tapline.record.known"] = false;
  const body = valueOf(of.raw["body"]);
  const ext: Record<string, unknown> = { attributes: of.attributes };
  if (body !== undefined) ext["body"] = body;
  e["tapline.ext"] = ext as Json;
  return emit(of, e);
}
