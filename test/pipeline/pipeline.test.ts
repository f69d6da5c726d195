// The pipeline with sources and workers made for it, over a real ledger: order, settling, snapshots, gaps, failures.
import assert from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { MatchExchange } from "../../src/core/exchange.ts";
import { SharedBuffers } from "../../src/core/shared-buffers.ts";
import type { Gap, Position, RawBatch, Source, StreamInfo } from "../../src/core/stage.ts";
import type { EngineResult, LaneState } from "../../src/engine.ts";
import type { LaneText } from "../../src/state.ts";
import { Correlating } from "../../src/correlating.ts";
import { Correlations } from "../../src/detect/correlate-thread.ts";
import { Candidates, NO_NEWS } from "../../src/incident/candidates.ts";
import { Incidents } from "../../src/incident/grouping.ts";
import { FirstSeen } from "../../src/detect/first-seen.ts";
import { Oversight } from "../../src/detect/oversight.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { Judge } from "../../src/detect/judge.ts";
import { Exchange, Unsent } from "../../src/exchange.ts";
import type { FrameHeader } from "../../src/state.ts";
import type { Lane } from "../../src/lane.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { SessionState } from "../../src/normalise/session.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { recover } from "../../src/recover.ts";
import { SelfRecorder } from "../../src/self.ts";
import type { SnapshotState } from "../../src/state.ts";
import { type Tally, emptyTally } from "../../src/tally.ts";
import { type Document, actionsOf, checkDocument, entriesOf, field } from "../commands/tapline.ts";
import { runOf } from "../ledger/helpers.ts";
import { base, load } from "../detect/correlations.ts";

const never = new AbortController().signal;

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-pipeline-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const open = (dir: string): ReturnType<typeof Ledger.open> =>
  Ledger.open({ dir, origin: "test/pipeline", log: () => {}, checkpoint_ms: 1_000_000 });

interface BatchOptions {
  readonly gaps?: readonly Gap[];
  readonly streams?: readonly StreamInfo[];
  readonly positions?: Record<string, Position | null>;
}

function batchOf(lane: number, text: string, options: BatchOptions = {}): RawBatch {
  const buffer = new Uint8Array(Buffer.from(text));
  return { lane, buffer, segments: [], streams: [], gaps: [], positions: {}, behind_bytes: 0, ...options };
}

/** Hands over batches of each lane in their order; remembers what was settled. */
class FakeSource implements Source {
  readonly settled: RawBatch[] = [];
  readonly #waiting: RawBatch[];
  onSettle: (batch: RawBatch) => void = () => {};

