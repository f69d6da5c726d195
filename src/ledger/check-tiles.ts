// The part of verification that a checkpoint covers: every entry against its leaf hash, every tile against the one
// above, the roots at all known checkpoints, and the blobs that entries name.
import { TaplineError } from "../core/errors.ts";
import { checkBlobs } from "./check-blobs.ts";
import type { Claim } from "./claims.ts";
import { countEntries } from "./frame.ts";
import { MerkleTree, TILE_WIDTH } from "./merkle.ts";
import { tilePath } from "./paths.ts";
import { leafHashes, loadEdges } from "./recover.ts";
import type { Report } from "./report.ts";
import { type TreeFiles, readTile } from "./tree-files.ts";

export interface TilesToCheck {
  readonly files: TreeFiles;
  /** False where entries are kept back: then hashes alone are checked. */
  readonly entries: boolean;
  readonly current: Claim;
  readonly saved: readonly Claim[];
  readonly report: Report;
  readonly progress: (entries: number) => void;
  /** Of entries before this one only hashes are kept. */
  readonly kept?: number;
  /** The tree to go on from, at a whole bundle; the beginning when not given. */
  readonly start?: { readonly size: number; readonly edges: readonly Uint8Array[] } | undefined;
}

/** Where to begin: at the bundle in which the verification before ended, after `since` entries; at the first when not given. */
export async function startOf(
  { dir }: TreeFiles,
  since: number | undefined,
  end: number,
): Promise<TilesToCheck["start"]> {
  if (dir === undefined || since === undefined || since > end) return undefined;
  const size = since - (since % TILE_WIDTH);
  try {
    return { size, edges: await loadEdges(dir, size) };
  } catch (error) {
    // A tile that is needed to go on from there is missing or cut: the whole tree shows which, and what else is wrong.
    if (error instanceof TaplineError && error.code === "LEDGER_CORRUPT") return undefined;
    throw error;
  }
}

/** Checks the entries [0, current.size) of a ledger. */
export async function checkTiles(what: TilesToCheck): Promise<void> {
  const { current, saved, progress } = what;
  const full: { level: number; index: number; hashes: Uint8Array }[] = [];
  const tree = new MerkleTree((level, index, hashes) => {
    if (level > 0) full.push({ level, index, hashes });
  });
  if (what.start !== undefined) tree.restore(what.start.size, what.start.edges);
  const roots = new Roots(tree, what, [...saved, current]);
  for (;;) {
    roots.compare();
    const first = tree.size;
    if (first >= current.size) break;
    const width = Math.min(TILE_WIDTH, current.size - first);
    const hashes = await checkBundle(what, first, width);
    if (hashes === undefined) return;
    for (let at = 0; at < width;) {
      const until = Math.min(width, roots.next - first);
      tree.append(hashes.subarray(at * 32, until * 32));
      at = until;
      if (at < width) roots.compare();
    }
    for (const tile of full.splice(0)) await compareTile(what, tile.level, tile.index, tile.hashes);
    if ((first & 0xffff) === 0) progress(tree.size);
  }
  roots.report();
  const edges = tree.edges();
  for (let level = 1; level < edges.length; level++) {
    const count = edges[level]!.length / 32;
    const index = Math.floor(current.size / TILE_WIDTH ** (level + 1));
    if (count > 0) await compareTile(what, level, index, edges[level]!);
  }
}

/** Compares the growing tree with what was signed, at every size that was. */
class Roots {
  readonly #tree: MerkleTree;
  readonly #what: TilesToCheck;
  readonly #claims: readonly Claim[];
  #at = 0;
  /** Largest size at which the tree was the one that was signed. */
  #agreed = 0;
  readonly #differing: { readonly claim: Claim; readonly agreed: number }[] = [];

