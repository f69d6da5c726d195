// What every record of Copilot CLI says about itself, as event fields.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Outcome, type Scope, asText } from "../format.ts";
import type { Session } from "../session.ts";

export interface CopilotRecord {
  readonly type: string;
  readonly data: Fields;
  readonly r: Fields;
  readonly session: Session;
  readonly scope: Scope;
}

export function begin(action: Action, of: CopilotRecord): Event {
  const e = of.scope.event(action, of.r["timestamp"]);
  e["service.name"] = "copilot-cli";
  e["gen_ai.agent.name"] = asText(of.data["agentName"]) ?? "copilot-cli";
  of.session.fill(e);
  e["session.id"] = of.session.id;
  if (asText(of.data["parentToolCallId"]) !== undefined) e["tapline.call.sidechain"] = true;
  e["tapline.record.type"] = of.type;
  e["tapline.record.id"] = asText(of.r["id"]);
  e["tapline.record.parent_id"] = asText(of.r["parentId"]);
  return e;
}

export function emit(of: CopilotRecord, e: Event): Outcome {
  of.scope.emit(e);
  return "recorded";
}
