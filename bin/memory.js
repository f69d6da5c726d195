// Bounds for the memory of a collector: without them V8 lets four times as much garbage stand as there is alive, and the C
// library keeps what was freed between what is in use (docs/decisions/0039).
import { getHeapStatistics } from "node:v8";

/** MiB that each thread's old objects may take, some five times what is alive. NODE_OPTIONS can say otherwise. */
const HEAP_MB = 1024;
/** MiB of half a young generation. V8 begins to look through all that is old when less than this is free below its limit. */
const SEMI_SPACE_MB = 16;
/** For the GNU C library, which otherwise raises these thresholds by itself, up to 32 MiB: batches come from and go back to
 * the system. The environment of the user goes before. */
const MALLOC = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
};

/** Starts over in the same process with the bounds, which can only be given at the start. Whoever gives Node bounds of their
 * own is left alone, and so is what has started over. */
export function boundMemory() {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((text) =>
    /max-old-space|max-heap|semi-space/.test(text),
  );
  if (given || process.execve === undefined) return;
  const flags = [`--max-semi-space-size=${SEMI_SPACE_MB}`, ...process.execArgv];
  // In a small container V8's own limit is lower.
  if (getHeapStatistics().heap_size_limit > HEAP_MB * 1.25 * 2 ** 20)
    flags.unshift(`--max-old-space-size=${HEAP_MB}`);
  const args = [process.execPath, ...flags, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...MALLOC, ...process.env });
}
