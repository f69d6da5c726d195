// Power cuts at every moment, on a disk that keeps only what was synced, and of the rest whatever it likes: then the
// ledger opens, has every entry that was durable, continues every checkpoint that anybody may have seen, and a sink gets
// each entry once, though its data stream rolled over meanwhile. Sampled in CI, every moment with TAPLINE_FULL=1.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { makeDirs } from "../../src/core/durable.ts";
import { forEachEntry } from "../../src/core/entry.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { EntryBatch, Sink, WriteResult } from "../../src/core/stage.ts";
import { Delivery } from "../../src/deliver.ts";
import { loadDigestKey } from "../../src/keys.ts";
import type { Ledger } from "../../src/ledger/log.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { type DeadLetters, openDeadLetters } from "../../src/sinks/dead-letters.ts";
import { appendEntries, newDir, openLedger, readAll, textsUpTo } from "../ledger/helpers.ts";
import { Disk, EVERYTHING, type Luck, NOTHING } from "./disk.ts";
import { useDisk } from "./disk-calls.ts";
import { randomOf } from "../random.ts";

vi.mock("node:fs/promises", async () => (await import("./disk-calls.ts")).promised);
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  ...(await import("./disk-calls.ts")).called,
}));

const FULL = process.env["TAPLINE_FULL"] === "1";
const SEED = Number(process.env["TAPLINE_SEED"] ?? (FULL ? Date.now() % 1_000_000 : 20_261_129));

// Small steps, so that a short run has many of them.
const SMALL = { cursor_save_ms: 0, resend_entries: 40, sink_batch_entries: 32 };
const USUAL = Object.fromEntries(Object.keys(SMALL).map((key) => [key, LIMITS[key as keyof typeof SMALL]]));
Object.assign(LIMITS, SMALL);
afterAll(() => void Object.assign(LIMITS, USUAL));

interface Stored {
  readonly moment: number;
  readonly index: number;
  readonly text: string;
}

/** A cluster elsewhere, which no power cut here reaches. An id is unique in the write index only. */
class Remote implements Sink {
  readonly stored: Stored[];
  #write_index = 0;
  readonly #moment: () => number;

  constructor(stored: readonly Stored[], moment: () => number) {
    this.stored = [...stored];
    this.#moment = moment;
    if (stored.length > 0) this.#write_index = 1; // it rolled over while the power was off
  }

