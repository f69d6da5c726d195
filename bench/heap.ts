// Loaded into a collector by `npm run soak` before anything else, in each of its threads: says once a second how much of
// the thread's heap is in use, and what V8 holds for it and outside of it, in a file of its own, since nothing tells that from
// outside. The collector knows nothing of it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { threadId } from "node:worker_threads";

const dir = process.env["TAPLINE_SOAK_HEAP"];
if (dir !== undefined) {
  setInterval(() => {
    const { used_heap_size, total_heap_size, external_memory } = getHeapStatistics();
    writeFileSync(join(dir, `${threadId}`), `${used_heap_size} ${total_heap_size + external_memory}`);
  }, 1_000).unref();
}
