// A lock that many short processes take turns at. One file in a directory is the turn, and its name says who has it:
// taking, giving back and taking over from the dead are each one rename, which only one process can win. Works on one
// machine and within one namespace of process ids.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TaplineError, systemCode } from "./errors.ts";
import { runs, startOf } from "./lock.ts";

const FREE = "free";
const HELD = /^held\.(\d+)\.([^.]+)\.[0-9a-f]+$/;
const PAUSE_MS_MIN = 1;
const PAUSE_MS_MAX = 16;
/** Looks that find nobody, after which the directory is taken for emptied by hand. */
const NOBODY_MAX = 5;

const started = startOf(process.pid) ?? "-";
const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops the thread: decisions are made while the caller waits. */
function pause(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}

/** Renames; false when it was not there any more. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Makes the directory with its one file, whole: where there is one that is not empty, nothing happens. */
function prepare(dir: string): void {
  const own = mkdtempSync(`${dir}.`);
  writeFileSync(join(own, FREE), "");
  try {
    renameSync(own, dir);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** Takes the turn and returns what gives it back. Throws TURN_LATE when others have it for longer than `wait_ms`. */
export function takeTurn(dir: string, wait_ms: number): () => void {
  const free = join(dir, FREE);
  const mine = join(dir, `held.${process.pid}.${started}.${randomBytes(8).toString("hex")}`);
  const giveBack = (): void => renameSync(mine, free);
  let nobody = 0;
  let pause_ms = PAUSE_MS_MIN;
  const until = performance.now() + wait_ms;
  for (;;) {
    if (moved(free, mine)) return giveBack;
    const names = list(dir);
    if (names === undefined || (names.length === 0 && ++nobody > NOBODY_MAX)) {
      prepare(dir);
      nobody = 0;
      continue;
    }
    for (const name of names) {
      const held = HELD.exec(name);
      if (held !== null && !runs(Number(held[1]), held[2]!) && moved(join(dir, name), mine)) return giveBack;
    }
    if (performance.now() > until) {
      const who = HELD.exec(names[0] ?? "")?.[1] ?? "others";
      throw new TaplineError(
        "TURN_LATE",
        `${dir}: process ${who} had the turn for longer than ${wait_ms} ms`,
        {
          retry: true,
        },
      );
    }
    pause(pause_ms * (0.5 + Math.random()));
    pause_ms = Math.min(2 * pause_ms, PAUSE_MS_MAX);
  }
}

function list(dir: string): string[] | undefined {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
