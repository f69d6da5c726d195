// CPU time of the file source alone: 8 files of 800-byte records on disk to batches, each detached as when
// it is sent to a worker. Prints µs per record and MB/s, and what 10,000 small files cost each.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import file from "../../src/sources/file.ts";
import { LANES, maker, testContext, testRouter } from "../../test/sources/harness.ts";

const megabytes = Number(process.argv[2] ?? 800);
const record = `${JSON.stringify({ pad: "x".repeat(789) })}\n`;

async function readAll(dir: string): Promise<{ bytes: number; cpu_us: number; ms: number }> {
  const config = { type: "file", include: [join(dir, "*.jsonl")], follow: false };
  const source = maker(file as never, config)(testContext(dir));
  const [before, began] = [process.cpuUsage(), performance.now()];
  await source.open(new Map(), testRouter());
  let bytes = 0;
  while (!source.drained) {
    for (let lane = 0; lane < LANES; lane++) {
      const batch = await source.read(lane);
      if (batch === undefined) continue;
      for (const segment of batch.segments) bytes += segment.end - segment.start;
      source.settle(batch);
    }
  }
  const { user, system } = process.cpuUsage(before);
  const ms = performance.now() - began;
  await source.close();
  return { bytes, cpu_us: user + system, ms };
}

function withFiles(count: number, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-"));
  for (let i = 0; i < count; i++) writeFileSync(join(dir, `${i}.jsonl`), text);
  return dir;
}

const large = withFiles(8, record.repeat(Math.ceil((megabytes * 1e6) / 8 / record.length)));
const small = withFiles(10_000, record.repeat(3));
try {
  await readAll(large);
  const { bytes, cpu_us, ms } = await readAll(large);
  const per_record = (cpu_us / bytes) * record.length;
  console.log(
    `source: ${per_record.toFixed(3)} µs CPU per record of ${record.length} bytes, ${(bytes / 1e3 / ms).toFixed(0)} MB/s`,
  );
  const many = await readAll(small);
  if (many.bytes !== 30_000 * record.length) throw new Error("records are missing");
  console.log(`source: ${(many.cpu_us / 10_000).toFixed(1)} µs CPU per new file of 3 records`);
} finally {
  rmSync(large, { recursive: true });
  rmSync(small, { recursive: true });
}
