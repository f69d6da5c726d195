// One writer a thing: a lock file that names the process. The lock of a dead process is taken over, that of a container
// which ended too.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { systemCode } from "./errors.ts";
import { processSpace } from "./pid-namespace.ts";
import { isPresent, showPresence } from "./presence.ts";

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

interface Holder {
  readonly pid: string;
  readonly start: string;
  readonly token: string;
  /** Where its id counts; `-` where nobody can tell, and in locks of before. */
  readonly ns: string;
}

/** Who wrote a lock. Text that is no lock was cut short by a crash. */
function holderIn(text: string): Holder | undefined {
  const m = /^(\d+) (\S+) ([0-9a-f]+)(?: (\S+))?\n?$/.exec(text);
  return m === null ? undefined : { pid: m[1]!, start: m[2]!, token: m[3]!, ns: m[4] ?? "-" };
}

const isForeign = ({ ns }: Holder): boolean => ns !== "-" && ns !== processSpace().ns;
const presenceOf = (path: string, token: string): string => `${path}.${token}.open`;

/** True when the holder of the lock at `path` may still run. */
function holderRuns(path: string, holder: Holder | undefined): boolean {
  if (holder === undefined) return false;
  if (!isForeign(holder)) return runs(+holder.pid, holder.start);
  return isPresent(presenceOf(path, holder.token)) ?? true;
}

/** How an error names it. */
function named(path: string, holder: Holder | undefined): string {
  if (holder === undefined) return "unknown";
  if (!isForeign(holder)) return holder.pid;
  return isPresent(presenceOf(path, holder.token)) === true
    ? `${holder.pid} of another container`
    : `${holder.pid} outside this container (if it has ended, remove ${path})`;
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
 * that holds it, by its id and more, and system errors. */
export function takeLock(path: string, locked: (pid: string) => Error): () => void {
  const token = randomBytes(8).toString("hex");
  const mine = `${process.pid} ${startOf(process.pid) ?? "-"} ${token} ${processSpace().ns}\n`;
  const own = `${path}.${token}`;
  const leave = showPresence(presenceOf(path, token));
  let taken = false;
  try {
    writeFileSync(own, mine);
    // A link is made with its content, whole and by one process only.
    for (let tries = 0; tries < 10; tries++) {
      try {
        linkSync(own, path);
        taken = true;
        return () => {
          release(path, mine);
          leave();
        };
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
      const held = read(path);
      if (held === undefined) continue;
      const holder = holderIn(held);
      if (holderRuns(path, holder)) throw locked(named(path, holder));
      removeStale(path, `${own}.stale`, held);
      if (holder !== undefined) rmSync(presenceOf(path, holder.token), { force: true });
    }
    throw locked(named(path, holderIn(read(path) ?? "")));
  } finally {
    rmSync(own, { force: true });
    if (!taken) leave();
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
