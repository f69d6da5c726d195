// Whether the file system on which a file lay is away: its directory is there, but it is the one below, which a mount covers
// otherwise. What lay there was not deleted, then. Knows nothing of mounts that were away when the collector began.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { LIMITS } from "../core/limits.ts";
import type { Tail } from "./tail.ts";

/** Device of the directory at a path; undefined when it is not there, or nobody can tell. */
function deviceOf(dir: string): number | undefined {
  try {
    return statSync(dir, { throwIfNoEntry: false })?.dev;
  } catch {
    return undefined;
  }
}

/** Says where a file lies now, and takes note of what its directory lies on. */
export function lieAt(tail: Tail, path: string): void {
  tail.at = path;
  tail.dir_dev = deviceOf(dirname(path));
  tail.away = undefined;
}

/** Asked of a file that has no name any more. When its file system is back, or another one is in its place, it is looked for
 * there; one that is away for longer than `mount_away_ms` is not waited for. */
export function isAway(tail: Tail, now: number): boolean {
  const dev = deviceOf(dirname(tail.at));
  if (dev === undefined || tail.dir_dev === undefined || dev === tail.dir_dev) return false;
  tail.away ??= { dev, since_ms: now };
  if (tail.away.dev === dev && now - tail.away.since_ms < LIMITS.mount_away_ms) return true;
  tail.dir_dev = dev;
  tail.away = undefined;
  return false;
}
