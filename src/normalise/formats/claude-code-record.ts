// What every record of Claude Code's transcripts says about itself, as event fields.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Scope, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";
import { setMode } from "./permission.ts";

/** What one stream's records share. */
export interface ClaudeStream {
  /** Session by the file's name; undefined when it has another name. */
  readonly session: string | undefined;
  readonly agent: string | undefined;
}

/** A new event with what every record of the format says about itself. */
export function begin(action: Action, r: Fields, of: ClaudeStream, scope: Scope): Event {
  const e = scope.event(action, r["timestamp"] ?? asObject(r["snapshot"])?.["timestamp"]);
  e["service.name"] = "claude-code";
  e["service.version"] = asText(r["version"]);
  e["gen_ai.provider.name"] = "anthropic";
  e["gen_ai.agent.name"] = asText(r["attributionAgent"]) ?? "claude-code";
  e["gen_ai.agent.id"] = asText(r["agentId"]) ?? of.agent;
  e["session.id"] = asText(r["sessionId"]) ?? asText(r["session_id"]);
  e["process.working_directory"] = asText(r["cwd"]);
  if (r["isSidechain"] === true || of.agent !== undefined) e["tapline.call.sidechain"] = true;
  e["tapline.record.type"] = asText(r["type"]);
  e["tapline.record.id"] = asText(r["uuid"]);
  e["tapline.record.parent_id"] = asText(r["parentUuid"]) ?? asText(r["messageId"]);
  return e;
}

/** Notes the mode of the session and sets before and after. */
export function changeMode(e: Event, session: Session, mode: string | undefined, trigger: string): void {
  setMode(e, session.note("tapline.permission.mode", mode), mode, trigger);
}

/** What joins a result to a call without id: the record of the call, and which of its calls it is. */
export function refOf(uuid: string, n: number): string {
  return n === 0 ? uuid : `${uuid}#${n}`;
}
