// Delivery with sinks and a ledger made for it: who lags lags alone, what a crash leaves in doubt is looked up, every
// entry has one fate, and nothing is acknowledged before its dead letters are kept.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { DeadLetter, EntryBatch, RangeSink, Sink, WriteResult } from "../../src/core/stage.ts";
import type { Cursor } from "../../src/cursor.ts";
import { Delivery, type DeliveryParts } from "../../src/deliver.ts";

const BATCH = LIMITS.sink_batch_entries;

/** A ledger whose entries are all `{}`. */
class FakeLedger {
  durable: number;
  first = 0;
  #wake: (() => void)[] = [];

  constructor(durable: number) {
    this.durable = durable;
  }

  read(first: number, entries: number): Promise<EntryBatch | undefined> {
    const count = Math.min(this.durable - first, entries);
    if (count <= 0) return Promise.resolve(undefined);
    const run = Buffer.alloc(count * 4, Buffer.from([0, 2, 0x7b, 0x7d]));
    return Promise.resolve({ first, count, run, hashes: new Uint8Array(count * 32) });
  }

  async waitDurable(beyond: number, signal: AbortSignal, most_ms = 60_000): Promise<void> {
    const end = AbortSignal.any([signal, AbortSignal.timeout(most_ms)]);
    while (this.durable <= beyond && !end.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        end.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  grow(count: number): void {
    this.durable += count;
    for (const wake of this.#wake.splice(0)) wake();
  }
}

interface Written {
  readonly first: number;
  readonly end: number;
  readonly resent: boolean;
}
const allNew = ({ count }: EntryBatch): WriteResult => ({
  created: count,
  existing: 0,
  dead: [],
  filtered: 0,
});

class FakeSink implements Sink {
  readonly written: Written[] = [];
  closed = 0;
  fate: (batch: EntryBatch, attempt: number, signal: AbortSignal) => WriteResult | Promise<WriteResult> =
    allNew;

  open(): Promise<void> {
    return Promise.resolve();
  }
  async write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    this.written.push({ first: batch.first, end: batch.first + batch.count, resent });
    return this.fate(batch, this.written.length, signal);
  }
  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-deliver-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

interface Started {
  readonly delivery: Delivery;
  readonly log: string[];
  stop(): Promise<void>;
}

function start(
  ledger: FakeLedger,
  sink: Sink | RangeSink,
  dir: string,
  more: Partial<DeliveryParts> = {},
): Started {
  const log: string[] = [];
  const delivery = new Delivery({
    name: "sink",
    sink,
    ledger,
    cursor_dir: dir,
    keepDead: () => Promise.resolve(),
    log: (_, message) => void log.push(message),
    ...more,
  });
  const abort = new AbortController();
  const running = delivery.run(abort.signal);
  running.catch(() => {});
  const stop = (): Promise<void> => {
    abort.abort();
    return running;
  };
  // A test that failed may have left the delivery waiting for something that never comes.
  onTestFinished(() => Promise.race([stop().catch(() => {}), sleep(1_000)]));
  return { delivery, log, stop };
}

/** The cursor of a sink that took nothing yet; entries up to `sending` may have been written. */
function begin(dir: string, sending = 0): void {
  const cursor: Cursor = { acked: 0, sending, created: 0, existing: 0, dead: 0, filtered: 0, pruned: 0 };
  writeFileSync(join(dir, "sink.json"), JSON.stringify(cursor));
}

const saved = (dir: string): Cursor => JSON.parse(readFileSync(join(dir, "sink.json"), "utf8")) as Cursor;
const until = (what: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(what()).toBe(true), { timeout: 10_000, interval: 5 });
const lawOf = ({ cursor }: Delivery): number =>
  cursor.created + cursor.existing + cursor.dead + cursor.filtered;
const unavailable = (retry: boolean) => new TaplineError("SINK_TEST", retry ? "busy" : "refused", { retry });

afterEach(() => vi.restoreAllMocks());

test("a sink that does not answer lags alone", async () => {
  const ledger = new FakeLedger(5 * BATCH);
  const stuck = new FakeSink();
  stuck.fate = (_, __, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(unavailable(true))));
  const free = new FakeSink();
  const lagging = start(ledger, stuck, newDir());
  const going = start(ledger, free, newDir());
  await until(() => going.delivery.cursor.acked === 5 * BATCH);
  ledger.grow(10);
  await until(() => going.delivery.cursor.acked === 5 * BATCH + 10);
  expect(lagging.delivery.cursor.acked).toBe(0);
  expect(stuck.written.length).toBe(LIMITS.sink_batches_in_flight);
  await lagging.stop();
  expect([lagging.delivery.cursor.acked, stuck.closed]).toEqual([0, 1]);
});

test("trouble that a retry cannot mend shows, is tried again slowly, and goes when it is mended", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.01); // 300 ms for what cannot be retried; 2.5, 5, 10, … ms for what can
  const attempts = async (retry: boolean): Promise<number> => {
    const sink = new FakeSink();
    let mended = false;
    sink.fate = (batch) => {
      if (mended) return allNew(batch);
      throw unavailable(retry);
    };
    const { delivery, log } = start(new FakeLedger(10), sink, newDir());
    await until(() => delivery.trouble !== undefined);
    expect(delivery.trouble).toBe(retry ? "busy" : "refused");
    await sleep(700);
    const count = sink.written.length;
    expect(log).toEqual([`sink: ${delivery.trouble}`]);
    mended = true;
    await until(() => delivery.cursor.acked === 10);
    expect(delivery.trouble).toBe(undefined);
    expect(sink.written.map((write) => write.resent).slice(1)).not.toContain(false);
    return count;
  };
  const [slow, fast] = await Promise.all([attempts(false), attempts(true)]);
  expect(slow).toBeLessThanOrEqual(4);
  expect(fast).toBeGreaterThan(slow);
});

