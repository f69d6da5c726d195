// Removes what is in a store's directories and in no list: of a writer that ended before it told of it, or of aids of old.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GRAMS, type Manifest, PARQUET, ROLLUP, pathsOf } from "./manifest.ts";

export function removeOrphans(dir: string, { files, retired }: Manifest): void {
  const known = new Set([...files.flatMap(pathsOf), ...retired.map((file) => file.path)]);
  for (const under of [PARQUET, ROLLUP, GRAMS]) {
    for (const name of readdirSync(join(dir, under))) {
      const path = `${under}/${name}`;
      if (!known.has(path)) rmSync(join(dir, path), { recursive: true });
    }
  }
}
