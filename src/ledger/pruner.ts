// Removes entries from a ledger that is being written: knows up to where nobody needs them, and that what says so is signed.
// Decides neither which nor when.
import assert from "node:assert";
import { PendingBlobs } from "./blobs.ts";
import { writeError } from "./files.ts";
import type { Publisher } from "./publish.ts";
import { type Pruned, firstIn, readPruned, writePruned } from "./pruned.ts";
import type { Parts as Recovered } from "./recover.ts";
import { type Removal, removePruned } from "./remove.ts";
import { SnapshotWriter } from "./snapshot.ts";
import { filesIn } from "./tree-files.ts";
import { type WalWriter, listSegments } from "./wal.ts";

interface Parts {
  readonly dir: string;
  readonly first: number;
  readonly wal: WalWriter;
  readonly published: () => number;
  readonly snapshots: SnapshotWriter;
  readonly blobs: PendingBlobs;
}

export class Pruner {
  readonly #parts: Parts;
  #first: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#first = parts.first;
  }

  /** The first entry that was not removed. */
  get first(): number {
    return this.#first;
  }

  /** Up to where entries may be removed: what is before it is signed, and neither a snapshot nor the log needs it. */
  async limit(): Promise<number> {
    const { dir, published, snapshots } = this.#parts;
    const [segment] = await listSegments(dir);
    return Math.min(published(), snapshots.needed, segment?.first ?? 0);
  }

  /** The next frame begins a segment of the log, so that after two snapshots nothing older is left there. */
  turnLog(): void {
    this.#parts.wal.turn = true;
  }

  /** Does `work`, with the blobs that are put meanwhile. */
  async watchingBlobs(work: (put: ReadonlySet<string>) => Promise<void>): Promise<void> {
    const put = new Set<string>();
    this.#parts.blobs.onPut = (digest) => void put.add(digest);
    try {
      await work(put);
    } finally {
      this.#parts.blobs.onPut = undefined;
    }
  }

  /** Removes entries as the one at index `pruned.entry` says, which has to be signed; goes on where a crash has cut that
   * short. `blobs`: those that no kept entry named when it was looked; `put`: those that were put since. Throws
   * LEDGER_WRITE, LEDGER_FULL. */
  async prune(
    pruned: Pruned,
    blobs: readonly string[],
    put: ReadonlySet<string>,
    step?: Removal["step"],
  ): Promise<void> {
    const { dir, published } = this.#parts;
    assert(pruned.entry < published(), "what says that entries are removed is signed before they are");
    assert(pruned.first <= (await this.limit()), "no entry is removed that somebody needs");
    const gone = (await readPruned(filesIn(dir)))?.from ?? 0;
    assert(pruned.from <= gone, "what a removal that was cut short has left goes first");
    const stepping = step === undefined ? {} : { step };
    try {
      step?.("pruned");
      await writePruned(dir, pruned);
      this.#first = pruned.first;
      await removePruned({ dir, pruned, blobs, isNeeded: (digest) => put.has(digest), ...stepping });
    } catch (error) {
      throw writeError(`removing entries of the ledger in ${dir}`, error);
    }
  }
}

/** What of a ledger is kept beside its entries and hashes, and removed again. */
export interface Keeping {
  readonly snapshots: SnapshotWriter;
  readonly blobs: PendingBlobs;
  readonly pruner: Pruner;
}

export async function keep(dir: string, { wal, marks }: Recovered, publisher: Publisher): Promise<Keeping> {
  const [snapshots, blobs] = [new SnapshotWriter(dir, marks), new PendingBlobs(dir)];
  const first = await firstIn(dir);
  return {
    snapshots,
    blobs,
    pruner: new Pruner({ dir, first, wal, published: () => publisher.size, snapshots, blobs }),
  };
}
