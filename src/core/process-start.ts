// When a process started, by which it is told from others that had its id. Where there is no /proc, nobody knows.
import { readFileSync } from "node:fs";
import { startOf } from "./lock.ts";
import { fromMs } from "./time.ts";

const TICK_MS = 10;

/** RFC 3339, the same for everybody who asks on this machine. */
export function startedAt(pid: number): string | undefined {
  try {
    const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"));
    const ticks = Number(startOf(pid));
    return boot === null || Number.isNaN(ticks)
      ? undefined
      : fromMs(Number(boot[1]) * 1_000 + ticks * TICK_MS);
  } catch {
    return undefined;
  }
}