test("trouble of one write stays visible while another succeeds", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.01);
  const sink = new FakeSink();
  sink.fate = (batch) => {
    if (batch.first === 0) throw unavailable(false);
    return allNew(batch);
  };
  const { delivery } = start(new FakeLedger(2 * BATCH), sink, newDir());
  await until(() => sink.written.some((write) => write.first === BATCH));
  await sleep(50);
  expect([delivery.trouble, delivery.cursor.acked]).toEqual(["refused", 0]);
});

test("after a crash exactly the doubtful range is sent as resent", async () => {
  const ledger = new FakeLedger(12 * BATCH);
  const dir = newDir();
  const first = new FakeSink();
  // Everything arrives, but the third answer never does: the cursor on disk is then behind what was written.
  first.fate = (batch, attempt, signal) =>
    attempt < 3
      ? allNew(batch)
      : new Promise((_, reject) => signal.addEventListener("abort", () => reject(unavailable(true))));
  begin(dir);
  const life = start(ledger, first, dir);
  await until(() => first.written.length >= 4 && life.delivery.cursor.acked >= BATCH);
  const crashed = newDir();
  copyFileSync(join(dir, "sink.json"), join(crashed, "sink.json"));
  const { acked, sending } = saved(crashed);
  const reached = Math.max(...first.written.map((write) => write.end));
  expect(sending).toBeGreaterThanOrEqual(reached);
  expect(acked).toBeLessThan(reached);
  expect(sending).toBeLessThan(ledger.durable);

  const second = new FakeSink();
  const next = start(ledger, second, crashed);
  await until(() => next.delivery.cursor.acked === ledger.durable);
  expect(second.written[0]!.first).toBe(acked);
  for (const write of second.written)
    expect(write.resent, `entries from ${write.first}`).toBe(write.first < sending);
  expect(second.written.some((write) => !write.resent)).toBe(true);
});