  constructor(batches: readonly RawBatch[]) {
    this.#waiting = [...batches];
  }
  open(): Promise<void> {
    return Promise.resolve();
  }
  read(lane: number): Promise<RawBatch | undefined> {
    const at = this.#waiting.findIndex((batch) => batch.lane === lane);
    return Promise.resolve(at < 0 ? undefined : this.#waiting.splice(at, 1)[0]);
  }
  add(batch: RawBatch): void {
    this.#waiting.push(batch);
  }
  settle(batch: RawBatch): void {
    this.onSettle(batch);
    this.settled.push(batch);
  }
  async wait(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  get drained(): boolean {
    return this.#waiting.length === 0;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

type Work = (lane: FakeLane, batch: RawBatch) => EngineResult;
const sessionOf = (lane: number): string => `session-of-lane-${lane}`;

/** A worker whose session counts its batches. Answers when told, in order, as a worker does. */
class FakeLane {
  in_flight = 0;
  most = 0;
  done = 0;
  readonly number: number;
  readonly #work: Work;
  readonly #jobs: (() => void)[] = [];
  result: (seq: number, result: EngineResult) => void = () => {};

  constructor(number: number, work: Work) {
    this.number = number;
    this.#work = work;
  }
  get free(): boolean {
    return this.in_flight < LIMITS.lanes_in_flight;
  }
  post(seq: number, batch: RawBatch): void {
    this.most = Math.max(this.most, ++this.in_flight);
    this.#jobs.push(() => {
      this.done++;
      this.result(seq, this.#work(this, batch));
    });
  }
  release(): void {
    this.in_flight--;
  }
  state(): Promise<LaneText> {
    const of = (): LaneText => {
      const session = { last_time: String(this.done) };
      return { sessions: JSON.stringify([sessionOf(this.number), session]), flow: "" };
    };
    return new Promise((resolve) => this.#jobs.push(() => resolve(of())));
  }
  readonly restored: (readonly [string, SessionState])[] = [];
  restore({ sessions }: LaneState): void {
    this.restored.push(...sessions);
  }
  retraced = 0;
  retrace(): Promise<void> {
    this.retraced++;
    return Promise.resolve();
  }
  /** Does up to `count` jobs; false when there was none. */
  step(count = 1): boolean {
    const jobs = this.#jobs.splice(0, count);
    for (const job of jobs) job();
    return jobs.length > 0;
  }
}

function resultOf(lane: FakeLane, run: Uint8Array, hashes: Uint8Array): EngineResult {
  const count = hashes.length / 32;
  return {
    run,
    hashes,
    count,
    counts: { read: count, recorded: count, merged: 0, skipped: {}, unparsable: 0 },
    blobs: [],
    sessions: JSON.stringify([[sessionOf(lane.number), { last_time: String(lane.done) }]]),
    alerts: [],
    actions: {},
    evicted: 0,
    values_replaced: 0,
    extracts: { rules: [], extracts: [], streams: [] },
    held: [],
    failures: [],
    sightings: [],
    observations: [],
    incidents: NO_NEWS,
  };
}

const ORIGIN = { namespace: "default", host: "test", version: "0" };
const NO_RULES = {
  set: compileRules([]),
  correlations: { nodes: [], plan: {}, quiet: [], suppresses: false },
};
const noCorrelations = (): Correlations =>
  new Correlations(NO_RULES.correlations, { origin: ORIGIN, ruleset_hash: "", started_ms: 0 });

/** One entry a batch, which holds the batch's text. */
const echo: Work = (lane, batch) => {
  const run = runOf([Buffer.from(JSON.stringify({ text: Buffer.from(batch.buffer).toString() }))]);
  return resultOf(lane, run, leafHashes(run));
};

interface Rig {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly dir: string;
  readonly tally: Tally;
  readonly lanes: readonly FakeLane[];
  readonly self: SelfRecorder;
}

async function rig(
  sources: Record<string, FakeSource>,
  lanes: readonly FakeLane[],
  ledgerOf = (l: Ledger) => l,
  exchange?: Exchange,
  dir: string = newDir(),
): Promise<Rig> {
  const { ledger } = await open(dir);
  onTestFinished(() => ledger.close().catch(() => {}));
  const tally = emptyTally();
  const self = new SelfRecorder(ORIGIN, 0, Date.now, (text) => text.replaceAll("secret", "[REDACTED]"));
  const pipeline = new Pipeline({
    sources: new Map(Object.entries(sources)),
    lanes: lanes as unknown as Lane[],
    ledger: ledgerOf(ledger),
    self,
    free: new SharedBuffers(LIMITS.run_buffer_bytes),
    policy: { take: () => undefined, recorded: {} },
    exchange,
    correlating: new Correlating({
      correlations: noCorrelations(),
      exchange,
      first_seen: new FirstSeen(ORIGIN),
      oversight: new Oversight(ORIGIN, { clients: [], servers: [], spool: false }),
      incidents: new Incidents(ORIGIN, [], []),
      candidates: new Candidates([]),
      judge: new Judge(NO_RULES),
      self,
      onAlert: () => {},
    }),
    positions: {},
    tally,
    now: Date.now,
    onDurable: () => {},
    onAlert: () => {},
  });
  for (const lane of lanes) lane.result = (seq, result) => pipeline.onResult(seq, result);
  return { pipeline, ledger, dir, tally, lanes, self };
}

/** Lets workers answer, each time those and as much as `turn` says, until the pipeline has ended. */
async function drive(
  running: Promise<void>,
  lanes: readonly FakeLane[],
  turn: (round: number) => void,
  flush = 50,
): Promise<void> {
  let ended = false;
  const end = running.finally(() => (ended = true));
  end.catch(() => {});
  for (let round = 0; !ended; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    turn(round);
    if (round % flush === flush - 1) for (const lane of lanes) lane.step(Infinity);
  }
  await end;
}

const texts = async (dir: string): Promise<unknown[]> =>
  (await entriesOf(dir)).map((entry) => entry["text"]).filter((text) => text !== undefined);

test("entries keep the order of reading, whichever of two workers is faster", async () => {
  const batches = Array.from({ length: 40 }, (_, i) => batchOf(i % 2, `b${i}`));
  const source = new FakeSource(batches);
  const lanes = [new FakeLane(0, echo), new FakeLane(1, echo)];
  const { pipeline, ledger, dir } = await rig({ s: source }, lanes);
  const read: string[] = [];
  const post = [lanes[0]!.post.bind(lanes[0]), lanes[1]!.post.bind(lanes[1])];
  lanes.forEach((lane, at) => {
    lane.post = (seq, batch) => {
      read.push(Buffer.from(batch.buffer).toString());
      post[at]!(seq, batch);
    };
  });
  // The second is always ahead, and both in bursts.
  await drive(pipeline.run(never, true), lanes, (round) => {
    lanes[1]!.step(3);
    if (round % 3 === 2) lanes[0]!.step(2);
  });
  await ledger.close();
  expect(read.length).toBe(40);
  expect(await texts(dir)).toEqual(read);
  expect(source.settled.map((batch) => Buffer.from(batch.buffer).toString())).toEqual(read);
  for (const lane of lanes) expect([lane.most, lane.in_flight]).toEqual([LIMITS.lanes_in_flight, 0]);
});

test("a source with a backlog leaves room for what is fresh in another", async () => {
  const fresh = new FakeSource([]);
  const backlog = new FakeSource(Array.from({ length: 200 }, (_, i) => batchOf(0, `old ${i}`)));
  const lane = new FakeLane(0, echo);
  const { pipeline, ledger, dir } = await rig({ backlog, fresh }, [lane]);
  let came_at = Infinity;
  // A worker slower than the disk: its places become free one by one.
  const turn = (): void => {
    const settled = backlog.settled.length + fresh.settled.length;
    if (lane.done === settled) lane.step();
    if (settled < 20 || came_at < Infinity) return;
    fresh.add(batchOf(0, "fresh"));
    came_at = settled;
  };
  await drive(pipeline.run(never, true), [lane], turn, Infinity);
  await ledger.close();
  const read = await texts(dir);
  expect(read.length).toBe(201);
  expect(read.indexOf("fresh")).toBeLessThan(came_at + 2 * LIMITS.lanes_in_flight);
});

test("a batch is settled only when its frame is durable, and never when it cannot be", async () => {
  const source = new FakeSource(Array.from({ length: 8 }, (_, i) => batchOf(0, `b${i}`)));
  const lanes = [new FakeLane(0, echo)];
  let let_go = (): void => {};
  let refuse = false;
  const slow = (ledger: Ledger): Ledger =>
    new Proxy(ledger, {
      get(of, name) {
        if (name === "commit") {
          return async () => {
            await new Promise<void>((resolve) => (let_go = resolve));
            if (refuse) throw new TaplineError("LEDGER_WRITE", "the disk is gone");
            await of.commit();
          };
        }
        const value: unknown = Reflect.get(of, name, of);
        return typeof value === "function" ? (value as () => unknown).bind(of) : value;
      },
    });
  const { pipeline, ledger, dir } = await rig({ s: source }, lanes, slow);
  source.onSettle = () => expect(ledger.durable).toBeGreaterThan(source.settled.length);
  const running = pipeline.run(never, true);
  running.catch(() => {});
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 });
  await soon(() => expect(lanes[0]!.in_flight).toBeGreaterThan(1));
  lanes[0]!.step(2);
  await soon(() => expect(ledger.size).toBe(2));
  await pause();
  expect([source.settled.length, ledger.size, ledger.durable]).toEqual([0, 2, 0]);
  // What is being committed is in flight too.
  expect(lanes[0]!.in_flight).toBeGreaterThan(1);
  expect(pipeline.inFlight).toBe(lanes[0]!.in_flight);
  let_go(); // the commit of the first, which takes the second along
  await soon(() => expect([source.settled.length, ledger.durable]).toEqual([1, 2]));
  expect(pipeline.inFlight).toBe(lanes[0]!.in_flight);
  let_go();
  await soon(() => expect([source.settled.length, ledger.durable]).toEqual([2, 2]));
  lanes[0]!.step(1);
  await soon(() => expect(ledger.size).toBe(3));
  await pause();
  refuse = true;
  let_go();
  await expect(running).rejects.toThrow("the disk is gone");
  expect(source.settled.length).toBe(2);
  const reader = openReader(dir);
  expect((await reader.read(0, 10, 10_000))?.count).toBe(2);
  await reader.close();
});

test("a ledger that has failed meanwhile ends the run with its error, and throws into nobody's event", async () => {
  const source = new FakeSource(Array.from({ length: 8 }, (_, i) => batchOf(0, `b${i}`)));
  const lanes = [new FakeLane(0, echo)];
  let failed = false;
  const failing = (ledger: Ledger): Ledger =>
    new Proxy(ledger, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (failed) throw new TaplineError("LEDGER_WRITE", "publishing a checkpoint: the disk is gone");
          return (value as (...given: unknown[]) => unknown).apply(of, args);
        };
      },
    });
  const { pipeline } = await rig({ s: source }, lanes, failing);
  const running = pipeline.run(never, true);
  running.catch(() => {});
  await vi.waitFor(() => expect(lanes[0]!.in_flight).toBeGreaterThan(1), { timeout: 60_000, interval: 5 });
  failed = true; // by its own timer, while nobody asks it anything
  expect(() => lanes[0]!.step(1)).not.toThrow();
  await expect(running).rejects.toMatchObject({ code: "LEDGER_WRITE" });
});

