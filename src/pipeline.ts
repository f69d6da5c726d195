// All control flow of the data path: pull batches, hand them to workers, order what comes back, append it, settle
// the source. Sinks read the ledger behind it (deliver.ts). Knows stages only by their contracts.
import assert from "node:assert";
import type { Arrival } from "./detect/correlate.ts";
import type { EngineResult, Rules } from "./engine.ts";
import { Intake } from "./intake.ts";
import type { Lane } from "./lane.ts";
import type { RawBatch } from "./core/stage.ts";
import type { PipelineParts } from "./pipeline-parts.ts";
import { appendBatch, appendOwn } from "./frames.ts";
import { type LaneText, snapshotText } from "./state.ts";
import { LIMITS } from "./core/limits.ts";

interface Dispatched {
  readonly source: string;
  readonly batch: RawBatch;
  /** When it was read, and when everything had been read last. */
  readonly now_ms: number;
  readonly rested_ms: number | null;
  readonly result?: EngineResult;
}

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #intake: Intake;
  readonly #pending = new Map<number, Dispatched>();
  readonly heard = new Set<string>(); // sources that gave records since it was last cleared
  #appended: Dispatched[] = [];
  /** Batches in the commit under way. */
  #writing = 0;
  #dispatched = 0;
  #next = 0;
  /** Sequence number at which ordering waits for a snapshot's state. */
  #held: number | undefined;
  #committing: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Aborts when a stop waits for nobody else any more. */
  readonly #late = new AbortController();
  #wake: () => void = () => {};

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#intake = new Intake(parts);
  }

  /** Batches read and not yet durable. */
  get inFlight(): number {
    return this.#pending.size + this.#appended.length + this.#writing;
  }

  /** Runs until `signal` aborts, or with `once` until every source is drained. Ends with everything durable. */
  async run(signal: AbortSignal, once: boolean): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const stop = (): void => {
      late = setTimeout(() => this.#late.abort(), LIMITS.exchange_stop_ms);
      this.#wake();
    };
    signal.addEventListener("abort", stop, { once: true });
    const tick = setInterval(() => this.#passTime(), LIMITS.correlation_tick_ms);
    try {
      await this.#readAll(signal, once);
    } finally {
      clearInterval(tick);
      clearTimeout(late);
      this.#late.abort();
    }
  }

  async #readAll(signal: AbortSignal, once: boolean): Promise<void> {
    while (!signal.aborted && this.#failure === undefined) {
      if (await this.#intake.round((source, batch) => this.#dispatch(source, batch))) continue;
      if (once && [...this.#parts.sources.values()].every((source) => source.drained)) break;
      // A failure while sources were read woke nobody.
      if (!signal.aborted && this.#failure === undefined) await this.#intake.rest(this.#woken());
    }
    while (this.inFlight > 0 && this.#failure === undefined) await this.#woken();
    await this.#committing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #dispatch(source: string, batch: RawBatch): void {
    const seq = this.#dispatched++;
    const now_ms = this.#parts.now();
    this.#pending.set(seq, { source, batch, now_ms, rested_ms: this.#intake.rested_ms });
    this.#parts.lanes[batch.lane]!.post(seq, batch, now_ms, this.#parts.free.spare());
    // Counted from the last snapshot, not from this start: who is killed again and again would have ever more to read.
    const { size, snapshotted } = this.#parts.ledger;
    if (this.#held === undefined && size - snapshotted >= LIMITS.snapshot_entries) void this.#takeSnapshot();
  }

  #woken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#late.abort();
    this.#wake();
  }

  /** Called by a lane, in its order; batches are appended in the order in which they were read. */
  onResult(seq: number, result: EngineResult): void {
    const dispatched = this.#pending.get(seq);
    assert(dispatched !== undefined, "a result belongs to a batch in flight");
    this.#pending.set(seq, { ...dispatched, result });
    this.#order();
    this.#wake();
  }

  #order(): void {
    // Called from events, where nobody catches what a ledger that has failed meanwhile throws.
    try {
      for (;;) {
        const head = this.#pending.get(this.#next);
        if (head?.result === undefined || this.#next === this.#held) break;
        this.#pending.delete(this.#next);
        this.#next++;
        this.#append(head, head.result);
      }
    } catch (error) {
      return this.fail(error as Error);
    }
    if (this.#appended.length > 0) this.#committing ??= this.#commit();
  }

  #append(dispatched: Dispatched, result: EngineResult): void {
    const { ledger, self } = this.#parts;
    const { source, batch, now_ms, rested_ms } = dispatched;
    const known = (this.#parts.positions[source] ??= {});
    for (const info of batch.streams) if (known[info.id] === undefined) self.stream(info);
    for (const gap of batch.gaps) self.gap(gap);
    if (result.counts.read > 0) this.heard.add(source);
    const arrival = { now_ms, rested_ms, first_index: ledger.size };
    const told = this.#parts.correlating.push(result, arrival, batch.told);
    appendBatch(this.#parts, source, batch, result, told);
    this.#appended.push({ ...dispatched, result });
    for (const alert of result.alerts) this.#parts.onAlert(alert);
  }

  /** Makes what was appended durable, settles it, and goes on while there is more. */
  async #commit(): Promise<void> {
    try {
      while (this.#appended.length > 0) {
        const batches = this.#appended;
        this.#appended = [];
        this.#writing = batches.length;
        await this.#parts.ledger.commit();
        const shared = await this.#share();
        for (const { source, batch } of batches) {
          this.#parts.lanes[batch.lane]!.release();
          if (shared) this.#parts.sources.get(source)!.settle(batch);
        }
        this.#writing = 0;
        this.#parts.onDurable(batches.map((b) => b.result!));
        this.#wake();
      }
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.#committing = undefined;
    }
  }

  /** Sends the group what is durable: what is not there when the stop comes is sent by the next run, and is not settled. */
  #share(): Promise<boolean> {
    const { exchange, ledger } = this.#parts;
    return exchange?.publish(ledger.durable, this.#late.signal) ?? Promise.resolve(true);
  }

  /** Windows end by the clock too, when nothing comes. */
  #passTime(): void {
    if (this.inFlight > 0 || this.#held !== undefined || this.#failure !== undefined) return;
    this.#advance().catch((error: unknown) => this.fail(error as Error));
  }

  async #advance(): Promise<void> {
    const told = this.#parts.correlating.advance(this.#arrival(this.#intake.rested_ms));
    const appended = appendOwn(this.#parts, told);
    const busy = this.#parts.exchange?.busy === true;
    if (appended) await this.#parts.ledger.commit();
    if (!busy) await this.#share();
  }

  /** Of a frame that no batch is in: not later than a batch that is under way. */
  #arrival(rested_ms: number | null): Arrival {
    const now_ms = this.#pending.get(this.#next)?.now_ms ?? this.#parts.now();
    return { now_ms, rested_ms, first_index: this.#parts.ledger.size };
  }

  /** Records the collector's own events. Durable when it resolves. */
  async record(): Promise<void> {
    if (this.#appendOwn()) await this.#parts.ledger.commit();
  }

  #appendOwn(): boolean {
    if (this.#parts.self.out.count === 0) return false;
    // Windows do not end by what the collector says of itself, only when time passes: so a stop ends none.
    return appendOwn(this.#parts, this.#parts.correlating.own(this.#arrival(null)));
  }

  /** Whether rules can be switched now: one cut at a time. */
  get canSwitch(): boolean {
    return this.#held === undefined && this.#failure === undefined;
  }

  /** Takes a snapshot, and begins a segment of the ledger's log with it: what is older is needed no longer by the second
   * time. Does nothing while another cut is being made. */
  async renew(): Promise<void> {
    if (!this.canSwitch) return;
    this.#parts.ledger.pruner.turnLog();
    await this.#takeSnapshot();
  }

  /** Batches from now on meet other rules in every worker, and in `apply`, which runs between the last old and the
   * first new one. The snapshot there keeps a restart from making old calls again under new rules. */
  async switchRules(rules: Rules, apply: () => void): Promise<void> {
    assert(this.canSwitch, "one cut at a time");
    await this.#takeSnapshot((lane) => lane.use(rules), apply);
  }

  /** A consistent cut: ordering stops at one batch until every worker has told its state up to there. */
  async #takeSnapshot(after?: (lane: Lane) => void, apply?: () => void): Promise<void> {
    this.#held = this.#dispatched;
    try {
      const told = this.#parts.lanes.map((lane) => lane.state());
      if (after !== undefined) this.#parts.lanes.forEach(after);
      const states = await Promise.all(told);
      assert(this.#next === this.#held, "every batch before the cut was appended");
      if (apply !== undefined) {
        // What is not in a frame yet was judged by the rules that go.
        this.#appendOwn();
        apply();
      }
      await this.#snapshot(states);
    } catch (error) {
      this.fail(error as Error);
    }
    this.#held = undefined;
    this.#order();
  }

  async #snapshot(states: readonly LaneText[]): Promise<void> {
    const { ledger, self, positions, tally, correlating, policy } = this.#parts;
    const ordered = { positions, tally, ...correlating.state(), policy: policy.recorded };
    const { index, digest } = await ledger.snapshot(snapshotText(ordered, states));
    self.add("snapshot", `snapshot at entry ${index}`, (e) => {
      e["tapline.integrity.tree_size"] = index;
      e["tapline.integrity.snapshot"] = digest;
    });
    await this.record();
  }

  /** The snapshot of a clean stop. Call after `run` has ended. */
  async finalSnapshot(): Promise<void> {
    await this.#snapshot(await Promise.all(this.#parts.lanes.map((lane) => lane.state())));
  }
}
