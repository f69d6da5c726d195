// The ledger as its writer uses it: append, commit, read, snapshot, restart, lock, key, checkpoints, blobs.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { openCheckpoint } from "../../src/ledger/checkpoint.ts";
import type { Frame } from "../../src/ledger/frame.ts";
import type { Recovered } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { parseVerifier } from "../../src/ledger/note.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import {
  ORIGIN,
  appendEntries,
  crashed,
  newDir,
  openLedger,
  readAll,
  runOf,
  textsUpTo,
  walOf,
} from "./helpers.ts";

async function framesOf(recovered: Recovered): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of recovered.frames()) frames.push(frame);
  return frames;
}

describe("Ledger", () => {
  test("gives entries back in order, from memory and from files, across restarts", async () => {
    const dir = newDir();
    let total = 0;
    for (const counts of [[1], [255, 1], [300, 7, 0, 900], [3]]) {
      const { ledger } = await openLedger(dir);
      expect(ledger.size).toBe(total);
      for (const count of counts) appendEntries(ledger, count);
      expect(ledger.durable).toBe(total);
      await ledger.commit();
      for (const count of counts) total += count;
      expect(ledger.durable).toBe(total);
      expect(await readAll(ledger)).toEqual(textsUpTo(total));
      expect(await readAll(ledger, total - 1, 1, 1)).toEqual(textsUpTo(total, total - 1));
      expect(await ledger.read(total, 1, 1)).toBeUndefined();
      await ledger.close();
      await ledger.close();
      expect(await verifyLedger(dir)).toMatchObject({ findings: [], entries: total, size: total });
    }
  });

  test("what was not committed is not readable, and commit makes all of it durable", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 5);
    expect(await ledger.read(0, 10, 1_000)).toBeUndefined();
    const lost = await crashed(dir);
    await Promise.all([ledger.commit(), ledger.commit()]);
    const kept = await crashed(dir);
    await ledger.close();
    expect((await openLedger(lost)).ledger.size).toBe(0);
    expect((await openLedger(kept)).ledger.size).toBe(5);
  });

  test("rebuilds from the newest valid snapshot and the frames after it, each frame once", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 600, { frame: 0 });
    appendEntries(ledger, 0, { frame: 1 });
    expect(await ledger.snapshot(JSON.stringify({ until: 2 }))).toMatchObject({ index: 600 });
    appendEntries(ledger, 0, { frame: 2 });
    appendEntries(ledger, 10, { frame: 3 });
    await ledger.snapshot(JSON.stringify({ until: 4 }));
    appendEntries(ledger, 1, { frame: 4 });
    await ledger.commit();
    const copy = await crashed(dir);
    await ledger.close();

    const next = await openLedger(dir);
    expect(next.recovered.snapshot).toEqual({ index: 610, state: { until: 4 } });
    expect((await framesOf(next.recovered)).map((frame) => frame.header)).toEqual([{ frame: 4 }]);
    expect(next.recovered.cut).toBeUndefined();
    await next.ledger.close();

    const newest = join(copy, "snapshots", "00000000000000000610.json");
    writeFileSync(newest, readFileSync(newest, "utf8").replace('"until":4', '"until":5'));
    const older = await openLedger(copy);
    expect(older.recovered.snapshot).toEqual({ index: 600, state: { until: 2 } });
    expect((await framesOf(older.recovered)).map((frame) => frame.header)).toEqual(
      [2, 3, 4].map((frame) => ({ frame })),
    );
    await older.ledger.close();
  });

  test("removes segments that two snapshots and durable tiles have made needless, and no others", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    const per = LIMITS.wal_segment_entries / 16;
    for (let i = 0; i < 40; i++) {
      const run = Buffer.alloc(per * 2 + 2 * per, 0);
      for (let at = 0, n = 0; at < run.length; at += 4, n++) run.writeUInt32BE((2 << 16) | (n & 0xffff), at);
      ledger.append({ run, count: per, hashes: leafHashes(run), header: JSON.stringify({ i }) });
      await ledger.commit();
    }
    expect(walOf(dir).length).toBe(3);
    await ledger.publish();
    await ledger.snapshot(JSON.stringify({ at: 1 }));
    expect(walOf(dir).length).toBe(3);
    appendEntries(ledger, 1);
    await ledger.publish();
    await ledger.snapshot(JSON.stringify({ at: 2 }));
    const kept = walOf(dir).length; // the first snapshot may have come before its tiles were durable
    await ledger.close();
    const again = await openLedger(dir);
    expect(again.ledger.size).toBe(40 * per + 1);
    expect(await framesOf(again.recovered)).toEqual([]);
    appendEntries(again.ledger, 1);
    await again.ledger.publish();
    await again.ledger.snapshot(JSON.stringify({ at: 3 }));
    appendEntries(again.ledger, 1);
    await again.ledger.snapshot(JSON.stringify({ at: 4 }));
    expect(walOf(dir)).toEqual([expect.stringMatching(/^0*524288\.wal$/)]);
    expect(kept).toBeLessThanOrEqual(3);
    await again.ledger.close();
    expect((await verifyLedger(dir)).findings).toEqual([]);
    const last = await openLedger(dir);
    expect(last.recovered.snapshot?.state).toEqual({ at: 4 });
    await last.ledger.close();
  });

  test("has one writer; the lock of a dead process is taken over", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    await expect(openLedger(dir)).rejects.toMatchObject({ code: "LEDGER_LOCKED" });
    await ledger.close();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    for (const stale of [`${dead} 12345 abc\n`, `${process.pid} 1 abc\n`, "", "garbage"]) {
      writeFileSync(join(dir, "lock"), stale);
      await (await openLedger(dir)).ledger.close();
      expect(readdirSync(dir).filter((name) => name.startsWith("lock"))).toEqual([]);
    }
  });

  test("makes its key once, for its owner only, and refuses one that others can read", async () => {
    const dir = newDir();
    const open = async (): Promise<void> => (await openLedger(dir)).ledger.close();
    await open();
    const key = join(dir, "ledger.key");
    const text = readFileSync(key, "utf8");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(parseVerifier(readFileSync(join(dir, "ledger.vkey"), "utf8")).name).toBe(ORIGIN);
    await open();
    expect(readFileSync(key, "utf8")).toBe(text);
    chmodSync(key, 0o640);
    await expect(open()).rejects.toMatchObject({ code: "LEDGER_KEY" });
    chmodSync(key, 0o600);
    await expect(openLedger(dir, { origin: "other.example" })).rejects.toMatchObject({ code: "LEDGER_KEY" });
    await expect(openLedger(newDir(), { origin: "two words" })).rejects.toMatchObject({ code: "LEDGER_KEY" });
  });

  test("publishes on its timer, and keeps partial tiles of the last two checkpoints only", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir, { checkpoint_ms: 5 });
    const verifier = parseVerifier(readFileSync(join(dir, "ledger.vkey"), "utf8"));
    for (let i = 1; i <= 6; i++) {
      appendEntries(ledger, 50);
      await ledger.commit();
      while (ledger.published < i * 50) await new Promise((resolve) => setTimeout(resolve, 2));
      expect(openCheckpoint(readFileSync(join(dir, "checkpoint"), "utf8"), verifier)).toMatchObject({
        size: i * 50,
      });
    }
    // A checkpoint counts as published a moment before the partial tiles of an older one are gone.
    await expect.poll(() => readdirSync(join(dir, "tile/entries/000.p"))).toEqual(["250"]);
    expect(readdirSync(join(dir, "tile/entries/001.p"))).toEqual(["44"]);
    await ledger.close();
    await (await openLedger(dir)).ledger.close();
    expect(existsSync(join(dir, "tile/entries/000.p"))).toBe(false);
  });

  test("waits for durable entries until there are some, the signal aborts, or it closes", async () => {
    const { ledger } = await openLedger(newDir());
    const never = new AbortController();
    let woken = 0;
    const note = (): number => woken++;
    const stop = new AbortController();
    const [one, two, three] = [0, 3, 3].map((n, i) => {
      const signal = i === 2 ? stop.signal : never.signal;
      return ledger.waitDurable(n, signal).then(note);
    });
    appendEntries(ledger, 3);
    expect(woken).toBe(0);
    await ledger.commit();
    await one;
    expect(woken).toBe(1);
    stop.abort();
    await three;
    expect(woken).toBe(2);
    await ledger.close();
    await two;
    await ledger.waitDurable(100, never.signal);
  });

  test("waits for durable entries no longer than it may", async () => {
    const { ledger } = await openLedger(newDir());
    await ledger.waitDurable(0, new AbortController().signal, 1);
    expect(ledger.durable).toBe(0);
    await ledger.close();
  });

  test("blobs are there before the entries that name them, and after a restart", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    const digest = "ab".repeat(16);
    const entry = Buffer.from(`{"tapline":{"blob":{"fields":["f"],"digests":["${digest}"],"bytes":[5]}}}`);
    const run = runOf([entry]);
    ledger.putBlob(digest, Buffer.from("hello"));
    ledger.append({ run, count: 1, hashes: leafHashes(run), header: "{}" });
    expect(Buffer.from((await ledger.getBlob(digest))!).toString()).toBe("hello");
    await ledger.close();
    const next = (await openLedger(dir)).ledger;
    expect(Buffer.from((await next.getBlob(digest))!).toString()).toBe("hello");
    expect(await next.getBlob("cd".repeat(16))).toBeUndefined();
    expect(await next.getBlob("../../ledger.key")).toBeUndefined();
    await next.close();
    expect((await verifyLedger(dir)).findings).toEqual([]);
    const path = join(dir, "blobs/ab", digest);
    truncateSync(path, 4);
    expect((await verifyLedger(dir)).findings).toMatchObject([{ index: 0, message: /has 4 bytes, not 5/ }]);
    rmSync(path);
    expect((await verifyLedger(dir)).findings).toMatchObject([{ index: 0, message: /is missing/ }]);
  });
});