test("a worker that dies ends the run with its error", async () => {
  const lanes = [new FakeLane(0, echo)];
  const { pipeline } = await rig({ s: new FakeSource([batchOf(0, "a")]) }, lanes);
  const running = pipeline.run(never, true);
  running.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  pipeline.fail(new TaplineError("WORKER_FAILED", "a worker stopped"));
  await expect(running).rejects.toThrow("a worker stopped");
});

test("a worker that dies while another's batch is being read, and a third's queue is full, ends the run too", async () => {
  const source = new FakeSource(Array.from({ length: 8 }, (_, i) => batchOf(0, `b${i}`)));
  const lanes = [new FakeLane(0, echo), new FakeLane(1, echo)];
  const { pipeline } = await rig({ s: source }, lanes);
  const read = source.read.bind(source);
  let full = 0;
  source.read = async (lane) => {
    // The second time nothing else was read in this round, after which the pipeline rests.
    if (lane === 1 && !lanes[0]!.free && ++full === 2)
      pipeline.fail(new TaplineError("WORKER_FAILED", "a worker stopped"));
    return read(lane);
  };
  await expect(pipeline.run(never, false)).rejects.toThrow("a worker stopped");
});

test("a stop waits until what was read is durable and settled, and reads no more", async () => {
  const source = new FakeSource(Array.from({ length: 20 }, (_, i) => batchOf(0, `b${i}`)));
  const lanes = [new FakeLane(0, echo)];
  const { pipeline, ledger } = await rig({ s: source }, lanes);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal, false);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await drive(running, lanes, () => lanes[0]!.step());
  expect([source.settled.length, ledger.durable]).toEqual([LIMITS.lanes_in_flight, LIMITS.lanes_in_flight]);
});

