// One reader of the ledger: a sink with its cursor. Reads ranges, writes them, keeps count; a sink that is down
// lags alone. The cursor file says what was acknowledged and how far an unacknowledged write may have gone.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import assert from "node:assert";
import { backoffMs } from "./core/backoff.ts";
import { TaplineError } from "./core/errors.ts";
import { type Cursor, readCursor, skipPruned, writeCursor } from "./cursor.ts";
import { LIMITS } from "./core/limits.ts";
import type { DeadLetter, EntryBatch, RangeSink, Sink, WriteResult } from "./core/stage.ts";

/** What a sink reads from. The ledger of the running collector, or a read-only one. */
export interface Readable {
  readonly durable: number;
  /** The first entry that was not removed by retention. */
  readonly first: number;
  read(from: number, max_entries: number, max_bytes: number): Promise<EntryBatch | undefined>;
  /** Waits no longer than `most_ms`. */
  waitDurable(beyond: number, signal: AbortSignal, most_ms?: number): Promise<void>;
}

export interface DeliveryParts {
  readonly name: string;
  readonly sink: Sink | RangeSink;
  readonly ledger: Readable;
  readonly cursor_dir: string;
  /** Keeps dead letters; resolves when they are on disk. */
  keepDead(dead: readonly DeadLetter[]): Promise<void>;
  log(level: "info" | "warn" | "error", message: string): void;
}

interface Trouble {
  readonly message: string;
  readonly retry: boolean;
  readonly since_ms: number;
}

interface InFlight {
  readonly first: number;
  readonly end: number;
  readonly done: Promise<WriteResult>;
}

export class Delivery {
  readonly name: string;
  readonly cursor: Cursor = {
    acked: 0,
    sending: 0,
    created: 0,
    existing: 0,
    dead: 0,
    filtered: 0,
    pruned: 0,
  };
  /** Why a call that is under way does not succeed, by call. */
  readonly #troubles = new Map<symbol, Trouble>();
  readonly #parts: DeliveryParts;
  readonly #path: string;
  /** Entries that were durable when this run began: what a run before it may have sent. */
  readonly #inherited: number;
  #resent_before = 0;
  #saved_at = 0;

  /** To be made before anything is appended in this run. */
  constructor(parts: DeliveryParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#path = join(parts.cursor_dir, `${parts.name}.json`);
    this.#inherited = parts.ledger.durable;
  }

  get counts(): Readonly<Record<string, number>> | undefined {
    return "counts" in this.#parts.sink ? this.#parts.sink.counts : undefined;
  }

  /** Why the sink does not move now, if it does not. */
  get trouble(): string | undefined {
    return this.#troubles.values().next().value?.message;
  }

  /** Whether a trouble has outlasted LIMITS.once_trouble_ms, or is none that time heals. */
  get stuck(): boolean {
    const since_ms = Date.now() - LIMITS.once_trouble_ms;
    for (const trouble of this.#troubles.values())
      if (!trouble.retry || trouble.since_ms <= since_ms) return true;
    return false;
  }

  /** Runs until `signal` aborts. Rejects only on a program error and
   * on a cursor that is not this ledger's; trouble with the world is waited out. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#load();
    try {
      await this.#retrying(signal, () => this.#parts.sink.open(signal));
      if ("writeRange" in this.#parts.sink) await this.#runRanges(this.#parts.sink, signal);
      else await this.#runBatches(this.#parts.sink, signal);
      await this.#save();
    } catch (error) {
      // At the stop the world may refuse once more; what was not acknowledged is sent again by the next run.
      if (!signal.aborted || error instanceof assert.AssertionError) throw error;
    } finally {
      await this.#parts.sink.close();
    }
  }

  async #runBatches(sink: Sink, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parts;
    const in_flight: InFlight[] = [];
    let at = this.cursor.acked;
    let known = true;
    while (!signal.aborted) {
      if (in_flight.length < LIMITS.sink_batches_in_flight && at < ledger.durable) {
        const batch = await ledger.read(at, LIMITS.sink_batch_entries, LIMITS.sink_batch_bytes);
        assert(batch !== undefined && batch.first === at, "durable entries can be read");
        at += batch.count;
        await this.#announce(at, signal);
        const done = this.#write(sink, batch, signal);
        done.catch(() => {}); // awaited below, in order
        in_flight.push({ first: batch.first, end: at, done });
      } else if (in_flight.length > 0) known = await this.#acknowledge(in_flight.shift()!, signal);
      else await this.#idle(at, signal);
    }
    for (const write of in_flight) known = (await this.#acknowledge(write, signal)) && known;
    if (known) this.cursor.sending = Math.max(this.cursor.acked, this.#resent_before);
  }

  async #runRanges(sink: RangeSink, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parts;
    while (!signal.aborted) {
      const first = this.cursor.acked;
      if (ledger.durable - first < LIMITS.sink_batch_entries) {
        await this.#idle(first, signal);
        await sleep(LIMITS.range_linger_ms, undefined, { signal }).catch(() => {});
      }
      const end = Math.min(ledger.durable, first + LIMITS.range_entries);
      if (end > first) await this.#range(sink, first, end, signal);
    }
    // What is durable at the end is worth one more range: readers then need no ledger.
    const last = AbortSignal.timeout(LIMITS.stop_ms);
    const end = ledger.durable;
    if (end > this.cursor.acked) await this.#range(sink, this.cursor.acked, end, last);
  }

  async #range(sink: RangeSink, first: number, end: number, signal: AbortSignal): Promise<void> {
    const done = this.#retrying(signal, () => sink.writeRange(first, end, signal));
    await this.#acknowledge({ first, end, done }, signal);
  }

  /** Waits for more. Saves where it stands at most so often: others wait while the disk syncs. */
  async #idle(at: number, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parts;
    const left_ms = Math.ceil(this.#saved_at + LIMITS.cursor_save_ms - performance.now());
    if (left_ms > 0) {
      await ledger.waitDurable(at, signal, left_ms);
      if (ledger.durable > at || signal.aborted) return;
    }
    await this.#retrying(signal, () => this.#save());
    await ledger.waitDurable(at, signal);
  }

  /** Widens the range that a crash would make doubtful, before anything in it is sent. */
  async #announce(end: number, signal: AbortSignal): Promise<void> {
    if (end <= this.cursor.sending) return;
    this.cursor.sending = end + LIMITS.resend_entries;
    await this.#retrying(signal, () => this.#save());
  }