test("a clean stop leaves no doubt about what was not sent, and keeps the doubt that there was", async () => {
  const dir = newDir();
  const ledger = new FakeLedger(100);
  const sink = new FakeSink();
  begin(dir);
  const life = start(ledger, sink, dir);
  await until(() => life.delivery.cursor.acked === 100);
  await life.stop();
  expect(saved(dir)).toMatchObject({ acked: 100, sending: 100, created: 100 });
  ledger.grow(50);
  const next = start(ledger, sink, dir);
  await until(() => next.delivery.cursor.acked === 150);
  await next.stop();
  expect(sink.written).toEqual([
    { first: 0, end: 100, resent: false },
    { first: 100, end: 150, resent: false },
  ]);

  begin(dir, 90);
  const empty = start(new FakeLedger(0), new FakeSink(), dir);
  await sleep(20);
  await empty.stop();
  expect(saved(dir)).toMatchObject({ acked: 0, sending: 90 });
});

test("a lost cursor: everything that was there is looked up, also when the first run after it crashes", async () => {
  const dir = newDir();
  const ledger = new FakeLedger(12 * BATCH);
  const sink = new FakeSink();
  sink.fate = (_, __, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(unavailable(true))));
  const life = start(ledger, sink, dir);
  await until(() => sink.written.length > 0);
  await life.stop();
  const again = new FakeSink();
  const next = start(ledger, again, dir);
  await until(() => next.delivery.cursor.acked === ledger.durable);
  ledger.grow(1);
  await until(() => next.delivery.cursor.acked === ledger.durable);
  expect(again.written.slice(0, -1).every((write) => write.resent)).toBe(true);
  expect(again.written.at(-1)!.resent).toBe(false);
});

test("a first run looks nothing up, whatever is recorded before its sink is ready", async () => {
  const ledger = new FakeLedger(0);
  const sink = new FakeSink();
  const life = start(ledger, sink, newDir());
  ledger.grow(7);
  await until(() => life.delivery.cursor.acked === 7);
  await life.stop();
  expect(sink.written.map((write) => write.resent)).not.toContain(true);
});

test("each entry has one fate, in memory and on disk, over restarts", async () => {
  const dir = newDir();
  const ledger = new FakeLedger(0);
  for (let life = 0; life < 4; life++) {
    const sink = new FakeSink();
    sink.fate = ({ first, count }, attempt) => {
      if (attempt % 3 === 0) throw unavailable(true);
      const existing = Math.floor(count / 3);
      const filtered = Math.floor(count / 5);
      const dead = Math.min(3, count - existing - filtered);
      const letters = Array.from({ length: dead }, (_, i): DeadLetter => ({
        index: first + i,
        id: "",
        status: 400,
        reason: "",
      }));
      return { created: count - existing - filtered - dead, existing, dead: letters, filtered };
    };
    const { delivery, stop } = start(ledger, sink, dir);
    for (let i = 0; i < 5; i++) {
      ledger.grow(1 + ((life * 37 + i * 911) % 6000));
      await sleep(5);
      expect(lawOf(delivery)).toBe(delivery.cursor.acked);
    }
    await until(() => delivery.cursor.acked === ledger.durable);
    await stop();
    expect(saved(dir)).toEqual(delivery.cursor);
    expect(lawOf(delivery)).toBe(ledger.durable);
  }
});

test("a sink whose fates do not add up is a program error, and moves no cursor", async () => {
  const sink = new FakeSink();
  sink.fate = ({ count }) => ({ created: count - 1, existing: 0, dead: [], filtered: 0 });
  const dir = newDir();
  const { delivery } = start(new FakeLedger(10), new FakeSink(), newDir());
  await until(() => delivery.cursor.acked === 10);
  const wrong = new Delivery({
    name: "sink",
    sink,
    ledger: new FakeLedger(10),
    cursor_dir: dir,
    keepDead: () => Promise.resolve(),
    log: () => {},
  });
  await expect(wrong.run(new AbortController().signal)).rejects.toThrow(/one fate/);
  expect([wrong.cursor.acked, sink.closed]).toEqual([0, 1]);
});