const STREAM: StreamInfo = {
  id: "stream-1",
  source: "s",
  path: "/tmp/fixture/a.jsonl",
  format: "mcp",
  session: "session-1",
  options: undefined,
  capture: { arguments: "redacted", results: "redacted", messages: "redacted", identity: "full" },
  modified_ms: 0,
};

test("gaps and new streams are entries of the frame that moves their position, redacted and within their bound", async () => {
  const gap = (reason: Gap["reason"], head?: string): Gap => ({
    stream: STREAM.id,
    path: STREAM.path,
    reason,
    offset: 7,
    bytes: 11,
    head: head === undefined ? undefined : Buffer.from(head),
  });
  const worst = "\u0000".repeat(LIMITS.raw_bytes);
  const gaps = [
    gap("truncated"),
    gap("line_too_long", `a secret ${"x".repeat(100)}`),
    gap("line_too_long", worst),
  ];
  const first = batchOf(0, "a", { streams: [STREAM], gaps, positions: { [STREAM.id]: { offset: 18 } } });
  const empty = batchOf(0, "", { gaps: [gap("vanished")], positions: { [STREAM.id]: null } });
  const work: Work = (lane, batch) =>
    batch.buffer.length > 0 ? echo(lane, batch) : resultOf(lane, new Uint8Array(0), new Uint8Array(0));
  const lanes = [new FakeLane(0, work)];
  const { pipeline, ledger, dir, tally } = await rig({ s: new FakeSource([first, empty]) }, lanes);
  await drive(pipeline.run(never, true), lanes, () => lanes[0]!.step());
  await ledger.close();
  const entries = await entriesOf(dir);
  const own = entries.filter((entry) => entry["text"] === undefined);
  for (const entry of own) checkDocument(entry);
  const reasons = (all: Document[]) =>
    actionsOf(all, "gap").map((entry) => field(entry, "tapline.gap.reason"));
  expect(reasons(own)).toEqual(["truncated", "line_too_long", "line_too_long", "vanished"]);
  expect(actionsOf(own, "stream-found").map((entry) => field(entry, "tapline.stream"))).toEqual([STREAM.id]);
  const originals = actionsOf(own, "gap").map((entry) => field(entry, "event.original"));
  expect(originals[1]).toMatch(/^a \[REDACTED\] x+$/);
  // Its last part is only looked at: a secret may go on behind it.
  expect(originals[2]).toBe(worst.slice(LIMITS.beyond_chars));
  expect([tally.gaps, tally.events, tally.read]).toEqual([4, entries.length, 1]);

  const { ledger: again, recovered } = await open(dir);
  const frames = [];
  for await (const frame of recovered.frames()) frames.push([frame.count, frame.header["positions"]]);
  expect(frames).toEqual([
    [5, { s: { [STREAM.id]: { offset: 18 } } }],
    [1, { s: { [STREAM.id]: null } }],
  ]);
  await again.close();
});

