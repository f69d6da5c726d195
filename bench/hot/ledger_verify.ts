// What `tapline ledger verify` costs, in a process of its own as an auditor runs it.  node bench/hot/ledger_verify.ts
// [entries] [bytes an entry]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../src/core/limits.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";

const [first = "100000", second = "1000"] = process.argv.slice(2);

async function make(dir: string, entries: number, bytes: number): Promise<void> {
  const perFrame = Math.max(1, Math.floor(LIMITS.batch_bytes / (bytes + 2)));
  const { ledger } = await Ledger.open({ dir, origin: "bench.example/ledger", log: () => undefined });
  while (ledger.size < entries) {
    const count = Math.min(perFrame, entries - ledger.size);
    const run = Buffer.alloc(count * (bytes + 2), 97);
    for (let i = 0; i < count; i++) {
      run.writeUInt16BE(bytes, i * (bytes + 2));
      run.write(String(ledger.size + i), i * (bytes + 2) + 2); // no two are the same
    }
    ledger.append({ run: new Uint8Array(run), count, hashes: leafHashes(run), header: "{}" });
    await ledger.commit();
  }
  await ledger.close();
}

if (first === "--verify") {
  const before = process.cpuUsage();
  const start = performance.now();
  const { entries, findings } = await verifyLedger(second);
  const { user, system } = process.cpuUsage(before);
  if (findings.length > 0) throw new Error(findings[0]!.message);
  console.log(`${entries} entries verified`);
  console.log(
    `CPU                       ${((user + system) / 1e6).toFixed(1)} s, ${((user + system) / entries).toFixed(2)} µs an entry`,
  );
  console.log(`wall                      ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  console.log(`peak memory               ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
} else {
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-"));
  await make(dir, Number(first), Number(second));
  process.stdout.write(
    execFileSync(process.execPath, [import.meta.filename, "--verify", dir], { encoding: "utf8" }),
  );
  rmSync(dir, { recursive: true });
}