  open(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  write(batch: EntryBatch, resent: boolean): Promise<WriteResult> {
    const result = { created: 0, existing: 0, dead: [] as WriteResult["dead"][number][], filtered: 0 };
    const run = Buffer.from(batch.run);
    forEachEntry(batch.run, (start, end, position) => {
      const text = run.toString("utf8", start, end);
      const index = batch.first + position;
      const there = ({ text: other, index: place }: Stored): boolean =>
        other === text && (resent || place === this.#write_index);
      if (index % 37 === 5) result.dead.push({ index, id: text, status: 400, reason: "test: refused" });
      else if (this.stored.some(there)) result.existing++;
      else {
        result.created++;
        this.stored.push({ moment: this.#moment(), index: this.#write_index, text });
      }
    });
    return Promise.resolve(result);
  }
}

interface Delivering {
  readonly letters: DeadLetters;
  /** Resolves when the sink has what is durable, and has stopped. */
  drained(): Promise<void>;
}

async function deliver(state: string, ledger: Ledger, sink: Remote): Promise<Delivering> {
  const cursor_dir = join(state, "cursors");
  await makeDirs(cursor_dir);
  const letters = openDeadLetters(state, "cluster");
  const keepDead = letters.append.bind(letters);
  const delivery = new Delivery({ name: "cluster", sink, ledger, cursor_dir, keepDead, log: () => {} });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);
  return {
    letters,
    async drained() {
      await vi.waitFor(() => expect(delivery.cursor.acked).toBe(ledger.durable), {
        timeout: 20_000,
        interval: 2,
      });
      stop.abort();
      await running;
    },
  };
}

interface Mark {
  readonly moment: number;
  readonly durable: number;
}

interface Past {
  readonly disk: Disk;
  readonly marks: readonly Mark[];
  readonly key: string;
  readonly remote: Remote;
}

/** Three runs of what a collector does to its state, on a disk that takes account. */
async function work(home: string): Promise<Past> {
  const disk = new Disk(home);
  useDisk(disk);
  const state = join(home, "state");
  const marks: Mark[] = [];
  const remote = new Remote([], () => disk.moments);
  await makeDirs(state);
  const key = await loadDigestKey(state);
  for (let run = 0; run < 3; run++) {
    const { ledger } = await openLedger(join(state, "ledger"));
    const delivering = await deliver(state, ledger, remote);
    for (let round = 0; round < 4; round++) {
      if (round === 1) ledger.putBlob(`${run}`.repeat(32), Buffer.from(`text ${run}`));
      appendEntries(ledger, 30 + run * 20, { run, round });
      await ledger.commit();
      marks.push({ moment: disk.moments, durable: ledger.durable });
      if (round % 2 === 1) await ledger.publish();
      if (round === 2) await ledger.snapshot(JSON.stringify({ run }));
    }
    await delivering.drained();
    await ledger.close();
  }
  useDisk(undefined);
  return { disk, marks, key, remote };
}

/** Power fails at `moment`, the machine starts again, and everything goes on. */
async function check({ disk, marks, key, remote }: Past, moment: number, luck: Luck): Promise<void> {
  const home = newDir();
  disk.failAt(moment, luck, home);
  const state = join(home, "state");
  await makeDirs(state);
  const durable = marks.findLast((mark) => mark.moment <= moment)?.durable ?? 0;
  const found = await loadDigestKey(state);
  if (durable > 0) expect(found, "the key that entries were digested with").toBe(key);

  const dir = join(state, "ledger");
  const { ledger } = await openLedger(dir);
  expect(ledger.size, "entries that were acknowledged").toBeGreaterThanOrEqual(durable);
  expect(await readAll(ledger)).toEqual(textsUpTo(ledger.size));
  const there = new Remote(
    remote.stored.filter((document) => document.moment <= moment),
    () => 0,
  );
  const delivering = await deliver(state, ledger, there);
  appendEntries(ledger, 3);
  await ledger.commit();
  await delivering.drained();
  await ledger.close();

  const dead = (await delivering.letters.list()).map((letter) => letter.id);
  const everywhere = [...there.stored.map(({ text }) => text), ...dead].toSorted();
  expect(everywhere, "each entry once, at the sink or as a dead letter").toEqual(
    textsUpTo(ledger.size).toSorted(),
  );
  const seen = disk.seenAt(moment, join(disk.root, "state/ledger/checkpoint"));
  const saved = join(home, "seen");
  if (seen !== undefined) writeFileSync(saved, seen);
  const verified = await verifyLedger(dir, { checkpoints: seen === undefined ? [] : [saved] });
  expect(verified.findings).toEqual([]);
}

/** Keeps and cuts as the seed says. */
function chance(seed: number): Luck {
  const random = randomOf(seed);
  return { keeps: () => random() < 0.5, part: () => (random() < 0.5 ? 1 : random()) };
}

test(
  `whenever the power fails, what was durable is there and each entry is shipped once (seed ${SEED})`,
  async () => {
    const past = await work(newDir());
    expect(past.disk.moments).toBeGreaterThan(300);
    expect(past.remote.stored.length).toBeGreaterThan(500);
    const random = randomOf(SEED);
    let cuts = 0;
    for (let moment = 0; moment <= past.disk.moments; moment++) {
      if (!FULL && random() > 60 / past.disk.moments) continue;
      const lucks: Record<string, Luck> = { nothing: NOTHING, everything: EVERYTHING };
      for (let i = 0; i < (FULL ? 6 : 1); i++) lucks[`seed ${SEED + i}`] = chance(SEED + moment * 7 + i);
      for (const [name, luck] of Object.entries(lucks)) {
        cuts++;
        await check(past, moment, luck).catch((error: unknown) => {
          throw new Error(`power cut at ${moment} of ${past.disk.moments}, kept: ${name}`, { cause: error });
        });
      }
    }
    console.log(`${cuts} power cuts over ${past.disk.moments} moments, seed ${SEED}`);
  },
  FULL ? 3_600_000 : 240_000,
);
