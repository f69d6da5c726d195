// The part of verification that a checkpoint covers: every entry against its leaf hash, every tile against the one
// above, the roots at all known checkpoints, and the blobs that entries name.
import { isUtf8 } from "node:buffer";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { blobBytes, readBlob, validDigest } from "./blobs.ts";
import { readIfThere } from "./bundles.ts";
import { countEntries, offsetOf } from "./frame.ts";
import { MerkleTree, TILE_WIDTH } from "./merkle.ts";
import { tilePath } from "./paths.ts";
import { leafHashes } from "./recover.ts";
import type { Claim, Report } from "./verify.ts";

interface Tile {
  readonly file: string;
  readonly bytes: Buffer;
}

/** Checks the entries [0, current.size) of the ledger in `dir`. */
export async function checkTiles(
  dir: string,
  current: Claim,
  saved: readonly Claim[],
  report: Report,
  progress: (entries: number) => void,
): Promise<void> {
  const full: { level: number; index: number; hashes: Uint8Array }[] = [];
  const tree = new MerkleTree((level, index, hashes) => {
    if (level > 0) full.push({ level, index, hashes });
  });
  const claims = [...saved, current].filter((claim) => claim.size <= current.size);
  claims.sort((a, b) => a.size - b.size);
  let next = 0;
  for (;;) {
    for (; claims[next]?.size === tree.size; next++) compareRoot(tree, claims[next]!, current, report);
    const first = tree.size;
    if (first >= current.size) break;
    const width = Math.min(TILE_WIDTH, current.size - first);
    const hashes = await checkBundle(dir, first, width, report);
    if (hashes === undefined) return;
    for (let at = 0; at < width;) {
      const until = Math.min(width, (claims[next]?.size ?? current.size) - first);
      tree.append(hashes.subarray(at * 32, until * 32));
      at = until;
      if (at < width)
        for (; claims[next]?.size === tree.size; next++) compareRoot(tree, claims[next]!, current, report);
    }
    for (const tile of full.splice(0)) await compareTile(dir, tile.level, tile.index, tile.hashes, report);
    if ((first & 0xffff) === 0) progress(tree.size);
  }
  const edges = tree.edges();
  for (let level = 1; level < edges.length; level++) {
    const count = edges[level]!.length / 32;
    const index = Math.floor(current.size / TILE_WIDTH ** (level + 1));
    if (count > 0) await compareTile(dir, level, index, edges[level]!, report);
  }
}

function compareRoot(tree: MerkleTree, claim: Claim, current: Claim, report: Report): void {
  if (Buffer.from(tree.root()).equals(claim.root)) return;
  const what = claim === current ? "the tiles do not add up to the signed root" : "history was rewritten";
  report.wrong(`${what}: the root at ${claim.size} entries is not that in ${claim.file}`, {
    file: claim.file,
  });
}

/** Checks the entries of one bundle against their hashes, and returns the hashes; undefined when nothing is left of
 * both, so that the tree cannot be built any further. */
async function checkBundle(
  dir: string,
  first: number,
  width: number,
  report: Report,
): Promise<Uint8Array | undefined> {
  const index = first / TILE_WIDTH;
  const tile = await readTile(dir, 0, index, width, width * 32);
  if (typeof tile === "string") report.wrong(tile, { index: first, file: tilePath(0, index, width) });
  const bundle = await readTile(dir, "entries", index, width, TILE_WIDTH * (LIMITS.entry_bytes + 2));
  if (typeof bundle === "string") {
    report.wrong(bundle, { index: first, file: tilePath("entries", index, width) });
    return typeof tile === "string" ? undefined : tile.bytes;
  }
  const run = bundle.bytes;
  const count = countEntries(run);
  if (count !== width) {
    const how = count < 0 ? "does not end with an entry" : `has ${count} entries, not ${width}`;
    report.wrong(`${bundle.file} ${how}`, { index: first, file: bundle.file });
    return typeof tile === "string" ? undefined : tile.bytes;
  }
  const hashes = leafHashes(run);
  await checkBlobs(dir, run, first, report);
  if (typeof tile === "string") return hashes;
  for (let i = 0; i < width; i++) {
    if (tile.bytes.compare(hashes, i * 32, i * 32 + 32, i * 32, i * 32 + 32) === 0) continue;
    const file = bundle.file;
    report.wrong(`entry ${first + i} is not the one whose hash is in ${tile.file}`, {
      index: first + i,
      file,
    });
  }
  return tile.bytes;
}

