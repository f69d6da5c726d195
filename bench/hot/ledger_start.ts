// Start-up time of a large ledger: builds one of tiny entries with a snapshot every LIMITS.snapshot_entries, stops it as
// a crash would, and opens it again.  node bench/hot/ledger_start.ts [entries]
import { mkdtempSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../src/core/limits.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";

const entries = Number(process.argv[2] ?? 10_000_000);
const perFrame = 2_000;
const options = { origin: "bench.example/ledger", log: () => undefined };
const dir = mkdtempSync(join(tmpdir(), "tapline-bench-"));
const crash = mkdtempSync(join(tmpdir(), "tapline-bench-"));

const start = performance.now();
const { ledger } = await Ledger.open({ dir, ...options });
for (let i = 0; ledger.size < entries; i++) {
  const run = Buffer.alloc(perFrame * 14);
  for (let at = 0, n = ledger.size; at < run.length; at += 14, n++) {
    run.writeUInt16BE(12, at);
    run.write(`{"n":${n}}`.padEnd(12), at + 2);
  }
  ledger.append({ run, count: perFrame, hashes: leafHashes(run), header: { i } });
  if (i % LIMITS.frames_per_sync === 0) await ledger.commit();
  if (ledger.size % LIMITS.snapshot_entries === 0 && ledger.size < entries) await ledger.snapshot({ i });
}
await ledger.commit();
await cp(dir, crash, { recursive: true });
rmSync(join(crash, "lock"), { force: true });
const size = ledger.size;
await ledger.close();
console.log(`${size} entries, built in ${((performance.now() - start) / 1000).toFixed(0)} s`);

for (const [how, path] of [
  ["after a crash", crash],
  ["after a clean stop", dir],
] as const) {
  const from = performance.now();
  const again = await Ledger.open({ dir: path, ...options });
  const opened = performance.now() - from;
  let frames = 0;
  for await (const _ of again.recovered.frames()) frames++;
  const replayed = performance.now() - from;
  console.log(
    `${how}: open ${opened.toFixed(0)} ms, and ${frames} frames after the snapshot ${replayed.toFixed(0)} ms`,
  );
  if (again.ledger.size !== size) throw new Error(`${again.ledger.size} entries, expected ${size}`);
  await again.ledger.close();
}
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
for (const path of [dir, crash]) rmSync(path, { recursive: true });
