// Hashes of subtrees out of the tiles of a ledger, for proofs. Keeps the tiles last read; checks nothing: whoever makes a
// proof from it checks the proof against a signed root.
import { TaplineError } from "../core/errors.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { nodeHash } from "./proof.ts";
import { type TreeFiles, readTile } from "./tree-files.ts";

const TILE_HEIGHT = 8;
const KEPT = 64;

export class TreeHashes {
  readonly #files: TreeFiles;
  readonly #size: number;
  readonly #tiles = new Map<string, Buffer>();

  /** The tree of the first `size` entries; the files may hold a larger one. */
  constructor(files: TreeFiles, size: number) {
    this.#files = files;
    this.#size = size;
  }

  /** See Subtree in proof.ts. Throws LEDGER_CORRUPT when a tile is missing or cut short. */
  readonly subtree = async (height: number, index: number): Promise<Uint8Array> => {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const first = index * count;
    const tile = await this.#tile(level, Math.floor(first / TILE_WIDTH));
    const at = first % TILE_WIDTH;
    let row: Uint8Array[] = Array.from({ length: count }, (_, i) =>
      tile.subarray((at + i) * 32, (at + i + 1) * 32),
    );
    while (row.length > 1)
      row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i]!, row[2 * i + 1]!));
    return row[0]!;
  };

  async #tile(level: number, index: number): Promise<Buffer> {
    const key = `${level}/${index}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) return known;
    const width = Math.min(TILE_WIDTH, Math.floor(this.#size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const tile = await readTile(this.#files, level, index, width);
    if (typeof tile === "string")
      throw new TaplineError("LEDGER_CORRUPT", `${this.#files.place}: ${tile}`, {
        remedy: "run `tapline ledger verify`",
      });
    if (this.#tiles.size === KEPT) this.#tiles.delete(this.#tiles.keys().next().value!);
    this.#tiles.set(key, tile.bytes);
    return tile.bytes;
  }
}
