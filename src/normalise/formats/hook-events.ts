// Events of one hook line, the same for all clients: the call with its decision, the result joined to its call, prompts,
// questions, notices. What the client's payload means is told by its own file.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { markTruncated, redactCut } from "../cut.ts";
import { type Fields, type Scope, asHeld, asObject, asText, asTexts } from "../format.ts";
import type { Session } from "../session.ts";
import { setTargets, setUrl } from "../targets.ts";
import { aboutCall, setDecided, setRecorded, setVerdict } from "./decision.ts";
import {
  asArguments,
  asCount,
  asDuration,
  asInteger,
  asResult,
  setOutcome,
  setServer,
  setTool,
  textOf,
} from "./fields.ts";
import type { HookClient, Told, Who } from "./hook-told.ts";

export interface HookLine {
  readonly client: HookClient;
  readonly event: string;
  readonly fields: Fields;
  readonly payload: Fields;
  readonly who: Who;
  readonly session: Session;
  readonly scope: Scope;
}

/** Classes of what is no call. */
const ACTIONS: Readonly<Record<string, Action>> = {
  prompt: "prompt",
  start: "session-start",
  end: "session-end",
  notice: "session-event",
  error: "agent-error",
  elicitation: "elicitation",
  answer: "mcp-response",
  permission: "permission-change",
};

/** A new event with what the line and its payload say of client, user and process. */
export function begin(line: HookLine, action: Action): Event {
  const { client, fields, who, session } = line;
  const e = line.scope.event(action, fields["ts"] ?? who.time);
  e["service.name"] = client.service;
  e["service.version"] = who.version;
  e["gen_ai.provider.name"] = client.provider;
  e["gen_ai.agent.name"] = who.agent_name ?? client.service;
  e["gen_ai.agent.id"] = who.agent_id;
  if (who.agent_id !== undefined) e["tapline.call.sidechain"] = true;
  e["gen_ai.request.model"] = who.model;
  e["session.id"] = who.session;
  e["process.working_directory"] = who.cwd ?? asText(fields["cwd"]);
  e["process.pid"] = asCount(fields["pid"]);
  e["user.name"] = asText(fields["user"]);
  e["user.email"] = who.email;
  e["tapline.permission.mode"] = who.mode;
  e["tapline.record.type"] = line.event;
  e["tapline.record.parent_id"] = who.turn;
  setOriginal(e, asText(fields["raw"]), session.clean);
  session.fill(e);
  return e;
}

/** Sets what the client sent and nobody could read. The hook keeps more than is shown: a secret may go through the cut. */
function setOriginal(e: Event, raw: string | undefined, clean: Session["clean"]): void {
  e["event.original"] = raw;
  if (raw === undefined || raw.length <= LIMITS.raw_bytes) return;
  const head = raw.slice(0, LIMITS.raw_bytes);
  const cut = clean === undefined ? head : redactCut(head, raw.slice(LIMITS.raw_bytes), clean);
  // Secrets that are whole are redacted, and counted, with those of the event.
  const isWhole = clean === undefined || cut === clean(head);
  e["event.original"] = isWhole ? head : cut;
  if (!isWhole) e["tapline.data.redacted"] = true;
  markTruncated(e, "event.original");
}

/** Emits at least one event. */
export function emitTold(line: HookLine, told: Told): void {
  const decision = asObject(line.fields["decision"]);
  if (told.does === "call") call(line, told, decision);
  else if (told.does === "result") result(line, told, decision);
  else if (told.does === "decision") asked(line, told, decision);
  else notice(line, told, decision);
}

/** What started the server, as the chokepoint found it in the client's configuration and decided on it. */
function setStarted(e: Event, server: Fields): void {
  e["tapline.server.transport"] = asText(server["transport"]);
  e["tapline.server.command"] ??= asText(asTexts(server["command"]).join(" "));
  e["tapline.server.url"] ??= asText(server["url"]);
}

/** Names the call: tool, server, id, arguments and what they are aimed at. */
function setCall(e: Event, told: Told, started: Fields | undefined): void {
  const server = asText(started?.["name"]) ?? told.server;
  setTool(e, told.tool, server);
  if (server !== undefined) setServer(e, server);
  e["tapline.server.scope"] = told.server_scope;
  e["tapline.server.url"] = told.server_url;
  e["tapline.server.command"] = told.server_command;
  if (started !== undefined) setStarted(e, started);
  e["gen_ai.tool.call.id"] = told.call_id;
  const args = asArguments(told.args);
  e["gen_ai.tool.call.arguments"] = args;
  const fields = asObject(args);
  if (fields !== undefined) setTargets(e, e["gen_ai.tool.name"]!, fields);
  if (told.path !== undefined) e["file.path"] ??= told.path;
  if (told.url !== undefined) setUrl(e, told.url);
}

