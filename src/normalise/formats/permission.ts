// Changes of what an agent may do, as fields: its mode, and rights that are given for more than one call.
import type { Event } from "../../core/generated/event.ts";
import { setVerdict } from "./decision.ts";

/** Sets a change of the permission mode. */
export function setMode(
  e: Event,
  before: string | undefined,
  after: string | undefined,
  by: string | undefined,
): void {
  e["tapline.permission.operation"] = "mode";
  e["tapline.permission.before"] = before;
  e["tapline.permission.after"] = after;
  e["tapline.permission.trigger"] = by;
}

/** Whether a mode is told in the words of a Codex rollout, approval policy and sandbox (`never/danger-full-access`): its
 * hook has others (`bypassPermissions`), so that one held against the other is no change. */
export function isRolloutMode(mode: string | undefined): boolean {
  return mode?.includes("/") === true;
}

/** Sets a right that somebody gave with the decision about one call. `rule` is what it allows from now on. */
export function setGrant(
  e: Event,
  scope: string | undefined,
  rule: string | undefined,
  trigger: string,
  decider: string | undefined,
): void {
  e["tapline.permission.operation"] = "grant";
  e["tapline.permission.scope"] = scope;
  e["tapline.permission.rule"] = rule;
  e["tapline.permission.trigger"] = trigger;
  setVerdict(e, "allow", decider);
}