  constructor(tree: MerkleTree, what: TilesToCheck, claims: readonly Claim[]) {
    this.#tree = tree;
    this.#what = what;
    this.#claims = claims
      .filter((claim) => claim.size >= tree.size && claim.size <= what.current.size)
      .toSorted((a, b) => a.size - b.size);
  }

  /** Size of the next claim, or of the whole tree. */
  get next(): number {
    return this.#claims[this.#at]?.size ?? this.#what.current.size;
  }

  compare(): void {
    const size = this.#tree.size;
    const agreed = this.#agreed;
    for (; this.#claims[this.#at]?.size === size; this.#at++) {
      const claim = this.#claims[this.#at]!;
      if (Buffer.from(this.#tree.root()).equals(claim.root)) this.#agreed = size;
      else this.#differing.push({ claim, agreed });
    }
  }

  /** Says what differed. Where the tiles are not even those of the ledger's own checkpoint, that is what is wrong. */
  report(): void {
    const { current, report } = this.#what;
    const damaged = this.#differing.some(({ claim }) => claim === current);
    for (const { claim, agreed } of this.#differing) {
      const what = damaged ? "the tiles do not add up to what was signed" : "history was rewritten";
      const known = agreed === 0 ? "" : `; the first ${agreed} are as they were signed`;
      report.wrong(`${what}: the root at ${claim.size} entries is not that in ${claim.file}${known}`, {
        index: agreed,
        file: claim.file,
      });
    }
  }
}

/** Checks the entries of one bundle against their hashes, and returns the hashes; undefined when nothing is left of
 * both, so that the tree cannot be built any further. */
async function checkBundle(
  { files, entries, report, kept = 0 }: TilesToCheck,
  first: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const index = first / TILE_WIDTH;
  const tile = await readTile(files, 0, index, width);
  if (typeof tile === "string") report.wrong(tile, { index: first, file: tilePath(0, index, width) });
  const hashed = typeof tile === "string" ? undefined : tile.bytes;
  if (!entries || first < kept) return hashed;
  const bundle = await readTile(files, "entries", index, width);
  if (typeof bundle === "string") {
    report.wrong(bundle, { index: first, file: tilePath("entries", index, width) });
    return hashed;
  }
  const run = bundle.bytes;
  const count = countEntries(run);
  if (count !== width) {
    const how =
      count < 0
        ? "does not end with an entry"
        : `has ${count} entries, not ${width}${count > width ? ": bytes follow the last one" : ""}`;
    report.wrong(`${bundle.file} ${how}`, { index: first, file: bundle.file });
    return hashed;
  }
  const hashes = leafHashes(run);
  if (files.dir !== undefined) await checkBlobs(files.dir, run, first, report);
  if (typeof tile === "string") return hashes;
  for (let i = 0; i < width; i++) {
    if (tile.bytes.compare(hashes, i * 32, i * 32 + 32, i * 32, i * 32 + 32) === 0) continue;
    const file = bundle.file;
    report.wrong(`entry ${first + i} is not the one whose hash is in ${tile.file}`, {
      index: first + i,
      file,
    });
  }
  return hashed;
}

/** Compares a tile that follows from the tiles below it with the one on disk. */
async function compareTile(
  { files, report }: TilesToCheck,
  level: number,
  index: number,
  hashes: Uint8Array,
): Promise<void> {
  const width = hashes.length / 32;
  const tile = await readTile(files, level, index, width);
  const unit = TILE_WIDTH ** level;
  if (typeof tile === "string") {
    report.wrong(tile, { index: index * TILE_WIDTH * unit, file: tilePath(level, index, width) });
    return;
  }
  for (let i = 0; i < width; i++) {
    if (tile.bytes.compare(hashes, i * 32, i * 32 + 32, i * 32, i * 32 + 32) === 0) continue;
    const from = (index * TILE_WIDTH + i) * unit;
    report.wrong(
      `${tile.file} does not agree with the tile below it for entries ${from} to ${from + unit - 1}`,
      {
        index: from,
        file: tile.file,
      },
    );
  }
}
