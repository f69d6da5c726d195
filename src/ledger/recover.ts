// Start-up: from the newest valid snapshot, the edge tiles and the write-ahead log to a ledger that goes on. Reads all
// that it relies on before it changes anything, and refuses when the tree differs from what was signed.
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { leafHash } from "../core/entry.ts";
import { readIfThere } from "./bundles.ts";
import type { LedgerOptions, Recovered } from "./contract.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { newerError } from "./files.ts";
import { type Frame, countEntries, offsetOf } from "./frame.ts";
import { MerkleTree, TILE_WIDTH, putHash, tileRoot } from "./merkle.ts";
import { TILE_BYTES, tilePath } from "./paths.ts";
import { Recent } from "./recent.ts";
import { type Mark, type Snapshot, readSnapshots } from "./snapshot.ts";
import { Tiles } from "./tiles.ts";
import { type Segment, SegmentReader, WalWriter, corrupt, listSegments } from "./wal.ts";

/** The parts of a ledger that goes on. */
export interface Parts {
  readonly tiles: Tiles;
  readonly recent: Recent;
  readonly wal: WalWriter;
  /** Number of the next frame. */
  readonly frames: number;
  /** The valid snapshots that are kept, oldest first. */
  readonly marks: readonly Mark[];
  readonly recovered: Recovered;
}

/** Leaf hashes of the entries of a run. */
export function leafHashes(run: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(countEntries(run) * 32);
  for (let at = 0, i = 0; at < run.length; i += 32) {
    const end = at + 2 + ((run[at]! << 8) | run[at + 1]!);
    putHash(leafHash(run, at + 2, end), hashes, i);
    at = end;
  }
  return hashes;
}

/** Opens what is in `dir`. Throws LEDGER_CORRUPT, LEDGER_MISMATCH or LEDGER_NEWER, and has then changed nothing. */
export async function recover(
  dir: string,
  signed: Checkpoint | undefined,
  { log, onFree }: Pick<LedgerOptions, "log" | "onFree">,
): Promise<Parts> {
  let newer: string | undefined;
  const snapshots = await readSnapshots(dir, (path, why, isNewer) => {
    if (isNewer) newer ??= path;
    log("error", "snapshot refused", { path, why });
  });
  const snapshot = snapshots[0];
  const tiled = snapshot?.tiled ?? 0;
  const segments = await segmentsFrom(dir, tiled, signed, snapshot, newer);
  if ((signed?.size ?? 0) < tiled)
    throw mismatch(dir, `the checkpoint is older than the snapshot at ${tiled}`);
  const edges = await loadEdges(dir, tiled);
  const found = await check(dir, segments, tiled, edges, signed);
  if (snapshot !== undefined && (found.size < snapshot.index || found.frames < snapshot.frames)) {
    throw mismatch(dir, `the log ends at ${found.size}, before the snapshot at ${snapshot.index}`);
  }
  const last = segments.at(-1);
  const wal =
    last === undefined ? await WalWriter.create(dir, 0) : await WalWriter.resume(dir, last, found.offset);
  const tiles = new Tiles(dir, tiled, edges);
  const recent = new Recent(tiled, onFree);
  for await (const frame of readFrames(segments)) {
    const rest = entriesAfter(frame, tiles.size);
    if (rest === undefined) continue;
    const hashes = leafHashes(rest);
    recent.push({ first: tiles.size, count: hashes.length / 32, run: rest, hashes });
    tiles.accept(rest, hashes);
    recent.shrink(tiles.written);
    await tiles.room();
    if (tiles.failure !== undefined) throw tiles.failure;
  }
  if (found.cut !== undefined)
    log("warn", "end of the log cut off: a write was not finished", { ...found.cut });
  const recovered = {
    snapshot: snapshot === undefined ? undefined : { index: snapshot.index, state: snapshot.state },
    cut: found.cut,
    frames: () => framesBetween(segments, snapshot?.frames ?? 0, found.frames),
  };
  return { tiles, recent, wal, frames: found.frames, marks: snapshots.toReversed(), recovered };
}

/** The segments that hold everything from index `tiled` on, with the frames without entries that stand there. `newer` is a
 * snapshot of a later version, which may have let the log before it go. */
async function segmentsFrom(
  dir: string,
  tiled: number,
  signed: Checkpoint | undefined,
  snapshot: Snapshot | undefined,
  newer: string | undefined,
): Promise<Segment[]> {
  const segments = await listSegments(dir);
  if (segments.length === 0 && signed === undefined && snapshot === undefined) return [];
  const start = Math.max(
    0,
    segments.findLastIndex((segment) => segment.first < tiled),
  );
  if (segments.length === 0 || segments[start]!.first > tiled) {
    if (newer !== undefined) throw newerError(`${newer} is needed to start`);
    throw corrupt(join(dir, "wal"), 0, `the segment with entry ${tiled} is missing`);
  }
  return segments.slice(start);
}