function call(line: HookLine, told: Told, decision: Fields | undefined): void {
  const { session, scope } = line;
  const e = begin(line, "tool-call");
  setCall(e, told, asObject(line.fields["server"]));
  const verdict = decision === undefined ? undefined : setRecorded(e, decision);
  const alias = aliasOf(line, told);
  const name = e["gen_ai.tool.name"]!;
  const own = told.call_id === undefined ? undefined : REF + told.call_id;
  session.call(e, own ?? `${refWithoutId(name)}${session.tally(`hook.${name}`)}`, alias);
  if (alias !== undefined && e["tapline.primary"] === true) session.alias(alias, e);
  const about = verdict === undefined ? undefined : aboutCall(e, begin(line, "tool-call-decision"));
  const read =
    told.result === undefined || e["tapline.decision.action"] === "block"
      ? undefined
      : begin(line, "tool-result");
  if (read !== undefined) {
    read["gen_ai.tool.call.result"] = asResult(told.result);
    read["file.path"] = e["file.path"];
    read["event.outcome"] = "unknown";
    session.result(read, e["tapline.call.ref"]!);
  }
  scope.emit(e);
  if (about !== undefined) {
    setRecorded(about, decision!);
    scope.emit(about);
  }
  if (read !== undefined) scope.emit(read);
}

/** The n-th sight of a target by one hook is the n-th by another. */
function aliasOf(line: HookLine, told: Told): string | undefined {
  if (told.target === undefined) return undefined;
  const target = line.scope.digest(told.target);
  return `hook.${target}#${line.session.tally(`hook.${line.event}.${target}`)}`;
}

/** Refs of hooks are their own: a transcript of the same session has calls of the same ids open. */
const REF = "hook:";
/** Before the number of a call that its hook tells no id of. */
const refWithoutId = (tool: string): string => `${REF}${tool}#`;

/** What joins a result to its call: the call's id, else the newest call of the tool that waits, best one with these
 * arguments. An id that no call has may be of one whose hook had none: that has to have these arguments. */
function refOf({ session }: HookLine, told: Told, e: Event): string | undefined {
  const own = told.call_id === undefined ? undefined : REF + told.call_id;
  if (own !== undefined && session.isOpen(own)) return own;
  const name = e["gen_ai.tool.name"]!;
  const args = told.call_args === undefined ? e["gen_ai.tool.call.arguments"] : asArguments(told.call_args);
  const hash = args === undefined ? undefined : session.argsHash(name, args);
  if (own === undefined) return session.newestOpen(REF, name, hash);
  const without = session.newestOpen(refWithoutId(name), name, hash);
  return without !== undefined && session.waiting(without)!.args_hash === hash ? without : own;
}

function result(line: HookLine, told: Told, decision: Fields | undefined): void {
  const e = begin(line, "tool-result");
  setCall(e, told, asObject(line.fields["server"]));
  const ref = refOf(line, told, e) ?? `${refWithoutId(e["gen_ai.tool.name"]!)}0`;
  const output = asResult(told.result);
  if (output !== undefined) e["gen_ai.tool.call.result"] = output;
  e["event.duration"] = asDuration(told.duration_ms);
  e["process.exit_code"] = asInteger(told.exit_code);
  if (told.ok === undefined) e["event.outcome"] = "unknown";
  else setOutcome(e, told.ok, told.error_type, told.error ?? textOf(told.result));
  if (decision !== undefined) setRecorded(e, decision);
  const waiting = line.session.result(e, ref);
  if (waiting !== undefined) {
    // The call has them.
    e["gen_ai.tool.call.arguments"] = undefined;
    e["gen_ai.tool.type"] = waiting.tool_type ?? e["gen_ai.tool.type"];
  }
  line.scope.emit(e);
}

/** Somebody is asked about a call, or said no. What the hook decided stands above what the client asks. */
function asked(line: HookLine, told: Told, decision: Fields | undefined): void {
  const { session } = line;
  const e = begin(line, "tool-call-decision");
  setCall(e, told, asObject(line.fields["server"]));
  const ref = refOf(line, told, e);
  const waiting = ref === undefined ? undefined : session.waiting(ref);
  const args = e["gen_ai.tool.call.arguments"];
  e["tapline.call.ref"] = ref;
  e["tapline.call_key"] = waiting?.key;
  e["gen_ai.tool.call.id"] ??= waiting?.call_id;
  e["tapline.tool.args_hash"] =
    args === undefined ? waiting?.args_hash : session.argsHash(e["gen_ai.tool.name"]!, args);
  e["event.reason"] = told.reason;
  if (told.text !== undefined) e["gen_ai.input.messages"] = { text: told.text };
  if (told.rest !== undefined) e["tapline.ext"] = asHeld(told.rest);
  const verdict = told.verdict ?? "ask";
  if (decision === undefined || setRecorded(e, decision) === undefined) {
    setVerdict(e, verdict, told.decider);
    setDecided(e, verdict);
  }
  line.scope.emit(e);
}

function notice(line: HookLine, told: Told, decision: Fields | undefined): void {
  const e = begin(line, ACTIONS[told.does]!);
  if (told.text !== undefined) e["gen_ai.input.messages"] = { text: told.text };
  if (told.output !== undefined) e["gen_ai.output.messages"] = { text: told.output };
  e["event.reason"] = told.reason;
  e["file.path"] = told.path;
  if (told.url !== undefined) setUrl(e, told.url);
  if (told.server !== undefined) setServer(e, told.server);
  if (told.rest !== undefined) e["tapline.ext"] = asHeld(told.rest);
  if (told.does === "error") setOutcome(e, false, told.error_type ?? "error", told.error);
  else if (told.does === "elicitation" || told.does === "answer") e["mcp.method.name"] = "elicitation/create";
  else if (told.does === "permission") {
    e["tapline.permission.operation"] = "settings";
    e["tapline.permission.scope"] = told.reason;
    e["tapline.permission.trigger"] = line.event;
  }
  if (decision !== undefined) setRecorded(e, decision);
  line.scope.emit(e);
}
