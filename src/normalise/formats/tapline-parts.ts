// What the collector's own submissions have in common: who, and texts within bounds.
import type { Event } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Fields, asObject, asText } from "../format.ts";

/** What stands in the list, else undefined. */
export function oneOf<T extends string>(list: readonly T[], value: unknown): T | undefined {
  return list.find((one) => one === value);
}

export function cut(value: unknown, chars: number): string | undefined {
  return asText(value)?.slice(0, chars).toWellFormed();
}

/** Who it was; no agent's session: it was a person, or the collector. */
export function setUser(e: Event, r: Fields): void {
  const user = asObject(r["user"]);
  e["gen_ai.conversation.id"] = undefined;
  e["user.name"] = cut(user?.["name"], LIMITS.state_key_chars);
  e["user.id"] = cut(user?.["id"], LIMITS.state_key_chars);
}