test("runs that end before their time leave no more to read again than one would", async () => {
  const dir = newDir();
  const count = LIMITS.snapshot_entries / 20;
  const run = runOf(Array.from({ length: count }, (_, i) => Buffer.from(`{"n":${i}}`)));
  const hashes = leafHashes(run);
  const work: Work = (lane) => resultOf(lane, Buffer.from(run), Buffer.from(hashes));
  for (let turn = 1; turn <= 6; turn++) {
    const batches = Array.from({ length: 6 }, (_, i) => batchOf(0, `b${i}`));
    const lanes = [new FakeLane(0, work)];
    const { pipeline, ledger } = await rig({ s: new FakeSource(batches) }, lanes, undefined, undefined, dir);
    await drive(pipeline.run(never, true), lanes, () => lanes[0]!.step(2));
    const { size } = ledger;
    await ledger.close(); // without a last snapshot, as if it were killed
    const { ledger: next, recovered } = await open(dir);
    await next.close();
    expect(size - (recovered.snapshot?.index ?? 0), `turn ${turn}`).toBeLessThan(
      LIMITS.snapshot_entries + 6 * count,
    );
    if (turn === 6) expect(recovered.snapshot).toBeDefined();
  }
});

test("a snapshot is one cut through all workers, and with the log after it gives the state at the end", async () => {
  const PER_BATCH = LIMITS.snapshot_entries / 25;
  const COUNT = Math.ceil((2.4 * LIMITS.snapshot_entries) / PER_BATCH);
  const run = runOf(Array.from({ length: PER_BATCH }, (_, i) => Buffer.from(`{"n":${i}}`)));
  const hashes = leafHashes(run);
  const work: Work = (lane) => resultOf(lane, Buffer.from(run), Buffer.from(hashes));
  const batches = Array.from({ length: COUNT }, (_, i) =>
    batchOf(i % 2, `b${i}`, { positions: { [`stream-${i % 2}`]: { batches: Math.floor(i / 2) + 1 } } }),
  );
  const lanes = [new FakeLane(0, work), new FakeLane(1, work)];
  const { pipeline, ledger, dir, tally, self } = await rig({ s: new FakeSource(batches) }, lanes);
  let beats = 0;
  await drive(pipeline.run(never, true), lanes, (round) => {
    lanes[0]!.step(2);
    if (round % 4 === 3) lanes[1]!.step(1 + (round % 3));
    if (round % 20 !== 0) return;
    // The collector's own entries come in between, as heartbeats do.
    self.add("heartbeat", "beat");
    beats++;
    void pipeline.record();
  });
  await ledger.close();
  const { findings, entries } = await verifyLedger(dir);
  expect([findings, entries]).toEqual([[], tally.events]);

  const { ledger: again, recovered } = await open(dir);
  onTestFinished(() => again.close());
  const { index, state } = recovered.snapshot as { index: number; state: SnapshotState };
  expect(index).toBeGreaterThan(2 * LIMITS.snapshot_entries);
  // Positions, counters and sessions of the snapshot speak of the same batches, and of no others.
  const done = [0, 1].map((lane) => Number(state.positions["s"]![`stream-${lane}`]!["batches"]));
  expect(state.sessions.toSorted()).toEqual(
    done.map((count, lane) => [sessionOf(lane), { last_time: String(count) }]),
  );
  expect(state.tally.read).toBe((done[0]! + done[1]!) * PER_BATCH);
  expect(state.tally.events).toBe(index);

  const fresh = [0, 1].map((lane) => new FakeLane(lane, () => assert.fail("no batch comes")));
  const end = await recover({
    recovered,
    key: "00".repeat(32),
    lanes: fresh as unknown as Lane[],
    first_seen: new FirstSeen(ORIGIN),
    policy: { resume: () => {} },
    oversight: new Oversight(ORIGIN, { clients: [], servers: [], spool: false }),
    incidents: new Incidents(ORIGIN, [], []),
    openCorrelations: noCorrelations,
  });
  expect(end.positions).toEqual({
    s: { "stream-0": { batches: Math.ceil(COUNT / 2) }, "stream-1": { batches: Math.floor(COUNT / 2) } },
  });
  expect(end.tally).toEqual(tally);
  const restored = fresh.flatMap((lane) => lane.restored);
  expect(restored.map(([id, session]) => [id, session.last_time]).toSorted()).toEqual(
    lanes.map((lane) => [sessionOf(lane.number), String(lane.done)]),
  );
  const all = await tailOf(dir, index);
  expect(actionsOf(all, "snapshot").map((entry) => field(entry, "tapline.integrity.tree_size"))).toEqual([
    index,
  ]);
  expect(beats).toBeGreaterThan(2);
});

