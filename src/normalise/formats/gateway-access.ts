// Access logs of MCP gateways as events, shared by their mappers: one line tells a request and its end. What the server
// answered is not in it: a tool that failed is HTTP 200 too, so a status below 400 says nothing of the outcome.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { fromMs, toMs } from "../../core/time.ts";
import { type Fields, type Scope, asHeld, asObject } from "../format.ts";
import { setTargets, setUrl } from "../targets.ts";
import { aboutCall, setDecided, setVerdict } from "./decision.ts";
import { asArguments, asDuration, setOutcome, setServer, setTool } from "./fields.ts";

/** One line, as far as its gateway writes it. */
export interface Access {
  readonly gateway: string;
  readonly time: unknown;
  readonly method?: string | undefined;
  readonly tool?: string | undefined;
  readonly prompt?: string | undefined;
  readonly uri?: string | undefined;
  readonly server?: string | undefined;
  /** Of the transport. */
  readonly session?: string | undefined;
  readonly user?: string | undefined;
  readonly agent?: string | undefined;
  readonly args?: unknown;
  readonly http_method?: string | undefined;
  readonly status?: number | undefined;
  readonly error_code?: string | undefined;
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
  readonly duration_ms?: number | undefined;
  readonly trace?: string | undefined;
  readonly span?: string | undefined;
  readonly request?: string | undefined;
  readonly upstream?: string | undefined;
  readonly bytes_in?: number | undefined;
  readonly rest?: Fields | undefined;
}

const DENIED = new Set([401, 403]);
const UPSTREAM = /^(.+):(\d{1,5})$/;

/** Emits at least one event. */
export function emitAccess(a: Access, scope: Scope): void {
  scope.session(a.session);
  if (a.method === "tools/call") toolCall(a, scope);
  else {
    const e = begin(a, actionOf(a.method), scope, a.time);
    setEnd(e, a);
    if (a.rest !== undefined) e["tapline.ext"] = asHeld(a.rest);
    scope.emit(e);
  }
}

function actionOf(method: string | undefined): Action {
  if (method === undefined) return "session-event";
  if (method === "resources/read") return "resource-read";
  if (method === "initialize" || method === "server/discover") return "server-connected";
  return method.startsWith("notifications/") ? "mcp-notification" : "mcp-request";
}

function begin(a: Access, action: Action, scope: Scope, time: unknown): Event {
  const e = scope.event(action, time);
  e["service.name"] = a.gateway;
  e["user.name"] = a.user;
  e["gen_ai.agent.name"] = a.agent;
  e["gen_ai.prompt.name"] = a.prompt;
  e["mcp.method.name"] = a.method;
  e["mcp.session.id"] = a.session;
  e["mcp.resource.uri"] = a.uri;
  if (a.uri !== undefined) setUrl(e, a.uri);
  if (a.server !== undefined) setServer(e, a.server);
  e["network.transport"] = "tcp";
  e["network.protocol.name"] = "http";
  e["http.request.method"] = a.http_method;
  const upstream = UPSTREAM.exec(a.upstream ?? "");
  e["server.address"] = upstream?.[1] ?? a.upstream;
  if (upstream !== null) e["server.port"] = Number(upstream[2]);
  e["trace.id"] = a.trace;
  e["span.id"] = a.span;
  e["tapline.record.id"] = a.request;
  return e;
}

/** The call is put where it must have begun. What the gateway refused has a decision and no result. */
function toolCall(a: Access, scope: Scope): void {
  const session = scope.session(a.session);
  const result = begin(a, "tool-result", scope, a.time);
  const started = fromMs(toMs(result["@timestamp"]!) - Math.round(a.duration_ms ?? 0));
  const call = begin(a, "tool-call", scope, started);
  setTool(call, a.tool, a.server);
  const args = asArguments(a.args);
  call["gen_ai.tool.call.arguments"] = args;
  const fields = asObject(args);
  if (fields !== undefined) setTargets(call, call["gen_ai.tool.name"]!, fields);
  if (a.rest !== undefined) call["tapline.ext"] = asHeld(a.rest);
  const ref = a.request ?? `${scope.stream.id}@${scope.offset}`;
  session.call(call, ref);
  if (a.status !== undefined && DENIED.has(a.status)) {
    setVerdict(call, "deny", "policy", a.gateway);
    const decision = aboutCall(call, begin(a, "tool-call-decision", scope, a.time));
    setVerdict(decision, "deny", "policy", a.gateway);
    setDecided(decision, "deny");
    decision["http.response.status_code"] = a.status;
    decision["event.reason"] = a.reason ?? a.error;
    scope.emit(call);
    scope.emit(decision);
    return;
  }
  scope.emit(call);
  setTool(result, a.tool, a.server);
  setEnd(result, a);
  session.result(result, ref);
  scope.emit(result);
}

function setEnd(e: Event, a: Access): void {
  e["http.response.status_code"] = a.status;
  e["event.duration"] = asDuration(a.duration_ms);
  e["event.reason"] = a.reason;
  if (a.bytes_in !== undefined && e["event.action"] === "tool-result")
    e["tapline.data.bytes_in"] = a.bytes_in;
  const failed = a.error_code !== undefined || (a.status ?? 0) >= 400;
  e["event.outcome"] = "unknown";
  if (!failed) return;
  setOutcome(e, false, a.error_code ?? `http_${a.status}`, a.error);
  e["error.code"] = e["rpc.response.status_code"] = a.error_code;
}
