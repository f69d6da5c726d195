// How long to wait until something that failed is tried again.
import { LIMITS } from "./limits.ts";

/** Pause in ms after so many tries that failed, from 0: longer each time up to a ceiling, and with full jitter, so that many who
 * wait for the same do not come back together. */
export function backoffMs(tries: number, ceiling_ms: number = LIMITS.retry_ms_max): number {
  return Math.random() * Math.min(ceiling_ms, LIMITS.retry_ms_min * 2 ** Math.min(tries, 12));
}