/** The partial tiles of a tree of `size` leaves (a multiple of 256), from the full tiles below them. */
export async function loadEdges(dir: string, size: number): Promise<Uint8Array[]> {
  const edges: Uint8Array[] = [];
  for (let level = 0, full = size; full > 0; level++, full = Math.floor(full / TILE_WIDTH)) {
    const count = full % TILE_WIDTH;
    const edge = new Uint8Array(count * 32);
    for (let i = 0; i < count; i++) {
      const path = join(dir, tilePath(level - 1, full - count + i));
      const tile = await readIfThere(path);
      if (tile?.length !== TILE_BYTES) throw corrupt(path, 0, "a full tile is missing or cut short");
      edge.set(tileRoot(tile), i * 32);
    }
    edges.push(edge);
  }
  return edges;
}

interface Found {
  size: number;
  frames: number;
  /** End of the last whole frame in the last segment. */
  offset: number;
  cut: Recovered["cut"];
}

/** Reads the whole log from `tiled` on, and compares the root at the signed size. */
async function check(
  dir: string,
  segments: readonly Segment[],
  tiled: number,
  edges: readonly Uint8Array[],
  signed: Checkpoint | undefined,
): Promise<Found> {
  const tree = new MerkleTree(() => undefined);
  tree.restore(tiled, edges);
  const found: Found = { size: tiled, frames: 0, offset: 0, cut: undefined };
  let rooted = signed === undefined;
  const compare = (): void => {
    if (rooted || tree.size !== signed!.size) return;
    if (!Buffer.from(tree.root()).equals(signed!.root)) {
      throw mismatch(dir, `the entries up to ${tree.size} are not those that were signed`);
    }
    rooted = true;
  };
  compare();
  for await (const frame of readFrames(segments, found)) {
    found.frames = frame.number + 1;
    found.size = frame.first + frame.count;
    const rest = entriesAfter(frame, tree.size);
    if (rest === undefined || rooted) continue;
    const hashes = leafHashes(rest);
    const until = Math.min(hashes.length, (signed!.size - tree.size) * 32);
    tree.append(hashes.subarray(0, until));
    compare();
  }
  if (!rooted) throw mismatch(dir, `the log ends at ${found.size}, and ${signed!.size} entries were signed`);
  return found;
}

/** Entries of a frame from index `from` on, or undefined when there are none. */
function entriesAfter(frame: Frame, from: number): Uint8Array | undefined {
  if (frame.first + frame.count <= from) return undefined;
  return frame.run.subarray(offsetOf(frame.run, from - frame.first));
}

/** Frames of adjacent segments, checked to follow each other. Fills in how the last segment ends. */
async function* readFrames(segments: readonly Segment[], found?: Found): AsyncGenerator<Frame, void> {
  let next = segments[0]?.first ?? 0;
  let number: number | undefined;
  for (const segment of segments) {
    const reader = await SegmentReader.open(segment.path, false);
    try {
      if (segment.first !== next)
        throw corrupt(segment.path, 0, `begins at ${segment.first}, expected ${next}`);
      for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
        if (frame.first !== next || frame.number !== (number ?? frame.number)) {
          throw corrupt(
            segment.path,
            reader.offset,
            `frame ${frame.number} does not follow the one before it`,
          );
        }
        next = frame.first + frame.count;
        number = frame.number + 1;
        yield frame;
      }
      if (reader.torn && segment !== segments.at(-1)) {
        throw corrupt(segment.path, reader.offset, "not a frame, and later segments follow");
      }
      if (found !== undefined) {
        const { offset, path } = reader;
        const bytes = (await reader.state()).size - offset;
        found.offset = offset;
        found.cut = bytes > 0 ? { file: path, offset, bytes } : undefined;
      }
    } finally {
      await reader.close();
    }
  }
}

async function* framesBetween(
  segments: readonly Segment[],
  from: number,
  to: number,
): AsyncGenerator<Frame, void> {
  for await (const frame of readFrames(segments)) {
    if (frame.number >= to) return;
    if (frame.number >= from) yield frame;
  }
}

function mismatch(dir: string, what: string): TaplineError {
  return new TaplineError("LEDGER_MISMATCH", `the ledger in ${dir} is not the one that was signed: ${what}`, {
    remedy:
      "Nothing was changed and nothing will be signed. Run `tapline ledger verify` with checkpoints kept elsewhere; " +
      "then restore the directory from a backup, or start a new one.",
  });
}
