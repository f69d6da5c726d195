// What lies beside a file, read at most once a poll: where a file went that was renamed.
import { type Stats, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";

export type Sibling = Pick<Stats, "dev" | "ino" | "birthtimeMs" | "mtimeMs" | "size">;

export class Siblings {
  readonly #cache = new Map<string, Map<string, Sibling>>();

  reset(): void {
    this.#cache.clear();
  }

  /** The regular file at a path, undefined when there is none, "unknown" when that cannot be told. */
  at(path: string): Sibling | "unknown" | undefined {
    try {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.isFile() === true ? stats : undefined;
    } catch (error) {
      return systemCode(error) === "ENOTDIR" ? undefined : "unknown";
    }
  }

  /** Regular files in a directory, by path. */
  in(dir: string): ReadonlyMap<string, Sibling> {
    const cached = this.#cache.get(dir);
    if (cached !== undefined) return cached;
    const found = new Map<string, Sibling>();
    this.#cache.set(dir, found);
    try {
      for (const entry of readdirSync(dir, { withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(dir, entry.name);
        const stats = this.at(path);
        if (stats !== undefined && stats !== "unknown") found.set(path, stats);
      }
    } catch {
      // The directory is gone too.
    }
    return found;
  }
}
