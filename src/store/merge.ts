// Chooses which neighbouring small files become one. Pure. Every merge at least doubles the file that a row is in,
// so a row is rewritten a few times at most, however small the files it came in.
import { LIMITS } from "../core/limits.ts";
import type { StoreFile } from "./manifest.ts";

/** It will be merged with its neighbours. */
export const isSmall = (file: StoreFile): boolean =>
  file.rows < LIMITS.store_small_rows && file.entry_bytes < LIMITS.store_small_bytes;

/** The first run of neighbours to merge, at least `store_merge_files` or the rows of a whole file, or undefined when there
 * is none. */
export function chooseMerge(files: readonly StoreFile[]): readonly StoreFile[] | undefined {
  for (let start = 0; start < files.length; start++) {
    const { columns } = files[start]!;
    let rows = 0;
    let most = 0;
    for (let i = start; i < files.length && i < start + LIMITS.store_merge_files_max; i++) {
      const file = files[i]!;
      // Files of different columns are left apart: the reader joins them by name.
      if (!isSmall(file) || file.columns !== columns) break;
      rows += file.rows;
      most = Math.max(most, file.rows);
      const enough = i + 1 - start >= LIMITS.store_merge_files || rows >= LIMITS.store_file_rows;
      if (enough && 2 * most <= rows) return files.slice(start, i + 1);
    }
  }
  return undefined;
}