/** A tile or bundle of a width, or what is wrong with it. A partial one may have given way to a wider one since the
 * checkpoint was read: then the first part of that. */
async function readTile(
  dir: string,
  level: number | "entries",
  index: number,
  width: number,
  maxBytes: number,
): Promise<Tile | string> {
  const exact = tilePath(level, index, width);
  const found = await readBounded(dir, exact, maxBytes);
  if (found === "too long") return `${exact} is longer than ${maxBytes} bytes`;
  if (found !== undefined) {
    return level === "entries" || found.length === maxBytes
      ? { file: exact, bytes: found }
      : `${exact} has ${found.length} bytes, not ${maxBytes}`;
  }
  if (width < TILE_WIDTH) {
    const widest = level === "entries" ? TILE_WIDTH * (LIMITS.entry_bytes + 2) : TILE_WIDTH * 32;
    for (const file of [tilePath(level, index), ...(await widerPartials(dir, level, index, width))]) {
      const wider = await readBounded(dir, file, widest);
      if (wider === undefined || wider === "too long") continue;
      const bytes = wider.subarray(0, level === "entries" ? offsetOf(wider, width) : width * 32);
      return { file, bytes };
    }
  }
  return `${exact} is missing`;
}

async function widerPartials(
  dir: string,
  level: number | "entries",
  index: number,
  width: number,
): Promise<string[]> {
  try {
    const names = await readdir(join(dir, `${tilePath(level, index)}.p`));
    const widths = names.filter((name) => /^\d{1,3}$/.test(name) && +name > width && +name < TILE_WIDTH);
    return widths.map((name) => tilePath(level, index, +name));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return [];
  }
}

async function readBounded(
  dir: string,
  path: string,
  maxBytes: number,
): Promise<Buffer | "too long" | undefined> {
  const full = join(dir, path);
  const info = await stat(full).catch(() => undefined);
  if (info === undefined) return undefined;
  return info.size > maxBytes ? "too long" : readIfThere(full);
}

/** Compares a tile that follows from the tiles below it with the one on disk. */
async function compareTile(
  dir: string,
  level: number,
  index: number,
  hashes: Uint8Array,
  report: Report,
): Promise<void> {
  const width = hashes.length / 32;
  const tile = await readTile(dir, level, index, width, hashes.length);
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

const BLOB = Buffer.from('"blob":{');

/** Checks that the blobs that entries name are there, in their length, and hold the text they are named after. Their
 * digests are keyed: only who has the key can check the text. */
async function checkBlobs(dir: string, run: Buffer, first: number, report: Report): Promise<void> {
  if (!run.includes(BLOB)) return;
  for (let at = 0, index = first; at < run.length; index++) {
    const end = at + 2 + run.readUInt16BE(at);
    const entry = run.subarray(at + 2, end);
    at = end;
    const blob = entry.includes(BLOB) ? blobOf(entry) : undefined;
    if (blob === undefined) continue;
    const { digests, bytes } = blob;
    if (!Array.isArray(digests) || !Array.isArray(bytes) || digests.length !== bytes.length) {
      report.wrong(`entry ${index} does not name its blobs properly`, { index });
      continue;
    }
    for (let i = 0; i < digests.length; i++) {
      const digest: unknown = digests[i];
      const found = validDigest(digest) ? await blobBytes(dir, digest) : undefined;
      report.blobs++;
      if (found === bytes[i] && (await sameText(dir, digest as string, report))) continue;
      const state =
        found === undefined
          ? "is missing"
          : found === bytes[i]
            ? "does not hold the text that it is named after"
            : `has ${found} bytes, not ${String(bytes[i])}`;
      report.wrong(`blob ${String(digest)} of entry ${index} ${state}`, { index });
    }
  }
}

async function sameText(dir: string, name: string, { digest }: Report): Promise<boolean> {
  if (digest === undefined) return true;
  const text = await readBlob(dir, name);
  return text !== undefined && isUtf8(text) && digest(text.toString()) === name;
}

/** `tapline.blob` of an entry, when it is a document that has one. */
function blobOf(entry: Buffer): { digests?: unknown; bytes?: unknown } | undefined {
  try {
    const document = JSON.parse(entry.toString()) as { tapline?: { blob?: object } } | null;
    return document?.tapline?.blob;
  } catch {
    return undefined;
  }
}
