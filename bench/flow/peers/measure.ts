// Runs one collector to the end of its work and says what it took: user and system time of its process and those below
// it, read from /proc, so that start-up is in it for all alike; peak resident memory; time from start to the last moment at
// which it did something. A collector that does not end by itself is at its end when it rests.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_MS = 50;
const REST_MS = 1_500;
/** Of one core: below it a collector rests. */
const REST_SHARE = 0.03;
const START_MS = 3_000;
const TICK_MS = 10;

export interface Taken {
  readonly cpu_s: number;
  readonly wall_s: number;
  readonly peak_mb: number;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** CPU time in ms and peak memory of a process and all below it; undefined when it is gone. */
function usageOf(pid: number): { cpu_ms: number; peak_mb: number } | undefined {
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

/** Ends a process that this bench has started. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await gone;
  clearTimeout(hard);
}

/**
 * Ours say `done` on a line and wait; others are watched until they rest. `count` tells how much has arrived where it is
 * sent to, and `wanted` how much has to.
 */
export async function measure(
  command: string,
  args: readonly string[],
  options: { readonly count?: () => Promise<number>; readonly cwd: string },
): Promise<Taken> {
  const started = performance.now();
  const child = spawn(command, args, { cwd: options.cwd, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let done = false;
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4_000);
    done ||= /^done$/m.test(said);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  let last = { cpu_ms: 0, peak_mb: 0 };
  let busy_at = started;
  // What it had used, and when, at the beginning of the window in which it may rest.
  let window = { at: started, cpu_ms: 0, count: 0 };
  while (child.exitCode === null && child.signalCode === null) {
    const now = performance.now();
    const usage = usageOf(child.pid!);
    if (usage === undefined) break;
    if (usage.cpu_ms - last.cpu_ms > LOOK_MS * REST_SHARE) busy_at = now;
    last = usage;
    if (done) break;
    if (now - window.at >= REST_MS) {
      const count = (await options.count?.()) ?? 1;
      const rests =
        usage.cpu_ms - window.cpu_ms < REST_MS * REST_SHARE && count === window.count && count > 0;
      if (rests && now - started > START_MS) break;
      window = { at: now, cpu_ms: usage.cpu_ms, count };
    }
    await sleep(LOOK_MS);
  }
  const failed = child.exitCode !== null && child.exitCode !== 0;
  await end(child);
  if (failed) throw new Error(`${command} ended with ${child.exitCode}: ${said}`);
  return { cpu_s: last.cpu_ms / 1000, wall_s: (busy_at - started) / 1000, peak_mb: last.peak_mb };
}