test("dead letters are on disk before the cursor moves; while they cannot be kept, it does not", async () => {
  const dir = newDir();
  begin(dir);
  const sink = new FakeSink();
  const letters = [{ index: 3, id: "x", status: 400, reason: "no" }];
  sink.fate = ({ count }) => ({ created: count - 1, existing: 0, dead: letters, filtered: 0 });
  let full = true;
  let finish = (): void => {};
  const keepDead = async (dead: readonly DeadLetter[]): Promise<void> => {
    expect(dead).toEqual(letters);
    if (full) throw new TaplineError("DLQ_FULL", "the file is full", { retry: true });
    await new Promise<void>((resolve) => (finish = resolve));
  };
  vi.spyOn(Math, "random").mockReturnValue(0.01);
  const { delivery, stop } = start(new FakeLedger(10), sink, dir, { keepDead });
  await until(() => delivery.trouble === "the file is full");
  expect([delivery.cursor.acked, delivery.cursor.dead]).toEqual([0, 0]);
  full = false;
  await sleep(LIMITS.cursor_save_ms);
  expect([delivery.cursor.acked, saved(dir).acked]).toEqual([0, 0]);
  finish();
  await until(() => delivery.cursor.acked === 10);
  expect([delivery.cursor.created, delivery.cursor.dead, delivery.trouble]).toEqual([9, 1, undefined]);
  await stop();
  expect(saved(dir)).toMatchObject({ acked: 10, dead: 1 });
});

test("entries that trickle in do not each wait for a cursor; where it rests is saved soon", async () => {
  const dir = newDir();
  begin(dir);
  const ledger = new FakeLedger(1);
  const { delivery } = start(ledger, new FakeSink(), dir);
  await until(() => delivery.cursor.acked === 1);
  const seen = new Set<string>();
  const begun = performance.now();
  for (let entry = 2; entry <= 20; entry++) {
    ledger.grow(1);
    await until(() => delivery.cursor.acked === entry);
    seen.add(readFileSync(join(dir, "sink.json"), "utf8"));
  }
  expect(seen.size).toBeLessThanOrEqual(3 + (performance.now() - begun) / LIMITS.cursor_save_ms);
  await until(() => saved(dir).acked === 20);
});

test("a stop while a write is under way keeps its range doubtful", async () => {
  const dir = newDir();
  begin(dir);
  const sink = new FakeSink();
  sink.fate = (_, __, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(unavailable(true))));
  const { stop } = start(new FakeLedger(10), sink, dir);
  await until(() => sink.written.length > 0);
  await stop();
  expect(saved(dir)).toMatchObject({ acked: 0 });
  expect(saved(dir).sending).toBeGreaterThanOrEqual(10);
});

test("a stop while the first of two writes is in trouble acknowledges neither, and closes the sink", async () => {
  const dir = newDir();
  const sink = new FakeSink();
  sink.fate = (batch) => {
    if (batch.first === 0) throw unavailable(true);
    return allNew(batch);
  };
  const { delivery, stop } = start(new FakeLedger(2 * BATCH), sink, dir);
  await until(() => sink.written.some((write) => write.first === BATCH));
  await stop();
  expect([delivery.cursor.acked, sink.closed]).toEqual([0, 1]);
  expect(saved(dir)).toMatchObject({ acked: 0 });
  expect(saved(dir).sending).toBeGreaterThanOrEqual(2 * BATCH);
});

