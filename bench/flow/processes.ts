// What processes take, read from /proc, and how those that a bench has started are ended.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";

const TICK_MS = 10;

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** CPU time in ms and peak memory of a process and all below it; undefined when it is gone. */
export function usageOf(pid: number): { cpu_ms: number; peak_mb: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    // With what its children took that have ended.
    let cpu_ms = TICK_MS * fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
    let peak_mb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) / 1024;
    for (const child of childrenOf(pid)) {
      const below = usageOf(child);
      cpu_ms += below?.cpu_ms ?? 0;
      peak_mb += below?.peak_mb ?? 0;
    }
    return { cpu_ms, peak_mb };
  } catch {
    return undefined;
  }
}

/** Ends a process that this bench has started; by force when it takes longer. */
export async function endProcess(child: ChildProcess, limit_ms = 3_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), limit_ms);
  await gone;
  clearTimeout(hard);
}
