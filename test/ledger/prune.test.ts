// Retention: entries and blobs before a limit go, hash tiles stay, and whatever was proven stays proven. Cut short at every
// change of the disk, it is gone on with; and bundles that are gone without an entry that says so are told.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { parseVerifier } from "../../src/ledger/note.ts";
import { checkProof } from "../../src/ledger/proof-file.ts";
import { proveEntry } from "../../src/ledger/prove.ts";
import { type PrunePlan, blobsOnlyBefore, planPrune } from "../../src/ledger/prune-plan.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { walk } from "../../src/ledger/walk.ts";
import { crashed, newDir, openLedger, readAll } from "./helpers.ts";
import { buildVerifiers, goverify, haveGo } from "./oracle.ts";
import {
  A_DAY,
  DAY_MS,
  SHARED,
  START_MS,
  UPSTREAM,
  announced,
  append,
  digestOf,
  filesOf,
  grown,
  ownText,
  pruneEntry,
  say,
} from "./pruning.ts";

const NOBODY: ReadonlySet<string> = new Set();
const blobOf = (text: string): string => join("blobs", digestOf(text).slice(0, 2), digestOf(text));

async function planned(dir: string, before_ms: number, max = Infinity): Promise<PrunePlan> {
  const reader = openReader(dir);
  try {
    return await planPrune(reader, { from: await reader.first(), max, before_ms });
  } finally {
    await reader.close();
  }
}

async function findings(dir: string): Promise<string[]> {
  return (await verifyLedger(dir, { digest: digestOf })).findings.map(({ message }) => message);
}

beforeAll(() => {
  if (haveGo) buildVerifiers();
}, 600_000);

