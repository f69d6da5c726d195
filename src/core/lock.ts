// One writer a thing: a lock file that names the process. The lock of a dead process is taken over.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** When the process started, in ticks since boot, so that a process id used again is not taken for the old one.
 * Undefined where there is no /proc; a live process id alone then counts. */
export function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "dead" : fields[19]; // a zombie writes nothing any more
  } catch {
    return undefined;
  }
}

/** True when the process that wrote this lock may still run. Text that is no lock was cut short by a crash. */
function holderRuns(text: string): boolean {
  const m = /^(\d+) (\S+) /.exec(text);
  return m !== null && runs(+m[1]!, m[2]!);
}

/** Whether there is a process of this number, whoever it belongs to. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}

/** Whether the process that started then may still run; `start` is of `startOf`, or `-`. */
export function runs(pid: number, start: string): boolean {
  return alive(pid) && (startOf(pid) ?? "-") === start;
}

/** Takes the lock at `path` and returns the function that gives it back. Throws what `locked` makes of the process
 * that holds it, and system errors. */
export function takeLock(path: string, locked: (pid: string) => Error): () => void {
  const token = randomBytes(8).toString("hex");
  const mine = `${process.pid} ${startOf(process.pid) ?? "-"} ${token}\n`;
  const own = `${path}.${token}`;
  writeFileSync(own, mine);
  try {
    // A link is made with its content, whole and by one process only.
    for (let tries = 0; tries < 10; tries++) {
      try {
        linkSync(own, path);
        return () => release(path, mine);
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
      const held = read(path);
      if (held === undefined) continue;
      if (holderRuns(held)) throw locked(pidOf(held));
      removeStale(path, `${own}.stale`, held);
    }
    throw locked(pidOf(read(path) ?? ""));
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves a dead process's lock aside. Had another process replaced it meanwhile, its lock is put back. */
function removeStale(path: string, aside: string, held: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "latin1") !== held) linkSync(aside, path);
  rmSync(aside);
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function pidOf(held: string): string {
  return /^\d+/.exec(held)?.[0] ?? "unknown";
}
