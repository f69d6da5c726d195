// Reads a ledger from its files, in any process, while its writer runs. Takes no lock, changes nothing, proves nothing.
import { systemCode } from "../core/errors.ts";
import type { EntryBatch } from "../core/stage.ts";
import { readBundles } from "./bundles.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Erased, erasedIn } from "./erased.ts";
import { readVerifiers } from "./keys.ts";
import { firstIn, prunedError } from "./pruned.ts";
import { readCheckpoint } from "./publish.ts";
import { joinBatches, part } from "./recent.ts";
import { leafHashes } from "./recover.ts";
import { type Segment, SegmentReader, listSegments } from "./wal.ts";

export interface LedgerReader {
  /** Entries written. The last group may not be durable yet: a range that must be is told by the writer. */
  size(): Promise<number>;
  /** The first entry that was not removed by retention. */
  first(): Promise<number>;
  /** Persons that were erased, the first one first. */
  erased(): Promise<readonly Erased[]>;
  /** Entries from index `from` on: at least one, then as many as both bounds allow; undefined when not written.
   * Throws ENTRY_PRUNED. */
  read(from: number, maxEntries: number, maxBytes: number): Promise<EntryBatch | undefined>;
  /** The published checkpoint, checked with the key beside it; undefined before the first. */
  checkpoint(): Promise<Checkpoint | undefined>;
  close(): Promise<void>;
}

/** Opens the ledger in `dir` for reading. It may be empty, or not begun. */
export function openReader(dir: string): LedgerReader {
  const tail = new Tail(dir);
  return {
    size: () => tail.size(),
    first: () => firstIn(dir),
    erased: () => erasedIn(dir),
    async read(from, maxEntries, maxBytes) {
      // The bundle may appear, and the segment vanish, between the two looks: then the bundle is there.
      const batch = await readBundles(dir, from, Infinity, maxEntries, maxBytes);
      if (batch !== undefined) return batch;
      const later =
        (await tail.read(from, maxEntries, maxBytes)) ??
        (await readBundles(dir, from, Infinity, maxEntries, maxBytes));
      const first = later === undefined ? await firstIn(dir) : 0;
      if (from < first) throw prunedError(from, first);
      return later;
    },
    async checkpoint() {
      const verifier = await readVerifiers(dir);
      return verifier === undefined ? undefined : readCheckpoint(dir, verifier);
    },
    close: () => tail.close(),
  };
}

interface Place {
  readonly first: number;
  readonly count: number;
  readonly offset: number;
}

/** One write-ahead segment that is being followed: where its frames are. */
class Followed {
  readonly segment: Segment;
  readonly #reader: SegmentReader;
  #places: Place[] = [];
  #end: number;

  private constructor(segment: Segment, reader: SegmentReader) {
    this.segment = segment;
    this.#reader = reader;
    this.#end = segment.first;
  }

  static async open(segment: Segment): Promise<Followed> {
    return new Followed(segment, await SegmentReader.open(segment.path, true));
  }

  get end(): number {
    return this.#end;
  }

  /** Notes the frames written since the last call. A writer that started again may have cut the end off. */
  async refresh(): Promise<void> {
    this.#reader.refresh();
    if ((await this.#reader.state()).size < this.#reader.offset) this.#forget();
    for (;;) {
      const offset = this.#reader.offset;
      const frame = await this.#reader.next();
      if (frame === undefined) return;
      if (frame.count > 0) this.#places.push({ first: frame.first, count: frame.count, offset });
      this.#end = frame.first + frame.count;
    }
  }

  /** Entries of as many frames as the bounds allow; undefined when the first one is not here. */
  async read(from: number, maxEntries: number, maxBytes: number): Promise<EntryBatch | undefined> {
    const resume = this.#reader.offset;
    const parts: EntryBatch[] = [];
    let count = 0;
    let bytes = 0;
    let at = this.#places.findLastIndex((place) => place.first <= from);
    for (; at >= 0 && at < this.#places.length && count < maxEntries && bytes < maxBytes; at++) {
      const place = this.#places[at]!;
      if (from >= place.first + place.count) break;
      this.#reader.seek(place.offset);
      const frame = await this.#reader.next();
      if (frame?.first !== place.first || frame.count !== place.count) {
        this.#forget(); // the writer started again and wrote other frames here
        return undefined;
      }
      const piece = { first: frame.first, count: frame.count, run: frame.run, hashes: leafHashes(frame.run) };
      const next = part(piece, from + count, maxEntries - count, maxBytes - bytes);
      if (count > 0 && bytes + next.run.length > maxBytes) break;
      parts.push(next);
      count += next.count;
      bytes += next.run.length;
      if (next.first + next.count < piece.first + piece.count) break;
    }
    this.#reader.seek(resume);
    return parts.length === 0 ? undefined : joinBatches(parts);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #forget(): void {
    this.#places = [];
    this.#end = this.segment.first;
    this.#reader.refresh();
    this.#reader.seek(0);
  }
}

/** Follows one segment at a time: the newest for the size, the one with the entry for reading. */
class Tail {
  readonly #dir: string;
  #followed: Followed | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string) {
    this.#dir = dir;
  }

  size(): Promise<number> {
    return this.#alone(async () => (await this.#follow(Infinity))?.end ?? 0);
  }

  read(from: number, maxEntries: number, maxBytes: number): Promise<EntryBatch | undefined> {
    return this.#alone(async () => (await this.#follow(from))?.read(from, maxEntries, maxBytes));
  }

  close(): Promise<void> {
    return this.#alone(async () => {
      await this.#followed?.close();
      this.#followed = undefined;
    });
  }

  /** The segment with entry `index`, or the newest one, with its frames known. */
  async #follow(index: number): Promise<Followed | undefined> {
    for (let tries = 0; ; tries++) {
      const segment = (await listSegments(this.#dir)).findLast((one) => one.first <= index);
      if (segment === undefined) return undefined;
      try {
        if (this.#followed?.segment.path !== segment.path) {
          await this.#followed?.close();
          this.#followed = undefined;
          this.#followed = await Followed.open(segment);
        }
        await this.#followed.refresh();
        return this.#followed;
      } catch (error) {
        if (systemCode(error) !== "ENOENT" || tries === 10) throw error; // removed meanwhile: look again
      }
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