/** Entries from `index` on. */
async function tailOf(dir: string, index: number): Promise<Document[]> {
  const reader = openReader(dir);
  const all: Document[] = [];
  for (;;) {
    const batch = await reader.read(index + all.length, 4096, 8 << 20);
    if (batch === undefined) break;
    for (let at = 0; at < batch.run.length;) {
      const end = at + 2 + ((batch.run[at]! << 8) | batch.run[at + 1]!);
      all.push(JSON.parse(Buffer.from(batch.run.subarray(at + 2, end)).toString()) as Document);
      at = end;
    }
  }
  await reader.close();
  return all;
}

/** A group that takes what it is sent when it is told to. */
class FakeGroup implements MatchExchange {
  readonly reading = [];
  readonly total = 0;
  readonly judging = [];
  back_ms = 0;
  readonly sent: string[] = [];
  /** Undefined: it does not answer. */
  answer: "yes" | "no" | undefined = "yes";
  #waiting: (() => void)[] = [];

  async send(matches: readonly { readonly key: string; readonly text: string }[]): Promise<void> {
    while (this.answer === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.answer === "no") throw new TaplineError("KAFKA_UNREACHABLE", "nobody is there", { retry: true });
    for (const { text } of matches) this.sent.push((JSON.parse(text) as { event: string }).event);
  }

  say(answer: "yes" | "no"): void {
    this.answer = answer;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

const shared = load(
  `${base("a")}title: two\ncorrelation: {type: event_count, rules: [a], group-by: user.name, timespan: 1m, condition: {gte: 2}}\n`,
);
const exchangeWith = (group: MatchExchange, unsent = new Unsent(undefined)): Exchange =>
  new Exchange({
    group,
    correlations: shared.set,
    from_ms: 0,
    unsent: unsent.state,
    log: () => {},
    origin: ORIGIN,
    ruleset_hash: "",
  });

/** One entry a batch, on which the rule matches. */
const matching: Work = (lane, batch) => {
  const { hash } = shared.rules.rules[0]!.rule;
  const fields = shared.set.plan[hash]!;
  const values = fields.map((name) => (name === "user.name" ? "ann" : null));
  const event = Buffer.from(batch.buffer).toString();
  const extracts = [{ rule: 0, time_ms: 1_000, event, entry: 0, values, backfill: false }];
  return { ...echo(lane, batch), extracts: { rules: [{ rule: hash, fields }], extracts, streams: [] } };
};

test("a batch is settled when what matched in it was sent, which is when it is durable", async () => {
  const source = new FakeSource(Array.from({ length: 2 }, (_, i) => batchOf(0, `b${i}`)));
  const lanes = [new FakeLane(0, matching)];
  const group = new FakeGroup();
  const { pipeline, ledger } = await rig({ s: source }, lanes, undefined, exchangeWith(group));
  group.answer = undefined;
  source.onSettle = (batch) => expect(group.sent).toContain(Buffer.from(batch.buffer).toString());
  const running = pipeline.run(never, true);
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 });
  await soon(() => expect(lanes[0]!.in_flight).toBe(2));
  lanes[0]!.step(2);
  await soon(() => expect(ledger.durable).toBe(2));
  expect([source.settled.length, group.sent.length, pipeline.inFlight]).toEqual([0, 0, 2]);
  group.say("yes");
  await running;
  expect([source.settled.length, group.sent]).toEqual([2, ["b0", "b1"]]);
  await ledger.close();
});