describe("what goes", () => {
  test("whole bundles of entries that are all old enough, and blobs that nothing later names", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 2_000, 1_200);
    // Day 8 begins at entry 800: the bundles before 768 are all older.
    const plan = await planned(dir, START_MS + 8 * DAY_MS);
    expect([plan.to, plan.aged]).toEqual([768, 768]);
    const own = Array.from({ length: 768 }, (_, i) => i).filter((i) => i % 50 === 7);
    expect(plan.blobs.toSorted()).toEqual(own.map((i) => digestOf(ownText(i))).toSorted());
    // Held back by who needs them.
    expect(await planned(dir, START_MS + 8 * DAY_MS, 700)).toMatchObject({ to: 512, aged: 768 });
    expect(await planned(dir, START_MS)).toEqual({ to: 0, aged: 0, blobs: [] });
    await ledger.close();
  });

  test("an entry whose clock ran ahead keeps what comes after it", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    await append(ledger, 300);
    await say(ledger, { event: { created: "2030-01-01T00:00:00.000Z" } });
    await append(ledger, 600);
    expect((await planned(dir, START_MS + 8 * DAY_MS)).to).toBe(256);
    await ledger.close();
  });

  test("hash tiles, proofs and the rest stay; nothing reads what is gone", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 2_000, 1_200);
    const reader = openReader(dir);
    const proof = await proveEntry(dir, reader, 300);
    const saved = join(newDir(), "1.checkpoint");
    copyFileSync(join(dir, "checkpoint"), saved);
    const before = filesOf(dir);
    const { blobs } = await planned(dir, START_MS + 8 * DAY_MS);
    await ledger.pruner.prune(await announced(ledger, 768), blobs, NOBODY);

    const gone = before.filter((path) => !existsSync(join(dir, path)));
    const expected = [
      ...blobs.map((digest) => join("blobs", digest.slice(0, 2), digest)),
      ...["000", "001", "002"].map((name) => join("tile/entries", name)),
    ];
    // Partial tiles of the checkpoint before come and go by themselves.
    expect(gone.filter((path) => !path.includes(".p/"))).toEqual(expected.toSorted());
    expect(existsSync(join(dir, blobOf(SHARED)))).toBe(true);
    expect(JSON.parse(readFileSync(join(dir, "pruned"), "utf8"))).toEqual({
      version: 1,
      first: 768,
      entry: 2_000,
      from: 768,
    });

    const result = await verifyLedger(dir, { digest: digestOf, checkpoints: [saved] });
    expect(result).toMatchObject({ findings: [], first: 768, size: 2_001 });
    expect(result.notes).toContain(
      "entries before 768 were removed by retention; their hashes are there, and entry 2000 says so",
    );
    const verifier = parseVerifier(readFileSync(join(dir, "ledger.vkey"), "utf8"));
    expect(checkProof(proof, { verifier, witnesses: [] }).wrong).toEqual([]);
    expect(checkProof(await proveEntry(dir, reader, 900), { verifier, witnesses: [] }).wrong).toEqual([]);
    await expect(proveEntry(dir, reader, 300)).rejects.toMatchObject({ code: "ENTRY_PRUNED" });
    await expect(reader.read(767, 1, 1_000)).rejects.toMatchObject({ code: "ENTRY_PRUNED" });
    await expect(ledger.read(767, 1, 1_000)).rejects.toMatchObject({ code: "ENTRY_PRUNED" });
    let next = 768;
    for await (const batch of walk(reader)) {
      expect(batch.first).toBe(next);
      next += batch.count;
    }
    expect(next).toBe(2_001);
    await reader.close();
    await ledger.close();

    // It starts again, goes on, and is pruned further.
    const again = await openLedger(dir);
    expect(again.ledger.first).toBe(768);
    await append(again.ledger, 99);
    expect((await readAll(again.ledger, 768)).length).toBe(2_100 - 768);
    await again.ledger.pruner.prune(await announced(again.ledger, 1_024), [], NOBODY);
    expect(await findings(dir)).toEqual([]);
    await again.ledger.close();
  });

  test.skipIf(!haveGo)(
    "a verifier that is not ours begins where the ledger does, and asks for the entry too",
    async () => {
      const dir = newDir();
      const ledger = await grown(dir, 2_000, 1_200);
      const saved = join(newDir(), "1.checkpoint");
      copyFileSync(join(dir, "checkpoint"), saved);
      await ledger.pruner.prune(await announced(ledger, 768), [], NOBODY);
      await ledger.close();
      expect(goverify(dir, [saved])).toMatch(
        /^0 verified 2001 entries, those from 768 on with their content/,
      );
      const pruned = join(dir, "pruned");
      writeFileSync(pruned, readFileSync(pruned, "utf8").replace('"entry":2000', '"entry":1999'));
      expect(goverify(dir)).toMatch(
        /^1 FAILED: entry 1999 does not say that entries before 768 were removed/,
      );
      rmSync(pruned);
      expect(goverify(dir)).toMatch(/^1 FAILED/);
    },
  );

  test("a blob that is put again while it is looked for stays", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 2_000, 1_200);
    await ledger.pruner.watchingBlobs(async (put) => {
      const { blobs } = await planned(dir, START_MS + 8 * DAY_MS);
      ledger.putBlob(digestOf(ownText(7)), Buffer.from(ownText(7)));
      await ledger.commit();
      await ledger.pruner.prune(await announced(ledger, 768), blobs, put);
    });
    expect(existsSync(join(dir, blobOf(ownText(7))))).toBe(true);
    expect(existsSync(join(dir, blobOf(ownText(57))))).toBe(false);
    await ledger.close();
  });

  test("blobs that are put are noted while they are looked for, and no longer", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    let noted: ReadonlySet<string> = new Set();
    const failed = ledger.pruner.watchingBlobs(async (put) => {
      noted = put;
      ledger.putBlob(digestOf(ownText(7)), Buffer.from(ownText(7)));
      throw new Error("the look failed");
    });
    await expect(failed).rejects.toThrow("the look failed");
    ledger.putBlob(digestOf(ownText(57)), Buffer.from(ownText(57)));
    expect([...noted]).toEqual([digestOf(ownText(7))]);
    await ledger.close();
  });

  test("never beyond a snapshot, the log, or what is signed", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    await append(ledger, 1_000);
    expect(await ledger.pruner.limit()).toBe(0);
    await ledger.snapshot("{}");
    await append(ledger, 300);
    await ledger.snapshot("{}");
    // Two snapshots, and the log still begins at the first entry.
    expect(await ledger.pruner.limit()).toBe(0);
    ledger.pruner.turnLog();
    await append(ledger, 300);
    await ledger.snapshot("{}");
    await append(ledger, 300);
    await ledger.snapshot("{}");
    expect(await ledger.pruner.limit()).toBe(1_300);
    const pruned = await announced(ledger, 1_280);
    await expect(ledger.pruner.prune({ ...pruned, first: 1_536 }, [], NOBODY)).rejects.toThrow(
      "somebody needs",
    );
    await expect(ledger.pruner.prune({ ...pruned, entry: ledger.size }, [], NOBODY)).rejects.toThrow(
      "is signed",
    );
    expect(await findings(dir)).toEqual([]);
    await ledger.close();
  });
});

describe("cut short", () => {
  /** A step at which everything ends. */
  class Killed extends Error {}

  test("at every change of the disk, it verifies, starts again, and is gone on with to the same end", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 1_700, 1_200);
    const { blobs } = await planned(dir, START_MS + 8 * DAY_MS);
    const pruned = await announced(ledger, 768);
    await ledger.close();
    const whole = await crashed(dir);
    const steps: string[] = [];
    const first = await openLedger(whole);
    await first.ledger.pruner.prune(pruned, blobs, NOBODY, (what) => steps.push(what));
    await first.ledger.close();
    const expected = filesOf(whole);
    expect(steps.length).toBeGreaterThan(blobs.length + 6);

    for (let end = 0; end < steps.length; end++) {
      const copy = await crashed(dir);
      const cut = await openLedger(copy);
      let at = 0;
      const kill = (): void => {
        if (at++ === end) throw new Killed(`at ${steps[end]}`);
      };
      await expect(cut.ledger.pruner.prune(pruned, blobs, NOBODY, kill)).rejects.toThrow();
      const left = await crashed(copy);
      expect([end, steps[end], await findings(left)]).toEqual([end, steps[end], []]);
      const resumed = await openLedger(left);
      // Before the file `pruned` is there, nothing was removed.
      const plan = await planned(left, START_MS + 8 * DAY_MS);
      expect(resumed.ledger.first).toBe(end === 0 ? 0 : 768);
      expect(end === 0 ? plan.to : 768).toBe(768);
      // What is to go is looked for again in what is left, as a collector does that starts then.
      const reader = openReader(left);
      const again = await blobsOnlyBefore(reader, pruned.from, pruned.first);
      await reader.close();
      await resumed.ledger.pruner.prune(pruned, again, NOBODY);
      await resumed.ledger.close();
      await cut.ledger.close();
      expect([end, filesOf(left)]).toEqual([end, expected]);
      expect([end, await findings(left)]).toEqual([end, []]);
    }
  }, 600_000);
});

