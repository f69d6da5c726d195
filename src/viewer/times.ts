// Points in time as the page asks for them, and the widths of buckets. Pure.
import { fromMs } from "../core/time.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};
const DAY_MS = 86_400_000;
const STEPS_MS = [
  1, 2, 5, 15, 30, 60, 180, 360, 720, 1_440, 2_880, 10_080, 20_160, 43_200, 129_600, 525_600,
].map((minutes) => minutes * 60_000);
/** What is kept of hours can be added up to any bucket of whole hours. */
export const HOUR_MS = 3_600_000;
const LAST_MS = Date.UTC(9999, 11, 31);

/** A half-open span, ms since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}
export const ALWAYS: Span = { from: 0, to: LAST_MS };

/** To what a relative point is cut, so that the same page asked twice asks the same of files that are in part before it. */
const cutOf = (back_ms: number): number =>
  back_ms >= UNIT_MS["d"]! ? HOUR_MS : back_ms >= HOUR_MS ? 60_000 : 1_000;

/** `now`, `now-30d` or ISO 8601 with an offset, as ms since 1970; undefined when it is none of them. What is days ago begins
 * with its hour, what is hours ago with its minute. */
export function parsePoint(text: string, now_ms: number): number | undefined {
  const relative = /^now(?:-(\d{1,6})([smhdwy]))?$/.exec(text);
  if (relative !== null) {
    const back = relative[1] === undefined ? 0 : Number(relative[1]) * UNIT_MS[relative[2]!]!;
    // The present is not cut off: the last second is whole.
    if (back === 0) return Math.ceil(now_ms / 1_000) * 1_000;
    return Math.max(0, Math.floor((now_ms - back) / cutOf(back)) * cutOf(back));
  }
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text))
    return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms < 0 || ms > LAST_MS ? undefined : ms;
}

export function isoOf(ms: number): string {
  return fromMs(ms) ?? "";
}

/** Width of a bucket so that a span has at most `most` of them. */
export function stepOf(span: Span, most: number): number {
  return STEPS_MS.find((step) => (span.to - span.from) / step <= most) ?? STEPS_MS.at(-1)!;
}

/** Begin of the bucket that a time is in; days begin `tz` minutes east of UTC. */
export function bucketOf(ms: number, step_ms: number, tz: number): number {
  // 1970 began on a Thursday: weeks begin on Mondays.
  const shift = tz * 60_000 + (step_ms % (7 * DAY_MS) === 0 ? 3 * DAY_MS : 0);
  return Math.floor((ms + shift) / step_ms) * step_ms - shift;
}

/** Begins of all buckets that a span touches. */
export function bucketsOf(span: Span, step_ms: number, tz: number): number[] {
  const times: number[] = [];
  for (let at = bucketOf(span.from, step_ms, tz); at < span.to; at += step_ms) times.push(at);
  return times;
}
