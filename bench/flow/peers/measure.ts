// Runs one collector to the end of its work and says what it took: user and system time of its process and those below
// it, read from /proc, so that start-up is in it for all alike; peak resident memory; time from start to the last moment at
// which it did something. A collector that does not end by itself is at its end when it rests. One that has not come to its
// end within the time it is given is ended, and that is an error with its last words.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { endProcess, usageOf } from "../processes.ts";

const LOOK_MS = 50;
const REST_MS = 1_500;
/** Of one core: below it a collector rests. */
const REST_SHARE = 0.03;
const START_MS = 3_000;
/** One that cannot do its work rests from the start, without anything that has arrived. */
const START_LIMIT_MS = 60_000;
/** Many times what the slowest peer takes, in wall time, on a machine with others on it. */
const LIMIT_MS_EVENT = 0.5;

export interface Taken {
  readonly cpu_s: number;
  readonly wall_s: number;
  readonly peak_mb: number;
}

/**
 * Ours say `done` on a line and wait; others are watched until they rest. `count` tells how much has arrived where it is
 * sent to.
 */
export async function measure(
  command: string,
  args: readonly string[],
  options: { readonly count?: () => Promise<number>; readonly cwd: string; readonly events: number },
): Promise<Taken> {
  const started = performance.now();
  const limit_ms = START_LIMIT_MS + options.events * LIMIT_MS_EVENT;
  let late = false;
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
    late = now - started > limit_ms;
    if (done || late) break;
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
  await endProcess(child);
  if (late) throw new Error(`${command} is not at its end after ${Math.round(limit_ms / 1000)} s: ${said}`);
  if (failed) throw new Error(`${command} ended with ${child.exitCode}: ${said}`);
  return { cpu_s: last.cpu_ms / 1000, wall_s: (busy_at - started) / 1000, peak_mb: last.peak_mb };
}
