// Log records of agents: who writes them, when, and the event fields that all of them share.
import type { Event } from "../../core/generated/event.ts";
import type { Action } from "../../core/generated/classes.ts";
import { type Fields, asNumber, asText } from "../format.ts";
import { asCount } from "./fields.ts";
import { type OtlpRecord, begin as beginAt } from "./otlp-attributes.ts";

/** Prefix of an agent's event names, its name and its provider. */
export const AGENTS: readonly (readonly [string, string, string])[] = [
  ["claude_code.", "claude-code", "anthropic"],
  ["codex.", "codex", "openai"],
  ["gemini_cli.", "gemini-cli", "google"],
];

/** The first of these attributes that is there. */
export function first(a: Fields, ...names: string[]): unknown {
  for (const name of names) if (a[name] !== undefined && a[name] !== null) return a[name];
  return undefined;
}

function timeOf(of: OtlpRecord): unknown {
  const { attributes: a, raw } = of;
  const nanos = asNumber(raw["timeUnixNano"]);
  return (
    a["event.timestamp"] ??
    (nanos === undefined || nanos === 0 ? asNumber(raw["observedTimeUnixNano"]) : nanos)
  );
}

/** A new event with the agent's own name and version. */
export function begin(action: Action, of: OtlpRecord, time: unknown = timeOf(of)): Event {
  const e = beginAt(action, of, time);
  const a = of.attributes;
  for (const [prefix, name, provider] of AGENTS) {
    if (!of.name.startsWith(prefix)) continue;
    e["service.name"] = name;
    e["gen_ai.agent.name"] ??= name;
    e["gen_ai.provider.name"] ??= provider;
  }
  e["user.id"] ??= asText(a["user.account_uuid"]) ?? asText(a["user.account_id"]);
  e["gen_ai.request.model"] ??= asText(a["model"]);
  const sequence = asCount(a["event.sequence"]);
  e["tapline.record.id"] = sequence === undefined ? undefined : String(sequence);
  e["tapline.record.parent_id"] ??= asText(a["prompt.id"]) ?? asText(a["prompt_id"]);
  return e;
}

/** Emits one event. */
export function emit(of: OtlpRecord, e: Event): number {
  of.scope.emit(e);
  return 1;
}
