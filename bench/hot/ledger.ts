// CPU of the ledger on the thread that appends: frames of ready-made entries in, durable log and tiles out. Leaf
// hashes are the workers' and are not counted.  node bench/hot/ledger.ts [entries] [bytes an entry]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../src/core/limits.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";

const entries = Number(process.argv[2] ?? 200_000);
const bytes = Number(process.argv[3] ?? 1_000);
const perFrame = Math.max(1, Math.floor(LIMITS.batch_bytes / (bytes + 2)));

const runs: Uint8Array[] = [];
for (let i = 0; i < 16; i++) {
  const run = Buffer.alloc(perFrame * (bytes + 2), 97 + i);
  for (let at = 0; at < run.length; at += bytes + 2) run.writeUInt16BE(bytes, at);
  runs.push(run);
}
const hashes = runs.map(leafHashes);
/** The ledger takes the run's memory over and gives it back when it is done with it. The copy counts as the ledger's. */
const copyOf = (run: Uint8Array): Uint8Array => new Uint8Array(run);

/** Pause between checkpoints, ms, as the collector has it, and as if there were none but the last. */
for (const checkpoint_ms of [LIMITS.checkpoint_ms, 2 ** 31 - 1]) {
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-"));
  const options = { dir, origin: "bench.example/ledger", log: () => undefined, checkpoint_ms };
  const { ledger } = await Ledger.open(options);
  const before = process.threadCpuUsage();
  const all = process.cpuUsage();
  const start = performance.now();
  let slowest = 0;
  for (let i = 0; ledger.size < entries; i++) {
    ledger.append({
      run: copyOf(runs[i % 16]!),
      count: perFrame,
      hashes: hashes[i % 16]!,
      header: JSON.stringify({ positions: { file: i } }),
    });
    if (i % LIMITS.frames_per_sync === LIMITS.frames_per_sync - 1) {
      const from = performance.now();
      await ledger.commit();
      slowest = Math.max(slowest, performance.now() - from);
    }
  }
  await ledger.commit();
  const logged = performance.now() - start;
  const thread = process.threadCpuUsage(before);
  await ledger.close();
  const total = process.cpuUsage(all);
  const ns = (usage: NodeJS.CpuUsage): string =>
    (((usage.user + usage.system) * 1_000) / ledger.size).toFixed(0);
  const often = checkpoint_ms === LIMITS.checkpoint_ms ? `every ${checkpoint_ms} ms` : "at the end only";
  console.log(`${ledger.size} entries of ${bytes} bytes, checkpoints ${often}`);
  console.log(`main thread, to durable   ${ns(thread)} ns CPU an entry`);
  console.log(`process, to closed        ${ns(total)} ns CPU an entry (with file system threads)`);
  console.log(
    `wall, to durable          ${((logged * 1e6) / ledger.size).toFixed(0)} ns an entry, slowest commit ${slowest.toFixed(0)} ms`,
  );
  console.log(
    `wall, to closed           ${(((performance.now() - start) * 1e6) / ledger.size).toFixed(0)} ns an entry`,
  );
  console.log(`peak memory               ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  rmSync(dir, { recursive: true });
}
