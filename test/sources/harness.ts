// A stand-in for pipeline and ledger: takes batches in turn from all lanes, keeps what was settled, forgets the rest
// in a crash. Used by all tests of sources.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Component, Context, Gap, Position, RawBatch, Router, Source } from "../../src/core/stage.ts";
import { LIMITS } from "../../src/core/limits.ts";

export const LANES = 2;

export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), "tapline-source-"));
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

export function testRouter(): Router {
  return {
    lanes: LANES,
    probe: (head, _path, named) => {
      if (head.length > LIMITS.probe_bytes) throw new Error("a longer head than promised");
      return { format: named ?? "lines", session: undefined };
    },
    laneOf: (session) => session.charCodeAt(0) % LANES,
    sessionIn: () => undefined,
  };
}

export function testContext(dir: string, warnings: string[] = [], now: () => number = Date.now): Context {
  return {
    name: "test",
    state_dir: dir,
    origin: "tapline/test",
    now,
    log: (level, message, fields) => {
      if (level === "warn" || level === "error") warnings.push(`${message} ${JSON.stringify(fields ?? {})}`);
    },
  };
}

export interface Got {
  readonly stream: string;
  readonly offset: number;
  readonly text: string;
}

/** Checks a batch against the contract and tells its records. `known` is what the worker of each lane was told. */
export function recordsOf(batch: RawBatch, known: Set<string>): Got[] {
  const got: Got[] = [];
  const here = (id: string): string => `${batch.lane} ${id}`;
  for (const { id, framing } of batch.streams) {
    // Again before its first record, where a gap left with whichever lane came first.
    if (known.has(`records of ${id}`)) throw new Error(`stream ${id} announced twice`);
    known.add(here(id)).add(id);
    if (framing === "block") known.add(`blocks of ${id}`);
  }
  for (const gap of batch.gaps) if (!known.has(gap.stream)) throw new Error("a gap of an unknown stream");
  let last = 0;
  let bytes = 0;
  const buffer = Buffer.from(batch.buffer.buffer, batch.buffer.byteOffset, batch.buffer.length);
  for (const segment of batch.segments) {
    if (!known.has(here(segment.stream)))
      throw new Error("a segment of a stream that its worker does not know");
    known.add(`records of ${segment.stream}`);
    if (segment.start < last || segment.end <= segment.start || segment.end > buffer.length) {
      throw new Error("segments overlap or are empty");
    }
    if (!(segment.stream in batch.positions)) throw new Error("a segment without a position");
    last = segment.end;
    bytes += segment.end - segment.start;
    let from = segment.start;
    while (from < segment.end) {
      const at = buffer.indexOf(10, from);
      const end = at < 0 || at >= segment.end ? segment.end : at + 1;
      got.push({
        stream: segment.stream,
        offset: segment.offset + from - segment.start,
        text: buffer.toString("utf8", from, end),
      });
      from = end;
    }
  }
  // Its worker forgets a stream that has ended.
  for (const [id, position] of Object.entries(batch.positions)) if (position === null) known.delete(here(id));
  // Lines of a block are one record.
  const isBlock = batch.segments.length === 1 && known.has(`blocks of ${batch.segments[0]!.stream}`);
  if (bytes > LIMITS.batch_bytes && got.length > 1 && !isBlock) throw new Error("a batch is too large");
  if (batch.segments.length > LIMITS.batch_segments) throw new Error("too many segments");
  return got;
}

export class Bench {
  source!: Source;
  readonly warnings: string[] = [];
  readonly positions = new Map<string, Position>();
  readonly records: Got[] = [];
  readonly gaps: Gap[] = [];
  readonly batches: RawBatch[] = [];
  /** How far the source's clock is ahead of ours: lets time pass at once, however slow the machine is. */
  ahead_ms = 0;
  #announced = new Set<string>();
  #in_flight: { batch: RawBatch; got: Got[] }[] = [];
  readonly #make: () => Source;
  readonly #router: Router;

  constructor(make: (context: Context) => Source, dir: string, router: Router = testRouter()) {
    const context = testContext(dir, this.warnings, () => Date.now() + this.ahead_ms);
    this.#make = () => make(context);
    this.#router = router;
  }

  async open(): Promise<this> {
    this.source = this.#make();
    this.#announced = new Set();
    // Positions went through JSON on their way to the ledger and back.
    const positions = JSON.parse(JSON.stringify([...this.positions])) as [string, Position][];
    await this.source.open(new Map(positions), this.#router);
    return this;
  }

  /** One batch of each lane, if there is one. */
  async read(): Promise<boolean> {
    let any = false;
    for (let lane = 0; lane < LANES; lane++) {
      const batch = await this.source.read(lane);
      if (batch === undefined) continue;
      if (batch.lane !== lane) throw new Error("a batch of another lane");
      any = true;
      this.#in_flight.push({ batch, got: recordsOf(batch, this.#announced) });
    }
    return any;
  }

  settle(): void {
    for (const { batch, got } of this.#in_flight) {
      for (const [stream, position] of Object.entries(batch.positions)) {
        if (position === null) this.positions.delete(stream);
        else this.positions.set(stream, position);
      }
      this.records.push(...got);
      this.gaps.push(...batch.gaps);
      this.batches.push(batch);
      this.source.settle(batch);
    }
    this.#in_flight = [];
  }

  async crash(): Promise<void> {
    await this.source.close();
    this.#in_flight = [];
    await this.open();
  }

  /** Reads and settles until nothing has come for `quiet_ms` and several looks at the files. */
  async rest(quiet_ms = 120): Promise<this> {
    const polls = (): number => (this.source as unknown as { counts: { polls: number } }).counts.polls;
    let quiet = Date.now();
    let looks = polls();
    while (Date.now() - quiet < quiet_ms || polls() - looks < 4) {
      if (await this.read()) [quiet, looks] = [Date.now(), polls()];
      else await sleep(5);
      this.settle();
    }
    return this;
  }

  /** Reads and settles until the source says that it has handed over everything. */
  async drain(): Promise<this> {
    const deadline = Date.now() + 100_000;
    while (!this.source.drained) {
      if (!(await this.read())) await this.source.wait(AbortSignal.timeout(1_000));
      this.settle();
      if (Date.now() > deadline) throw new Error("never drained");
    }
    return this;
  }

  get texts(): string[] {
    return this.records.map((record) => record.text);
  }
}

/** A component with its configuration parsed, as `pipeline` makes it. */
export function maker(component: Component<never, Source>, config: object): (context: Context) => Source {
  const parsed = (component.config as { parse(input: unknown): never }).parse(config);
  return (context) => component.create(parsed, context);
}