test.each([
  ["CURSOR_AHEAD", { acked: 11, sending: 11, created: 11, existing: 0, dead: 0, filtered: 0 }],
  ["CURSOR_UNREADABLE", { acked: "0" }],
  ["CURSOR_UNREADABLE", { acked: -1, sending: 0, created: 0, existing: 0, dead: 0, filtered: 0 }],
])(
  "%s: a cursor that is not this ledger's stops the delivery instead of skipping entries",
  async (code, cursor) => {
    const dir = newDir();
    writeFileSync(join(dir, "sink.json"), JSON.stringify(cursor));
    const sink = new FakeSink();
    const delivery = new Delivery({
      name: "sink",
      sink,
      ledger: new FakeLedger(10),
      cursor_dir: dir,
      keepDead: () => Promise.resolve(),
      log: () => {},
    });
    await expect(delivery.run(new AbortController().signal)).rejects.toMatchObject({ code });
    expect(sink.written).toEqual([]);
  },
);

test("a cursor that cannot be written holds the sending back, and says so", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.01);
  const dir = newDir();
  begin(dir);
  mkdirSync(join(dir, "sink.json.tmp"));
  const sink = new FakeSink();
  const { delivery } = start(new FakeLedger(10), sink, dir);
  await until(() => delivery.trouble !== undefined);
  expect(delivery.trouble).toContain("cannot write");
  expect(delivery.cursor.acked).toBe(0);
  rmSync(join(dir, "sink.json.tmp"), { recursive: true });
  await until(() => delivery.cursor.acked === 10);
});

class FakeRanges implements RangeSink {
  readonly ranges: [number, number][] = [];
  failing = false;
  open(): Promise<void> {
    return Promise.resolve();
  }
  writeRange(first: number, end: number): Promise<WriteResult> {
    if (this.failing) return Promise.reject(unavailable(true));
    this.ranges.push([first, end]);
    return Promise.resolve({ created: end - first, existing: 0, dead: [], filtered: 0 });
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

test("ranges follow each other, within their bound, and a stop takes what is left", async () => {
  const ledger = new FakeLedger(2 * LIMITS.range_entries + 7);
  const sink = new FakeRanges();
  const { delivery, stop } = start(ledger, sink, newDir());
  await until(() => sink.ranges.length >= 2);
  ledger.grow(5);
  await stop();
  const { durable } = ledger;
  expect(sink.ranges.map(([first]) => first)).toEqual([0, ...sink.ranges.map(([, end]) => end)].slice(0, -1));
  expect(sink.ranges.at(-1)![1]).toBe(durable);
  for (const [first, end] of sink.ranges) expect(end - first).toBeLessThanOrEqual(LIMITS.range_entries);
  expect([delivery.cursor.acked, delivery.cursor.created]).toEqual([durable, durable]);
});

test(
  "a range that cannot be written does not hold a stop up for ever",
  { timeout: 3 * LIMITS.stop_ms },
  async () => {
    const sink = new FakeRanges();
    sink.failing = true;
    const { delivery, stop } = start(new FakeLedger(BATCH), sink, newDir());
    await until(() => delivery.trouble !== undefined);
    await stop();
    expect([delivery.cursor.acked, delivery.trouble]).toEqual([0, "busy"]);
  },
);

test("it is stuck when trouble lasts, or at once when a retry cannot mend it", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.05);
  for (const retry of [true, false]) {
    const sink = new FakeSink();
    let healed = false;
    sink.fate = (batch) => {
      if (!healed) throw unavailable(retry);
      return allNew(batch);
    };
    const { delivery, stop } = start(new FakeLedger(1), sink, newDir());
    expect(delivery.stuck).toBe(false);
    await until(() => delivery.trouble !== undefined);
    expect(delivery.stuck).toBe(!retry);
    const later = Date.now() + LIMITS.once_trouble_ms + 1_000;
    const clock = vi.spyOn(Date, "now").mockReturnValue(later);
    expect(delivery.stuck).toBe(true);
    clock.mockRestore();
    healed = true;
    await until(() => !delivery.stuck);
    await stop();
  }
});
