// Tokens of model calls, which several records and vantages tell of: each token is on one event.
import type { Event } from "../../core/generated/event.ts";
import type { Session } from "../session.ts";

/** Counts the tokens of a request once, whoever reports them; false when its input was counted before. */
export function countTokens(
  e: Event,
  session: Session,
  request: string | undefined,
  output: number | undefined,
): boolean {
  if (request === undefined) {
    e["tapline.primary"] = true;
    e["gen_ai.usage.output_tokens"] = output;
    return true;
  }
  const isFirst = session.countsUsage(request);
  e["gen_ai.usage.output_tokens"] = output === undefined ? undefined : session.countMore(request, output);
  session.observe(e, `model.${request}`);
  if (isFirst) return true;
  e["gen_ai.usage.input_tokens"] = undefined;
  e["gen_ai.usage.cache_read.input_tokens"] = undefined;
  e["gen_ai.usage.cache_creation.input_tokens"] = undefined;
  e["gen_ai.usage.reasoning.output_tokens"] = undefined;
  return false;
}

/** What names a request that has no id: what it cost, and which of those of that cost it is to this vantage. */
export function requestOf(
  e: Event,
  session: Session,
  input: number | undefined,
  output: number | undefined,
  cached: number | undefined,
): string {
  const cost = `cost.${input ?? 0}.${output ?? 0}.${cached ?? 0}`;
  return `${cost}#${session.tally(`${cost}.${e["tapline.vantage"]}`)}`;
}