  async #write(sink: Sink, batch: EntryBatch, signal: AbortSignal): Promise<WriteResult> {
    let resent = batch.first < this.#resent_before;
    const result = await this.#retrying(signal, () => {
      const again = resent;
      resent = true;
      return sink.write(batch, again, signal);
    });
    batch.release?.();
    return result;
  }

  /** Takes over what became of a write. False when the stop came first, so that nobody knows. */
  async #acknowledge(write: InFlight, signal: AbortSignal): Promise<boolean> {
    let result: WriteResult;
    try {
      result = await write.done;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
    const { cursor } = this;
    // After a stop in the middle of a write before it, this one stays unacknowledged too.
    if (write.first !== cursor.acked) return false;
    const dead = result.dead.length;
    assert(
      result.created + result.existing + dead + result.filtered === write.end - cursor.acked,
      `${this.name}: every entry of a batch has one fate`,
    );
    if (dead > 0) await this.#retrying(signal, () => this.#parts.keepDead(result.dead));
    cursor.acked = write.end;
    cursor.created += result.created;
    cursor.existing += result.existing;
    cursor.dead += dead;
    cursor.filtered += result.filtered;
    if (performance.now() - this.#saved_at >= LIMITS.cursor_save_ms) {
      await this.#retrying(signal, () => this.#save());
    }
    return true;
  }

  /** Calls until it succeeds, with full jitter; what cannot be retried is reported and tried again slowly. */
  async #retrying<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const call = Symbol(this.name);
    for (let tries = 0; ; tries++) {
      try {
        const value = await attempt();
        this.#troubles.delete(call);
        return value;
      } catch (error) {
        if (!(error instanceof TaplineError) || signal.aborted) throw error;
        const { message, retry } = error;
        const before = this.#troubles.get(call);
        if (before?.message !== message) this.#parts.log("warn", `${this.name}: ${message}`);
        this.#troubles.set(call, { message, retry, since_ms: before?.since_ms ?? Date.now() });
        const wait_ms = retry ? backoffMs(tries) : Math.random() * LIMITS.retry_ms_max;
        await sleep(wait_ms, undefined, { signal }).catch(() => {});
        signal.throwIfAborted();
      }
    }
  }

  async #load(): Promise<void> {
    const { durable, first } = this.#parts.ledger;
    const found = await readCursor(this.#path, durable);
    Object.assign(this.cursor, found);
    skipPruned(this.cursor, first);
    // New, or lost: what a lost cursor knew as written is looked up before it is sent again.
    if (found === undefined) this.cursor.sending = this.#inherited;
    this.#resent_before = this.cursor.sending;
  }

  #save(): Promise<void> {
    this.#saved_at = performance.now();
    return writeCursor(this.#path, this.cursor);
  }
}
