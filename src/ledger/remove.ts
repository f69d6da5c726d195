// Removes what a prune has named: blobs first, while the bundles that name them are still there, then the bundles, oldest
// first. Every step may be the last before a crash: done again from the start, it comes to the same.
import { readdirSync, rmSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { blobPath } from "./blobs.ts";
import { syncDir } from "../core/durable.ts";
import { syncDirIfThere } from "./files.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { tilePath } from "./paths.ts";
import { type Pruned, writePruned } from "./pruned.ts";

export interface Removal {
  readonly dir: string;
  readonly pruned: Pruned;
  /** Blobs that entries before `pruned.first` name, and no later one did when it was looked. */
  readonly blobs: readonly string[];
  /** Whether a blob was put again since: then it stays. Asked in the same turn in which it is removed. */
  readonly isNeeded: (digest: string) => boolean;
  /** Told before each change of the disk. For tests that end here. */
  readonly step?: (what: string) => void;
}

/** Resolves when all of it is gone, durably, and the file `pruned` says so. */
export async function removePruned({ dir, pruned, blobs, isNeeded, step }: Removal): Promise<void> {
  const changed = new Set<string>();
  let removed = 0;
  const remove = async (path: string): Promise<void> => {
    step?.(path);
    rmSync(path, { force: true });
    changed.add(dirname(path));
    if (++removed % LIMITS.prune_files === 0) await turn();
  };
  for (const digest of blobs) if (!isNeeded(digest)) await remove(blobPath(dir, digest));
  for (const path of changed) {
    step?.(path);
    await syncDirIfThere(path);
  }
  changed.clear();
  const [from, end] = [Math.floor(pruned.from / TILE_WIDTH), pruned.first / TILE_WIDTH];
  for (let bundle = from; bundle < end; bundle++) {
    await remove(join(dir, tilePath("entries", bundle)));
    await removePartials(join(dir, `${tilePath("entries", bundle)}.p`), remove);
  }
  const root = join(dir, "tile");
  for (const path of [...changed].toSorted((a, b) => b.length - a.length))
    await removeEmpty(path, root, step);
  step?.("pruned");
  await writePruned(dir, { ...pruned, from: pruned.first });
}

/** Partial bundles that a crash left beside a full one. */
async function removePartials(path: string, remove: (path: string) => Promise<void>): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  for (const name of names) await remove(join(path, name));
}

/** Removes a directory that has nothing left, and those above it, below `root`; what stays is made durable. */
async function removeEmpty(path: string, root: string, step: Removal["step"]): Promise<void> {
  for (let at = path; at.length > root.length; at = dirname(at)) {
    step?.(at);
    try {
      // Those above the last bundle get more: they go when it is theirs to go.
      rmdirSync(at);
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      if (code !== "ENOENT") return syncDir(at);
    }
  }
}