describe("attacks", () => {
  async function prunable(): Promise<string> {
    const dir = newDir();
    const ledger = await grown(dir, 1_700, 1_200);
    await ledger.close();
    return dir;
  }
  const remove = (dir: string, count: number): void => {
    for (let i = 0; i < count; i++) rmSync(join(dir, `tile/entries/00${i}`));
  };
  const claim = (dir: string, first: number, entry: number): void =>
    writeFileSync(join(dir, "pruned"), JSON.stringify({ version: 1, first, entry, from: first }));

  test("bundles that are removed and not told of are missing", async () => {
    const dir = await prunable();
    remove(dir, 2);
    expect(await findings(dir)).toEqual(["tile/entries/000 is missing", "tile/entries/001 is missing"]);
  });

  test("a file that says so is not enough: the entry has to", async () => {
    const dir = await prunable();
    remove(dir, 2);
    for (const entry of [600, 1_699, 5_000]) {
      claim(dir, 512, entry);
      expect(await findings(dir)).toEqual([
        `entries before 512 are missing, and entry ${entry} does not say that they were removed`,
      ]);
    }
    writeFileSync(join(dir, "pruned"), "{}");
    expect((await findings(dir)).length).toBe(3);
  });

  test("more than the entry says is missing, and an entry of somebody's records is none", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 1_700, 1_200);
    const { entry } = await announced(ledger, 512);
    const forged = { ...pruneEntry(0, 768), tapline: { vantage: "transcript", prune: { from: 0, to: 768 } } };
    const other = await say(ledger, forged);
    // What another collector said of its own ledger, as a central one records it.
    const foreign = { ...pruneEntry(0, 768), tapline: { ...pruneEntry(0, 768).tapline, upstream: UPSTREAM } };
    const host = await say(ledger, foreign);
    await ledger.close();
    remove(dir, 3);
    claim(dir, 512, entry);
    expect(await findings(dir)).toEqual(["tile/entries/002 is missing"]);
    claim(dir, 768, entry);
    expect((await findings(dir))[0]).toMatch(/^entries before 768 are missing, and entry \d+ does not say/);
    for (const one of [other, host]) {
      claim(dir, 768, one);
      expect((await findings(dir))[0]).toMatch(/^entries before 768 are missing/);
    }
    if (haveGo) expect(goverify(dir)).toMatch(/^1 FAILED: entry \d+ does not say that entries before 768/);
  });

  test("a hash tile that is changed or removed before the limit is found", async () => {
    const dir = newDir();
    const ledger = await grown(dir, 1_700, 1_200);
    await ledger.pruner.prune(await announced(ledger, 768), [], NOBODY);
    await ledger.close();
    const tile = join(dir, "tile/0/001");
    const bytes = readFileSync(tile);
    const changed = Buffer.from(bytes);
    changed[40]! ^= 1;
    writeFileSync(tile, changed);
    expect((await findings(dir)).length).toBeGreaterThan(0);
    rmSync(tile);
    expect(await findings(dir)).toContain("tile/0/001 is missing");
    writeFileSync(tile, bytes);
    expect(await findings(dir)).toEqual([]);
  });
});

test("any ages, any limit: no young entry goes, and what is left is what was there", async () => {
  const seed = fc.record({
    entries: fc.integer({ min: 900, max: 1_600 }),
    day: fc.integer({ min: 0, max: 20 }),
    max: fc.nat(1_600),
  });
  await fc.assert(
    fc.asyncProperty(seed, async ({ entries, day, max }) => {
      const dir = newDir();
      const ledger = await grown(dir, entries, 600);
      const all = await readAll(ledger);
      const limit = Math.min(max, await ledger.pruner.limit());
      const { to, blobs } = await planned(dir, START_MS + day * DAY_MS, limit);
      expect(to % 256).toBe(0);
      expect(to).toBeLessThanOrEqual(Math.min(limit, day * A_DAY));
      expect(to + 256).toBeGreaterThan(Math.min(limit, day * A_DAY));
      if (to > 0) await ledger.pruner.prune(await announced(ledger, to), blobs, NOBODY);
      expect((await readAll(ledger, to)).slice(0, entries - to)).toEqual(all.slice(to));
      expect(await findings(dir)).toEqual([]);
      await ledger.close();
    }),
    { numRuns: 12 },
  );
}, 600_000);
