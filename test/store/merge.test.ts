// Which files are merged: as a property, over stores that grow by ranges of any size.
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { type StoreFile, parquetPath } from "../../src/store/manifest.ts";
import { chooseMerge } from "../../src/store/merge.ts";

const fileOf = (first: number, rows: number, entryBytes: number, columns: string): StoreFile => ({
  path: parquetPath(first, first + rows),
  first,
  end: first + rows,
  rows,
  bytes: rows * 100,
  entry_bytes: rows * entryBytes,
  columns,
});

test("files stay few, in order, and a row is rewritten a few times at most", () => {
  const rows = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: LIMITS.store_file_rows }));
  const grow = fc.record({
    rows,
    times: fc.integer({ min: 1, max: 400 }),
    columns: fc.constantFrom("a", "a", "b"),
  });
  fc.assert(
    fc.property(
      fc.array(grow, { maxLength: 6 }),
      fc.constantFrom(100, 1_200, 60_000),
      (growths, entryBytes) => {
        let files: StoreFile[] = [];
        let end = 0;
        let rewritten = 0;
        for (const growth of growths) {
          for (let i = 0; i < growth.times; i++) {
            files.push(fileOf(end, growth.rows, entryBytes, growth.columns));
            end += growth.rows;
            for (let run = chooseMerge(files); run !== undefined; run = chooseMerge(files)) {
              const first = run[0]!;
              const sum = run.reduce((all, file) => all + file.rows, 0);
              expect(new Set(run.map((file) => file.columns)).size).toBe(1);
              expect(run.every((file) => file.entry_bytes < LIMITS.store_small_bytes)).toBe(true);
              rewritten += sum;
              files = files.toSpliced(
                files.indexOf(first),
                run.length,
                fileOf(first.first, sum, entryBytes, first.columns),
              );
            }
          }
        }
        let at = 0;
        for (const file of files) {
          expect(file.first).toBe(at);
          at = file.end;
        }
        expect(at).toBe(end);
        // Sixteen equal files a merge; in the worst case a file only doubles.
        const times = growths.length === 1 ? Math.log(LIMITS.store_small_rows) / Math.log(16) + 1 : 17;
        expect(rewritten).toBeLessThanOrEqual(times * end);
        const small = files.filter(
          (file) => file.rows < LIMITS.store_small_rows && file.entry_bytes < LIMITS.store_small_bytes,
        );
        expect(small.length).toBeLessThan(4 * LIMITS.store_merge_files * (growths.length + 1));
      },
    ),
    { numRuns: 60 },
  );
});
