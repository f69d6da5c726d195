// Hook payloads of agents as `tapline hook` spools them: `{ts, hook: CLIENT, event, payload, decision?, server?, raw?,
// pid?, user?, cwd?}`.
// Reads the line around the payload; each client's payloads are read in hook-<client>.ts.
import { type Fields, type Format, type Outcome, type Scope, asHeld, asObject, asText } from "../format.ts";
import type { HookClient, Who } from "./hook-told.ts";
import { claudeHooks, codexHooks } from "./hook-claude.ts";
import { copilotHooks } from "./hook-copilot.ts";
import { cursorHooks } from "./hook-cursor.ts";
import { type HookLine, begin, emitTold } from "./hook-events.ts";
import { geminiHooks } from "./hook-gemini.ts";
import { kiroHooks } from "./hook-kiro.ts";
import { isRolloutMode, setMode } from "./permission.ts";
import { windsurfHooks } from "./hook-windsurf.ts";
import { HOOK_FIELDS } from "./known-fields.ts";

const CLIENTS = new Map<string, HookClient>([
  ["claude-code", claudeHooks],
  ["codex", codexHooks],
  ["copilot", copilotHooks],
  ["cursor", cursorHooks],
  ["gemini", geminiHooks],
  ["kiro", kiroHooks],
  ["windsurf", windsurfHooks],
]);

function map(r: Fields, scope: Scope): Outcome {
  const client = CLIENTS.get(asText(r["hook"]) ?? "");
  const payload = asObject(r["payload"]);
  if (client === undefined || payload === undefined) return keep(r, scope);
  const who = client.who(payload);
  const session = scope.session(who.session);
  const event =
    asText(r["event"]) ??
    asText(payload["hook_event_name"]) ??
    asText(payload["agent_action_name"]) ??
    "unknown";
  note(session, who);
  const line: HookLine = { client, event, fields: r, payload, who, session, scope };
  changeMode(line);
  const told = client.read(event, payload);
  if (told === undefined) unknown(line);
  else emitTold(line, told);
  return "recorded";
}

function note(session: HookLine["session"], who: Who): void {
  session.note("service.version", who.version);
  session.note("gen_ai.request.model", who.model);
}

/** Payloads carry the permission mode; a subagent's says nothing of the session's. Where a Codex rollout is read, it tells
 * of changes. */
function changeMode(line: HookLine): void {
  const { who, session } = line;
  if (who.mode === undefined || who.agent_id !== undefined) return;
  if (isRolloutMode(session.fact("tapline.permission.mode"))) return;
  const before = session.note("tapline.permission.mode", who.mode);
  if (before === undefined) return;
  const e = begin(line, "permission-change");
  setMode(e, before, who.mode, "hook");
  line.scope.emit(e);
}

function unknown(line: HookLine): void {
  const e = begin(line, "record");
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(line.payload);
  line.scope.emit(e);
}

/** Keeps what is no hook line, as it is. */
function keep(r: Fields, scope: Scope): Outcome {
  const e = scope.event("record", r["ts"]);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(r);
  scope.emit(e);
  return "recorded";
}

function sessionIn(value: unknown): string | undefined {
  const r = asObject(value);
  const payload = asObject(r?.["payload"]);
  return payload === undefined ? undefined : CLIENTS.get(asText(r!["hook"]) ?? "")?.who(payload).session;
}

export const hook: Format = {
  name: "hook",
  fields: HOOK_FIELDS,
  vantage: "hook",
  recognise(head) {
    if (head.length === 0) return 0;
    let sum = 0;
    for (const value of head) {
      const r = asObject(value);
      if (
        typeof r?.["hook"] === "string" &&
        typeof r["event"] === "string" &&
        asObject(r["payload"]) !== undefined
      )
        sum++;
    }
    return sum / head.length;
  },
  /** The session that all lines name; a stream in which several interleave has none of its own. */
  sessionOf(head) {
    const first = sessionIn(head[0]);
    return head.every((value) => sessionIn(value) === first) ? first : undefined;
  },
  open() {
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, scope);
    };
  },
};
