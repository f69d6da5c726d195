// Time spans as rules write them, to milliseconds.
import { LIMITS } from "../core/limits.ts";
import type { Report } from "./rule.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1e3,
  m: 6e4,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a time span such as `90m`; 0 when it is reported to be none. */
export function readDuration(value: unknown, place: string, report: Report): number {
  const m = typeof value === "string" ? /^(\d{1,9})([smhdw])$/.exec(value) : null;
  const ms = m === null ? 0 : Number(m[1]) * UNITS[m[2]!]!;
  if (ms === 0) {
    const message = value === undefined ? "is missing" : `${JSON.stringify(value)} is no time span`;
    report.error("timespan", place, message, "Write a number and s, m, h, d or w, such as 90m");
  } else if (ms > LIMITS.correlation_span_ms) {
    const most = `${LIMITS.correlation_span_ms / 86_400_000}d`;
    report.error("timespan", place, `longer than ${most}, for which events are kept`, `Use ${most} or less`);
  }
  return ms;
}
