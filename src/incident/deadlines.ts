// Deadlines of incidents: which ones a level brings, and whether one still stands. Pure.
import { type DueDates, rankOf } from "../core/incident.ts";
import { fromMs } from "../core/time.ts";
import type { DeadlineRule } from "./config.ts";
import type { Deadline } from "./present.ts";

/** Deadlines that a level brings, beside those that apply. They count from when the incident was opened. */
export function dueDates(
  rules: readonly DeadlineRule[],
  level: string,
  known: readonly Deadline[],
  opened_ms: number,
): DueDates {
  const dates: Record<string, DueDates[string]> = {};
  for (const one of rules) {
    if (one.level === undefined || rankOf(level) < rankOf(one.level)) continue;
    if (known.some(({ name }) => name === one.name)) continue;
    dates[one.name] = { due: fromMs(opened_ms + one.within_ms)!, until: one.until };
  }
  return dates;
}

/** Neither met nor told to have passed. */
export const isOpen = ({ met_at, passed }: Deadline): boolean => met_at === undefined && passed !== true;