test("what cannot be sent before the stop is not settled, and the next run sends it", async () => {
  const source = new FakeSource([batchOf(0, "b0"), batchOf(0, "b1")]);
  const lanes = [new FakeLane(0, matching)];
  const group = new FakeGroup();
  const { pipeline, ledger, dir } = await rig({ s: source }, lanes, undefined, exchangeWith(group));
  const stop = new AbortController();
  const running = pipeline.run(stop.signal, false);
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 });
  await soon(() => expect(lanes[0]!.in_flight).toBe(2));
  lanes[0]!.step();
  await soon(() => expect(source.settled.length).toBe(1));
  group.answer = "no";
  lanes[0]!.step();
  await soon(() => expect(ledger.durable).toBe(2));
  stop.abort();
  await running;
  expect([source.settled.length, group.sent, pipeline.inFlight]).toEqual([1, ["b0"], 0]);
  await ledger.close();
  // As a start does after a crash: what frames hold, but for what a later one says was sent.
  const again = await open(dir);
  const unsent = new Unsent(undefined);
  for await (const frame of again.recovered.frames()) {
    const { exchange } = frame.header as unknown as FrameHeader;
    if (exchange !== undefined) unsent.add(exchange, frame.first);
  }
  const next = new FakeGroup();
  await exchangeWith(next, unsent).publish(again.ledger.durable, never);
  expect(next.sent).toEqual(["b1"]);
  await again.ledger.close();
});

test("what others tell leaves a frame only when something comes of it", async () => {
  const group = new FakeGroup();
  const exchange = exchangeWith(group);
  const rule = shared.rules.rules[0]!.rule.hash;
  const about = { now_ms: 1_000, rested_ms: null, first_index: -1 };
  const fields = shared.set.plan[rule]!;
  const values = fields.map((name) => (name === "user.name" ? "ann" : null));
  const extracts = ["x", "y"].map((event) => ({
    rule: 0,
    time_ms: 1_000,
    event,
    entry: 0,
    values,
    backfill: false,
  }));
  const told = exchange
    .offer({ rules: [{ rule, fields }], extracts, streams: [] }, about)!
    .out.map(({ text }, i) => ({ stream: "m", bytes: Buffer.from(text), fresh: i === 0, again: false }));
  const toldBatch = (which: number): RawBatch => ({
    ...batchOf(0, ""),
    positions: { m: { offset: which + 1 } },
    left_out: { merged: 0, skipped: { match: 1 } },
    told: [told[which]!],
  });
  const source = new FakeSource([toldBatch(0)]);
  const nothing: Work = (lane) => resultOf(lane, new Uint8Array(), new Uint8Array());
  const lanes = [new FakeLane(0, nothing)];
  const { pipeline, ledger, dir, tally } = await rig({ s: source }, lanes, undefined, exchangeWith(group));
  await drive(pipeline.run(never, true), lanes, () => void lanes[0]!.step());
  expect([source.settled.length, tally.read, ledger.size]).toEqual([1, 0, 0]);
  source.add(toldBatch(1));
  await drive(pipeline.run(never, true), lanes, () => void lanes[0]!.step());
  await ledger.close();
  expect([source.settled.length, tally.read, tally.alerts]).toEqual([2, 1, 1]);
  expect(actionsOf(await entriesOf(dir), "rule-alert").length).toBe(1);
});
