// Start-up time of a large ledger: a child process builds one of tiny entries, with a snapshot every
// LIMITS.snapshot_entries, and is killed; then it is opened, stopped cleanly, and opened again.
// node bench/hot/ledger_start.ts [entries]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../src/core/limits.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";

const FRAME_ENTRIES = 2_000;
const ENTRY_BYTES = 12;
const entries = Number(process.argv[2] ?? 10_000_000);
const options = { origin: "bench.example/ledger", log: () => undefined };

async function build(dir: string): Promise<void> {
  const { ledger } = await Ledger.open({ dir, ...options });
  let next: number = LIMITS.snapshot_entries;
  for (let i = 0; ledger.size < entries; i++) {
    const run = Buffer.allocUnsafeSlow(FRAME_ENTRIES * (ENTRY_BYTES + 2));
    for (let at = 0, n = ledger.size; at < run.length; at += ENTRY_BYTES + 2, n++) {
      run.writeUInt16BE(ENTRY_BYTES, at);
      run.write(`{"n":${n}}`.padEnd(ENTRY_BYTES), at + 2);
    }
    ledger.append({ run, count: FRAME_ENTRIES, hashes: leafHashes(run), header: JSON.stringify({ i }) });
    if (i % LIMITS.frames_per_sync === 0) await ledger.commit();
    if (ledger.size >= next && ledger.size < entries) {
      next += LIMITS.snapshot_entries;
      await ledger.snapshot(JSON.stringify({ i }));
    }
  }
  await ledger.commit();
  process.kill(process.pid, "SIGKILL");
}

async function measure(how: string, dir: string): Promise<void> {
  const from = performance.now();
  const { ledger, recovered } = await Ledger.open({ dir, ...options });
  const opened = performance.now() - from;
  let after = 0;
  for await (const frame of recovered.frames()) after += frame.count;
  const replayed = performance.now() - from;
  console.log(
    `after ${how}: open ${opened.toFixed(0)} ms, with the ${after} entries after the snapshot ${replayed.toFixed(0)} ms`,
  );
  if (ledger.size < entries) throw new Error(`${ledger.size} entries, expected ${entries}`);
  await ledger.close();
}

if (process.argv[3] === undefined) {
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-"));
  const start = performance.now();
  spawnSync(process.execPath, [import.meta.filename, String(entries), dir], { stdio: "inherit" });
  console.log(`${entries} entries, built in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  await measure("SIGKILL", dir);
  await measure("a clean stop", dir);
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  rmSync(dir, { recursive: true });
} else await build(process.argv[3]);
