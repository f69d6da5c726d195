// The ledger against verifiers that are not ours: Tessera's fsck, and Go's x/mod/sumdb through verify/go.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { proveEntry } from "../../src/ledger/prove.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { appendEntries, newDir, openLedger, textsUpTo } from "./helpers.ts";
import { buildVerifiers, fsckAccepts, goverify, goverifyProof, haveGo } from "./oracle.ts";

/** Appends in frames of the given sizes, saving a checkpoint after each, and closes. */
async function made(frames: readonly number[]): Promise<{ dir: string; saved: string[]; size: number }> {
  const dir = newDir();
  const keep = newDir();
  const saved: string[] = [];
  const { ledger } = await openLedger(dir);
  for (const count of frames) {
    appendEntries(ledger, count);
    await ledger.commit();
    await ledger.publish();
    saved.push(join(keep, String(ledger.size)));
    copyFileSync(join(dir, "checkpoint"), saved.at(-1)!);
  }
  await ledger.close();
  return { dir, saved, size: ledger.size };
}

describe.skipIf(!haveGo)("verifiers that are not ours", () => {
  beforeAll(buildVerifiers, 600_000);

  test.each([1, 2, 255, 256, 257, 513, 65_537])(
    "accept a ledger of %i entries",
    async (size) => {
      const { dir, saved } = await made([size]);
      expect(fsckAccepts(dir)).toBe(true);
      expect(goverify(dir, saved)).toBe(`0 verified ${size} entries and 1 older checkpoints`);
    },
    60_000,
  );

  test("accept a ledger with many checkpoints, each of them a prefix", async () => {
    const frames = Array.from({ length: 60 }, () => Math.floor(Math.random() ** 3 * 900) + 1);
    const { dir, saved, size } = await made(frames);
    expect(fsckAccepts(dir), `frames ${frames.join()}`).toBe(true);
    expect(goverify(dir, saved), `frames ${frames.join()}`).toBe(
      `0 verified ${size} entries and 60 older checkpoints`,
    );
    expect((await verifyLedger(dir, { checkpoints: saved })).findings).toEqual([]);
  }, 60_000);

  test("accept the ledger while it is being written, at its checkpoint", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 700);
    await ledger.commit();
    await ledger.publish();
    appendEntries(ledger, 700);
    await ledger.commit();
    expect(fsckAccepts(dir)).toBe(true);
    expect(goverify(dir)).toMatch(/^0 verified 700 entries/);
    await ledger.close();
  });

  test("refuse a changed byte wherever it is, as we do", async () => {
    const { dir } = await made([600]);
    for (const name of [
      "tile/entries/000",
      "tile/entries/002.p/88",
      "tile/0/001",
      "tile/0/002.p/88",
      "checkpoint",
    ]) {
      const path = join(dir, name);
      const whole = readFileSync(path);
      const changed = Buffer.from(whole);
      changed[31]! ^= 1;
      writeFileSync(path, changed);
      expect(fsckAccepts(dir), name).toBe(false);
      expect(goverify(dir), name).toMatch(/^1 FAILED/);
      expect((await verifyLedger(dir)).findings.length, name).toBeGreaterThan(0);
      writeFileSync(path, whole);
    }
    expect(fsckAccepts(dir)).toBe(true);
  }, 60_000);

  test("bytes after the last entry, which fsck accepts, are refused by the two others", async () => {
    const { dir } = await made([3]);
    const path = join(dir, "tile/entries/000.p/3");
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([0, 1, 65])]));
    expect(fsckAccepts(dir)).toBe(true);
    expect(goverify(dir)).toMatch(/^1 FAILED: .* bytes follow the last entry/);
    expect((await verifyLedger(dir)).findings).toMatchObject([{ message: /has 4 entries, not 3/ }]);
    rmSync(path);
  });

  test("a proof of one entry needs nothing but the key", async () => {
    const { dir, size } = await made([300, 1_000]);
    const reader = openReader(dir);
    const [file, vkey] = [join(newDir(), "event.tlog-proof"), join(dir, "ledger.vkey")];
    for (const index of [0, 255, 256, 1_023, 1_299]) {
      const text = await proveEntry(dir, reader, index);
      writeFileSync(file, text);
      const [entry] = textsUpTo(index + 1, index);
      expect(goverifyProof(file, vkey)).toBe(`0 ${entry}\nverified entry ${index} of ${size}`);
      writeFileSync(file, text.replace(/index \d+/, `index ${index === 7 ? 8 : 7}`));
      expect(goverifyProof(file, vkey)).toMatch(/^1 FAILED/);
    }
    await reader.close();
  });
});
