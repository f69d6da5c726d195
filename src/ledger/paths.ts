// Names of the ledger's files, relative to its directory. `checkpoint` and `tile/` are those of C2SP tlog-tiles.
import { TILE_WIDTH } from "./merkle.ts";

export const CHECKPOINT = "checkpoint";
/** The newest checkpoint with cosignatures of witnesses. */
export const COSIGNED = "checkpoint.cosigned";
export const KEY = "ledger.key";
export const VKEY = "ledger.vkey";
/** The key before, while it signs too, and the public keys of before, the newest first. */
export const OLD_KEY = "ledger.old.key";
export const OLD_VKEY = "ledger.old.vkey";
/** The last change of keys. */
export const ROTATION = "rotation.json";
export const LOCK = "lock";
export const WAL = "wal";
export const SNAPSHOTS = "snapshots";
export const BLOBS = "blobs";
/** Which entries were removed by retention; there once some were. */
export const PRUNED = "pruned";
/** Which entries tell of persons that were erased; there once somebody was. */
export const ERASED = "erased";

/** Bytes of a full hash tile. */
export const TILE_BYTES = TILE_WIDTH * 32;

/** An index as 20 digits, so that names sort as numbers do. */
export function padded(index: number): string {
  return String(index).padStart(20, "0");
}

/** A tile's number in groups of three digits, all but the last prefixed with x: 1234067 is `x001/x234/067`. */
function tileName(n: number): string {
  let name = String(n % 1000).padStart(3, "0");
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, "0")}/${name}`;
  }
  return name;
}

/** Path of a hash tile or an entry bundle; a width below 256 names the partial one. */
export function tilePath(level: number | "entries", n: number, width: number = TILE_WIDTH): string {
  return `tile/${level}/${tileName(n)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

export interface TileRef {
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number;
}

/** The partial tiles and the partial bundle that a tree of `size` leaves has, bundle first. */
export function partialsOf(size: number): TileRef[] {
  const refs: TileRef[] = [];
  if (size % TILE_WIDTH > 0) {
    refs.push({ level: "entries", index: Math.floor(size / TILE_WIDTH), width: size % TILE_WIDTH });
  }
  for (let level = 0, full = size; full > 0; level++, full = Math.floor(full / TILE_WIDTH)) {
    if (full % TILE_WIDTH > 0)
      refs.push({ level, index: Math.floor(full / TILE_WIDTH), width: full % TILE_WIDTH });
  }
  return refs;
}
