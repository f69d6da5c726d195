// What decisions rest on beside the policy: pinned definitions, quarantine, rates. Kept for all processes of one user.
import type { Rate } from "./compiled.ts";

export interface PolicyState {
  /** Whether the definition of a tool is another than the one pinned, or the tool is in quarantine. */
  changed(server: string, tool: string, hash: string | undefined): boolean;
  /** Counts a call; false when the rate is used up. */
  take(key: string, rate: Rate, now_ms: number): boolean;
}
