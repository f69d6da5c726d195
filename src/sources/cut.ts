// Where records end in bytes that were read: after the last line end, and around holes. A hole is a run of NUL at
// the start of a line, as crashes and truncation under a writer leave it. Pure.
import { LIMITS } from "../core/limits.ts";

const NEWLINE = 10;
const AFTER_NEWLINE = Buffer.concat([Buffer.from("\n"), Buffer.alloc(LIMITS.hole_bytes)]);

/** End of the hole that starts at `start`, or `start` when there is none. `inside`: it began before. */
export function holeEnd(buffer: Buffer, start: number, end: number, inside: boolean): number {
  if (start === end || buffer[start] !== 0) return start;
  let at = start;
  while (at < end && buffer[at] === 0) at++;
  return inside || at - start >= LIMITS.hole_bytes ? at : start;
}

/** End of the whole lines in [start, end), before the first hole; `start` when there are none. */
export function linesEnd(buffer: Buffer, start: number, end: number): number {
  if (start === end) return start;
  const last = buffer.lastIndexOf(NEWLINE, end - 1);
  if (last < start) return start;
  const zero = buffer.subarray(start, last).indexOf(0);
  if (zero <= 0) return last + 1;
  const hole = buffer.subarray(start, last).indexOf(AFTER_NEWLINE, Math.max(0, zero - 1));
  return hole < 0 ? last + 1 : start + hole + 1;
}
