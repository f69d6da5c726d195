// Our own verifier: accepts what is right, names what is wrong, and from where on.
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { appendEntries, newDir, openLedger } from "./helpers.ts";

/** A closed ledger, with a checkpoint saved at every commit. */
async function made(counts: readonly number[]): Promise<{ dir: string; saved: string[] }> {
  const dir = newDir();
  const keep = newDir();
  const { ledger } = await openLedger(dir);
  const saved: string[] = [];
  for (const count of counts) {
    appendEntries(ledger, count);
    await ledger.commit();
    await ledger.publish();
    saved.push(join(keep, String(ledger.size)));
    copyFileSync(join(dir, "checkpoint"), saved.at(-1)!);
  }
  await ledger.close();
  return { dir, saved };
}

/** Files that the current checkpoint rests on, and the log: not partial ones that a full one has replaced. */
const evidence = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => /^(tile|wal|checkpoint)/.test(name) && statSync(join(dir, name)).isFile())
    .filter((name) => !name.includes(".p/") || !existsSync(join(dir, name.replace(/\.p\/.*/, ""))))
    .toSorted();

describe("verifyLedger", () => {
  test("accepts what the ledger writes, with all its checkpoints", async () => {
    const { dir, saved } = await made([1, 255, 1, 300, 1_000, 2]);
    const seen: number[] = [];
    const result = await verifyLedger(dir, { checkpoints: saved, progress: (entries) => seen.push(entries) });
    expect(result).toEqual({
      findings: [],
      unlisted: 0,
      first: 0,
      root: expect.any(String) as string,
      notes: [],
      entries: 1_559,
      size: 1_559,
      hashes_only: false,
      wrong_from: undefined,
    });
    expect(seen.at(-1)).toBe(1_559);
  });

  test("finds any changed byte of any file", async () => {
    const { dir } = await made([3, 250, 20]);
    for (const name of evidence(dir)) {
      const path = join(dir, name);
      const whole = readFileSync(path);
      const step = Math.max(1, Math.floor(whole.length / 60));
      for (let at = 0; at < whole.length; at += step) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 1 << (at % 8);
        writeFileSync(path, changed);
        expect((await verifyLedger(dir)).findings.length, `${name} at ${at}`).toBeGreaterThan(0);
      }
      writeFileSync(path, whole);
    }
    expect((await verifyLedger(dir)).findings).toEqual([]);
  });

  test("says from which entry on it is wrong", async () => {
    const { dir } = await made([600]);
    const path = join(dir, "tile/entries/001");
    const bundle = readFileSync(path);
    bundle[bundle.length - 1]! ^= 1;
    writeFileSync(path, bundle);
    expect(await verifyLedger(dir)).toMatchObject({
      wrong_from: 511,
      findings: [{ index: 511, file: "tile/entries/001" }],
    });
  });

  test("rejects what is missing, cut short, or follows the last entry", async () => {
    const { dir } = await made([600]);
    for (const name of evidence(dir).filter((file) => !file.startsWith("wal"))) {
      const path = join(dir, name);
      const whole = readFileSync(path);
      for (const change of [
        () => rmSync(path),
        () => writeFileSync(path, whole.subarray(0, -1)),
        () => writeFileSync(path, Buffer.concat([whole, Buffer.from([0, 1, 65])])),
      ]) {
        change();
        expect((await verifyLedger(dir)).findings.length, name).toBeGreaterThan(0);
      }
      writeFileSync(path, whole);
    }
    expect((await verifyLedger(dir)).findings).toEqual([]);
  });

  test("tells truncation and rewriting from saved checkpoints, which the ledger alone cannot show", async () => {
    const { dir, saved } = await made([300, 100]);
    const forged = newDir();
    copyFileSync(join(dir, "ledger.key"), join(forged, "ledger.key"));
    copyFileSync(join(dir, "ledger.vkey"), join(forged, "ledger.vkey"));
    const { ledger } = await openLedger(forged);
    appendEntries(ledger, 300);
    await ledger.commit();
    await ledger.publish();
    const short = newDir();
    await cp(forged, short, { recursive: true });
    const run = Buffer.concat(Array.from({ length: 200 }, () => Buffer.from([0, 2, 123, 125])));
    const { leafHashes } = await import("../../src/ledger/recover.ts");
    ledger.append({ run, count: 200, hashes: leafHashes(run), header: "{}" });
    await ledger.close();
    for (const copy of [short, forged]) expect((await verifyLedger(copy)).findings).toEqual([]);
    expect((await verifyLedger(short, { checkpoints: saved })).findings).toMatchObject([
      { index: 300, message: /^truncated/ },
    ]);
    expect((await verifyLedger(forged, { checkpoints: saved })).findings).toMatchObject([
      { message: /^history was rewritten: the root at 400/ },
    ]);
  });

  test("goes on where the one before ended, and through all of it when what it needs for that is damaged", async () => {
    const { dir } = await made([600]);
    const { size, root } = await verifyLedger(dir);
    const since = { size, root: root! };
    expect((await verifyLedger(dir, { since })).findings).toEqual([]);
    const tile = join(dir, "tile/0/000");
    const bytes = readFileSync(tile);
    writeFileSync(tile, bytes.subarray(1));
    expect((await verifyLedger(dir, { since })).findings).toMatchObject([
      { message: "tile/0/000 has 8191 bytes, not 8192", index: 0 },
    ]);
    rmSync(tile);
    expect((await verifyLedger(dir, { since })).findings).toMatchObject([
      { message: "tile/0/000 is missing", index: 0 },
    ]);
  });

  test("refuses the signature of another key", async () => {
    const [one, two] = [await made([5]), await made([5])];
    const result = await verifyLedger(one.dir, { vkeys: [join(two.dir, "ledger.vkey")] });
    expect(result.findings[0]).toMatchObject({ message: /signature is not valid/ });
    expect((await verifyLedger(newDir())).findings).toMatchObject([{ message: /no Ed25519 verifier key/ }]);
  });

  test("checks entries beyond the checkpoint, and works beside the writer", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 100);
    await ledger.commit();
    await ledger.publish();
    appendEntries(ledger, 700);
    await ledger.commit();
    expect(await verifyLedger(dir)).toMatchObject({
      findings: [],
      notes: [/^all entries rest on the key alone/],
      entries: 800,
      size: 100,
    });
    await ledger.close();
  });
});
