// Retention of the ledger: looks now and then for entries that are older than the configuration keeps, records that they go,
// and removes them once that record is signed. What a crash or a failure cut short is gone on with first.
import { hash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { slowly } from "./checks/slow.ts";
import type { Config } from "./config.ts";
import { forEachEntry } from "./core/entry.ts";
import { canonical } from "./core/digest.ts";
import { reasonOf } from "./core/errors.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import { n } from "./core/words.ts";
import { actor } from "./incident/submit.ts";
import type { Ledger } from "./ledger/log.ts";
import { readPruned, tellsOfPrune } from "./ledger/pruned.ts";
import type { PrunePlan } from "./ledger/prune-plan.ts";
import { filesIn } from "./ledger/tree-files.ts";
import type { SelfRecorder } from "./self.ts";

interface Parts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly self: SelfRecorder;
  readonly log: Log;
  /** Every sink, with how far it has come. */
  readonly deliveries: readonly { readonly name: string; readonly cursor: { readonly acked: number } }[];
  readonly pipeline: { record(): Promise<void>; renew(): Promise<void> };
}

export interface RetentionStatus {
  readonly days: number;
  /** Why older entries are still there, if they are. */
  readonly held: string | undefined;
}

const DAY_MS = 86_400_000;

export class Retention {
  readonly #parts: Parts;
  readonly #dir: string;
  readonly #stop = new AbortController();
  #held: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#dir = join(parts.config.state_dir, "ledger");
  }

  /** Undefined where everything is kept. */
  get status(): RetentionStatus | undefined {
    const { days } = this.#parts.config.retention;
    return days === undefined ? undefined : { days, held: this.#held };
  }

  /** Looks until `end`. */
  start(): void {
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { days } = this.#parts.config.retention;
    await this.#trying(() => this.#resume());
    await sleep(LIMITS.check_first_ms, undefined, { signal, ref: false }).catch(() => {});
    while (!signal.aborted) {
      await this.#trying(async () => {
        // One that failed is finished before the next begins: that one starts where this one was to end.
        await this.#resume();
        if (days !== undefined) await this.#prune(days);
      });
      await sleep(LIMITS.prune_ms, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** What cannot be done now is tried again the next time, and said meanwhile. */
  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#held = reasonOf(error);
      this.#parts.log("error", `retention: ${this.#held}`);
    }
  }

  /** Goes on with a removal that was cut short, whether or not the configuration still asks for any. */
  async #resume(): Promise<void> {
    const pruned = await readPruned(filesIn(this.#dir));
    if (pruned === undefined || pruned.from === pruned.first) return;
    const { ledger } = this.#parts;
    const { from, first } = pruned;
    await ledger.pruner.watchingBlobs(async (put) => {
      await ledger.commit();
      const answer = await slowly({ what: "blobs", dir: this.#dir, from, to: first }, this.#stop.signal);
      await ledger.pruner.prune(pruned, answer.blobs!, put);
    });
  }

  async #prune(days: number): Promise<void> {
    const { ledger, pipeline } = this.#parts;
    const before_ms = Date.now() - days * DAY_MS;
    const slowest = this.#parts.deliveries.toSorted((a, b) => a.cursor.acked - b.cursor.acked)[0];
    const free = await ledger.pruner.limit();
    const max = Math.min(free, slowest?.cursor.acked ?? free);
    let aged = 0;
    await ledger.pruner.watchingBlobs(async (put) => {
      await ledger.commit(); // what was appended before can be read in the files
      const ask = { from: ledger.first, max, before_ms };
      const { plan } = await slowly({ what: "prune", dir: this.#dir, ask }, this.#stop.signal);
      aged = plan!.aged;
      await this.#remove(plan!, days, put);
    });
    this.#held = undefined;
    if (aged <= ledger.first) return;
    if (slowest !== undefined && slowest.cursor.acked < free && aged > slowest.cursor.acked)
      this.#held = `${slowest.name} has taken ${n(slowest.cursor.acked)} entries: older ones stay until it has them`;
    // Snapshots and the log stand before what is to go: newer ones let go of it by the next time.
    else if (aged > free) await pipeline.renew();
  }

  async #remove({ to, blobs }: PrunePlan, days: number, put: ReadonlySet<string>): Promise<void> {
    const { ledger } = this.#parts;
    const from = ledger.first;
    if (to <= from) return;
    // Nothing is signed while somebody holds another history, or the signer is away: then nothing is removed either, and
    // no entry says that it was.
    if (!(await ledger.publish(true))) throw new Error("nothing is signed at present: nothing was removed");
    const entry = await this.#tell(from, to, days);
    await ledger.publish();
    if (entry === undefined || ledger.published <= entry)
      throw new Error("the entry that tells of the removal is not signed: nothing was removed");
    await ledger.pruner.prune({ first: to, entry, from }, blobs, put);
  }

  /** Records what goes, and gives the index of that entry, which is durable. */
  async #tell(from: number, to: number, days: number): Promise<number | undefined> {
    const { self, pipeline, ledger, config } = this.#parts;
    const { name, id } = actor();
    const before = ledger.durable;
    self.add("ledger-prune", `entries ${from} to ${to - 1} are removed from the ledger`, (e) => {
      e["event.outcome"] = "success";
      e["event.reason"] = `retention of ${days} days`;
      e["user.name"] = name;
      e["user.id"] = id;
      e["tapline.config.hash"] = `sha256:${hash("sha256", canonical(config))}`;
      e["tapline.prune.from"] = from;
      e["tapline.prune.to"] = to;
    });
    await pipeline.record();
    for (let at = before; at < ledger.durable;) {
      const batch = (await ledger.read(at, LIMITS.sink_batch_entries, LIMITS.sink_batch_bytes))!;
      let found: number | undefined;
      forEachEntry(batch.run, (start, end, position) => {
        if (tellsOfPrune(batch.run.subarray(start, end), to)) found = batch.first + position;
      });
      batch.release?.();
      if (found !== undefined) return found;
      at += batch.count;
    }
    return undefined;
  }
}
