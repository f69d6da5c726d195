// Ledgers that were damaged, tampered with or cut short: refused or repaired, never silently accepted.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { leafHashes } from "../../src/ledger/recover.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { appendEntries, crashed, newDir, openLedger, readAll, runOf, textsUpTo, walOf } from "./helpers.ts";

async function made(): Promise<string> {
  const dir = newDir();
  const { ledger } = await openLedger(dir);
  for (const count of [100, 300, 200]) {
    appendEntries(ledger, count);
    await ledger.commit();
  }
  await ledger.close();
  return dir;
}
const firstSegment = (dir: string): string => join(dir, "wal", walOf(dir)[0]!);

describe("a ledger that was tampered with or damaged", () => {
  test("is refused when its end is gone and was signed, and nothing is changed", async () => {
    const dir = await made();
    const wal = firstSegment(dir);
    truncateSync(wal, statSync(wal).size - 10);
    const before = readFileSync(join(dir, "checkpoint"), "utf8");
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_MISMATCH" });
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_MISMATCH" });
    expect(readFileSync(join(dir, "checkpoint"), "utf8")).toBe(before);
    expect(readdirSync(dir)).not.toContain("lock");
  });

  test("is refused when damaged in the middle", async () => {
    const dir = await made();
    const wal = firstSegment(dir);
    const bytes = readFileSync(wal);
    bytes[500]! ^= 1;
    writeFileSync(wal, bytes);
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_CORRUPT", message: /at offset 0/ });
  });

  test("is refused without a word of damage when what it starts from is of a later version", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    for (let n = 0; n < 4; n++) {
      appendEntries(ledger, 600);
      ledger.pruner.turnLog();
      await ledger.snapshot("{}");
    }
    await ledger.close();
    expect(walOf(dir)[0]).not.toMatch(/^0+\.wal$/);
    const snapshots = readdirSync(join(dir, "snapshots")).map((name) => join(dir, "snapshots", name));
    const texts = snapshots.map((path) => readFileSync(path, "utf8"));
    for (const path of snapshots)
      writeFileSync(path, readFileSync(path, "utf8").replace('{"version":1,', '{"version":2,'));
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_NEWER", message: /snapshots/ });
    snapshots.forEach((path, i) => writeFileSync(path, texts[i]!));
    const again = await openLedger(dir);
    expect(again.ledger.size).toBe(2_400);
    await again.ledger.close();
  });

  test("is refused when the log was replaced by another well-formed one", async () => {
    const [dir, other] = [await made(), newDir()];
    const { ledger } = await openLedger(other);
    const run = runOf(Array.from({ length: 600 }, (_, i) => Buffer.from(`{"forged":${i}}`)));
    ledger.append({ run, count: 600, hashes: leafHashes(run), header: "{}" });
    await ledger.close();
    writeFileSync(firstSegment(dir), readFileSync(firstSegment(other)));
    const tile = readFileSync(join(dir, "tile/entries/000"));
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_MISMATCH" });
    expect(readFileSync(join(dir, "tile/entries/000"))).toEqual(tile);
    expect((await verifyLedger(dir)).findings[0]).toMatchObject({
      message: /not the one in the tiles/,
      index: 0,
    });
  });

  test("is refused when key or log is gone", async () => {
    for (const name of ["ledger.key", "wal"]) {
      const dir = await made();
      rmSync(join(dir, name), { recursive: true });
      await expect(openLedger(dir)).rejects.toMatchObject({ code: /LEDGER_(KEY|CORRUPT)/ });
    }
  });

  test("comes back whole when tiles were lost with the power", async () => {
    const dir = await made();
    writeFileSync(join(dir, "tile/entries/001"), "");
    rmSync(join(dir, "tile/0"), { recursive: true });
    const { ledger } = await openLedger(dir);
    await ledger.close();
    expect(await verifyLedger(dir)).toMatchObject({ findings: [], size: 600 });
  });

  test("a write that a crash cut short is removed and reported", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 10);
    await ledger.commit();
    await ledger.publish();
    appendEntries(ledger, 10);
    await ledger.commit();
    const copy = await crashed(dir);
    await ledger.close();
    truncateSync(firstSegment(copy), statSync(firstSegment(copy)).size - 1);
    const logged: string[] = [];
    const next = await openLedger(copy, { log: (level, message) => logged.push(`${level} ${message}`) });
    expect(next.ledger.size).toBe(10);
    expect(next.recovered.cut).toMatchObject({ file: firstSegment(copy) });
    expect(logged).toEqual([expect.stringMatching(/^warn end of the log cut off/)]);
    appendEntries(next.ledger, 3);
    await next.ledger.close();
    expect(await verifyLedger(copy)).toMatchObject({
      findings: [],
      notes: [/^all entries rest on the key alone/],
      entries: 13,
    });
  });

  test("a full disk ends the writer with its own error, and loses nothing acknowledged", async ({ skip }) => {
    const dir = newDir();
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", dir]);
    if (mount.status !== 0) skip("needs the right to mount a small tmpfs");
    onTestFinished(() => void spawnSync("umount", [dir]));
    const { ledger } = await openLedger(dir);
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        appendEntries(ledger, 500);
        await ledger.commit();
        kept = ledger.durable;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "LEDGER_FULL", retry: false });
    await expect(ledger.commit()).rejects.toMatchObject({ code: "LEDGER_FULL" });
    expect(() => appendEntries(ledger, 1)).toThrow("no space left");
    await expect(ledger.close()).rejects.toMatchObject({ code: "LEDGER_FULL" });
    expect(kept).toBeGreaterThan(0);
    const copy = await crashed(dir);
    const next = await openLedger(copy);
    expect(next.ledger.size).toBeGreaterThanOrEqual(kept);
    expect(await readAll(next.ledger)).toEqual(textsUpTo(next.ledger.size));
    await next.ledger.close();
  });
});
