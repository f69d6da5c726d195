// Codex's token counts: totals that grow over the session and are logged again unchanged. Every token counts once.
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Outcome, asObject } from "../format.ts";
import { isTotalKnown } from "./codex-fork.ts";
import { type CodexRecord, begin } from "./codex-record.ts";
import { asCount } from "./fields.ts";
import { countTokens, requestOf } from "./tokens.ts";

const COUNTERS = [
  ["input_tokens", "gen_ai.usage.input_tokens"],
  ["output_tokens", "gen_ai.usage.output_tokens"],
  ["cached_input_tokens", "gen_ai.usage.cache_read.input_tokens"],
  ["cache_write_input_tokens", "gen_ai.usage.cache_creation.input_tokens"],
  ["reasoning_output_tokens", "gen_ai.usage.reasoning.output_tokens"],
] as const;

/** Undefined when the record holds no counts. A total seen before is merged. */
export function usage(of: CodexRecord): Outcome | undefined {
  const info = asObject(of.p["info"]);
  const last = asObject(info?.["last_token_usage"]);
  const total = asObject(info?.["total_token_usage"]) ?? asObject(of.p["usage"]);
  if (last !== undefined) {
    if (isTotalKnown(of, `tokens.${totalsOf(total ?? last)}`)) return "merged";
    return request(of, last);
  }
  if (total === undefined) return undefined;
  let more = 0;
  const grown: Record<string, number> = {};
  for (const [name] of COUNTERS) {
    const count = asCount(total[name]);
    if (count === undefined) continue;
    grown[name] = of.session.countMore(`tokens.${name}`, count);
    more += grown[name];
  }
  if (more === 0) return "merged";
  const e = counted(of, (name) => grown[name]);
  e["tapline.primary"] = of.kind !== "exec";
  of.scope.emit(e);
  return "recorded";
}

function totalsOf(total: Fields): string {
  let text = "";
  for (const [name] of COUNTERS) text += `${asCount(total[name]) ?? ""}.`;
  return text;
}

function counted(of: CodexRecord, count: (name: string) => number | undefined): Event {
  const e = begin("model-call", of);
  e["gen_ai.operation.name"] = "chat";
  e["event.outcome"] = "success";
  for (const [name, field] of COUNTERS) e[field] = count(name);
  return e;
}

/** One request of the model, which telemetry may tell of, too. */
function request(of: CodexRecord, last: Fields): Outcome {
  const e = counted(of, (name) => asCount(last[name]));
  const { "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output } = e;
  const name = requestOf(e, of.session, input, output, e["gen_ai.usage.cache_read.input_tokens"]);
  countTokens(e, of.session, name, output);
  of.scope.emit(e);
  return "recorded";
}
