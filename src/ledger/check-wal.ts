// The part of verification that no checkpoint covers yet: the write-ahead log follows on without a gap, its frames are
// whole, and its entries are those of the tiles where both exist.
import { join } from "node:path";
import { TaplineError, systemCode } from "../core/errors.ts";
import { readIfThere } from "./bundles.ts";
import type { Frame } from "./frame.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { TILE_BYTES, tilePath } from "./paths.ts";
import { leafHashes } from "./recover.ts";
import type { Report } from "./report.ts";
import { SegmentReader, listSegments } from "./wal.ts";

/** Checks the log of a ledger whose checkpoint covers `size` entries. Returns the number of entries there are. */
export async function checkWal(dir: string, size: number, report: Report): Promise<number> {
  const segments = await listSegments(dir);
  const oldest = segments[0];
  if (oldest === undefined) {
    report.notes.push(
      "there is no write-ahead log: a copy of the published part, which no writer can continue",
    );
    return size;
  }
  if (oldest.first > size) {
    report.wrong(`the log begins at entry ${oldest.first}, the checkpoint ends at ${size}`, { index: size });
  }
  const tiles = new Hashes(dir, size);
  let next = oldest.first;
  for (const segment of segments) {
    if (segment.first !== next) {
      report.wrong(`${segment.path} begins at entry ${segment.first}, expected ${next}`, { index: next });
      return next;
    }
    const end = await checkSegment(segment.path, next, segment === segments.at(-1), tiles, report);
    if (end === undefined) return next;
    next = end;
  }
  if (next < size) {
    report.wrong(`the log ends at entry ${next}, the checkpoint covers ${size}`, { index: next });
  }
  return Math.max(next, size);
}

/** Index after the segment's last entry, or undefined when it cannot be told. */
async function checkSegment(
  path: string,
  first: number,
  last: boolean,
  tiles: Hashes,
  report: Report,
): Promise<number | undefined> {
  let next = first;
  let reader: SegmentReader | undefined;
  try {
    reader = await SegmentReader.open(path, false);
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      if (frame.first !== next) {
        report.wrong(`${path}: a frame begins at entry ${frame.first}, expected ${next}`, {
          index: next,
          file: path,
        });
        return undefined;
      }
      await compareFrame(frame, tiles, path, report);
      next += frame.count;
    }
    if (reader.torn && last)
      report.notes.push(`${path} ends with an unfinished write at offset ${reader.offset}`);
    else if (reader.torn) {
      report.wrong(`${path} is damaged at offset ${reader.offset}`, { index: next, file: path });
      return undefined;
    }
  } catch (error) {
    if (error instanceof TaplineError) report.wrong(error.message, { index: next, file: path });
    else if (systemCode(error) !== "ENOENT") throw error;
    // A running writer removed the segment, which it does when its tiles are durable: the rest is not checked.
    else report.notes.push(`${path} was removed while it was being checked`);
    return undefined;
  } finally {
    await reader?.close();
  }
  return next;
}

async function compareFrame(frame: Frame, tiles: Hashes, path: string, report: Report): Promise<void> {
  const hashes = leafHashes(frame.run);
  for (let i = 0; i < frame.count; i++) {
    const index = frame.first + i;
    const tile = await tiles.of(Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * 32;
    if (tile === undefined || tile.length < at + 32) continue;
    if (tile.compare(hashes, i * 32, i * 32 + 32, at, at + 32) !== 0) {
      report.wrong(`entry ${index} of ${path} is not the one in the tiles`, { index, file: path });
    }
  }
}

/** The hash tile last looked at: full, or the checkpoint's partial one. */
class Hashes {
  readonly #dir: string;
  readonly #size: number;
  #index = -1;
  #tile: Buffer | undefined;

  constructor(dir: string, size: number) {
    this.#dir = dir;
    this.#size = size;
  }

  async of(index: number): Promise<Buffer | undefined> {
    if (index === this.#index) return this.#tile;
    this.#index = index;
    this.#tile = await readIfThere(join(this.#dir, tilePath(0, index)));
    if (this.#tile !== undefined && this.#tile.length !== TILE_BYTES) this.#tile = undefined;
    const width = this.#size - index * TILE_WIDTH;
    if (this.#tile === undefined && width > 0 && width < TILE_WIDTH) {
      this.#tile = await readIfThere(join(this.#dir, tilePath(0, index, width)));
    }
    return this.#tile;
  }
}
