// What the store made beside a file, where it is there and of today.
import { join } from "node:path";
import { AIDS_VERSION, hasAids } from "../store/aids.ts";
import { type StoreFile, gramsPath, rollupPath } from "../store/manifest.ts";
import type { Part } from "./database.ts";

export function aidsOf(dir: string, file: StoreFile): Pick<Part, "rollup" | "grams"> {
  const { first, end, aids } = file;
  if (aids?.version !== AIDS_VERSION || !hasAids(dir, file)) return {};
  const { rollup, grams } = aids;
  return {
    ...(rollup !== undefined && {
      rollup: { path: join(dir, rollupPath(first, end)), rows: rollup.rows },
    }),
    ...(grams !== undefined && { grams: { path: join(dir, gramsPath(first, end)), bytes: grams.bytes } }),
  };
}
