// Proofs of RFC 6962: that an entry is in a tree, and that one tree is the beginning of another. Makes them from hashes of
// whole subtrees that it is handed, and checks them from nothing but hashes. Knows no files.
import assert from "node:assert";
import { hash } from "node:crypto";

/** Hash of the subtree over the leaves [index · 2^height, (index + 1) · 2^height), all of which are in the tree. */
export type Subtree = (height: number, index: number) => Promise<Uint8Array>;

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash("sha256", Buffer.concat([Buffer.of(1), left, right]), "buffer");
}

/** The largest power of two below `count`, and its exponent. */
function split(count: number): { half: number; height: number } {
  let height = 0;
  while (2 ** (height + 1) < count) height++;
  return { half: 2 ** height, height };
}

/** Root over the leaves [from, to), where `from` is a multiple of the largest power of two in the range. */
async function rootOf(from: number, to: number, subtree: Subtree): Promise<Uint8Array> {
  const count = to - from;
  if (count === 1) return subtree(0, from);
  const { half, height } = split(count);
  if (count === half * 2) return subtree(height + 1, from / count);
  return nodeHash(await subtree(height, from / half), await rootOf(from + half, to, subtree));
}

/** Root of the tree of `size` leaves. */
export function treeRoot(size: number, subtree: Subtree): Promise<Uint8Array> {
  return size === 0 ? Promise.resolve(hash("sha256", "", "buffer")) : rootOf(0, size, subtree);
}

/** The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up to the root's child. */
export async function inclusionPath(index: number, size: number, subtree: Subtree): Promise<Uint8Array[]> {
  assert(index < size, "the leaf is in the tree");
  const path: Uint8Array[] = [];
  for (let from = 0, to = size; to - from > 1;) {
    const middle = from + split(to - from).half;
    if (index < middle) {
      path.push(await rootOf(middle, to, subtree));
      to = middle;
    } else {
      path.push(await rootOf(from, middle, subtree));
      from = middle;
    }
  }
  return path.toReversed();
}

/** The proof that the tree of `old` leaves is the beginning of that of `size` leaves. Empty when either says nothing. */
export async function consistencyPath(old: number, size: number, subtree: Subtree): Promise<Uint8Array[]> {
  assert(old <= size, "the old tree is not larger");
  if (old === 0 || old === size) return [];
  const path: Uint8Array[] = [];
  let [from, to, whole] = [0, size, true];
  while (to !== old) {
    const middle = from + split(to - from).half;
    if (old <= middle) {
      path.push(await rootOf(middle, to, subtree));
      to = middle;
    } else {
      path.push(await rootOf(from, middle, subtree));
      [from, whole] = [middle, false];
    }
  }
  if (!whole) path.push(await rootOf(from, to, subtree));
  return path.toReversed();
}

const odd = (n: number): boolean => n % 2 === 1;
const halved = (n: number): number => Math.floor(n / 2);

/** The root that leaf `index` and its audit path lead to in a tree of `size` leaves; undefined when the path has another
 * length than such a tree gives. */
export function rootByInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (index >= size) return undefined;
  let [at, last, root] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (odd(at) || at === last) {
      root = nodeHash(sibling, root);
      while (!odd(at) && at > 0) [at, last] = [halved(at), halved(last)];
    } else root = nodeHash(root, sibling);
    [at, last] = [halved(at), halved(last)];
  }
  return last === 0 ? root : undefined;
}

/** Whether `path` proves that the tree of `old` leaves with root `oldRoot` is the beginning of the other. */
export function isConsistent(
  old: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (old > size) return false;
  if (old === size) return path.length === 0 && same(oldRoot, root);
  if (old === 0) return path.length === 0;
  let [at, last] = [old - 1, size - 1];
  while (odd(at)) [at, last] = [halved(at), halved(last)];
  // An old tree that is one whole subtree is not in its own proof.
  const hashes = at === 0 ? [oldRoot, ...path] : path;
  let [before, after] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (last === 0) return false;
    if (odd(at) || at === last) {
      before = nodeHash(sibling, before!);
      after = nodeHash(sibling, after!);
      while (!odd(at) && at > 0) [at, last] = [halved(at), halved(last)];
    } else after = nodeHash(after!, sibling);
    [at, last] = [halved(at), halved(last)];
  }
  return last === 0 && before !== undefined && same(before, oldRoot) && same(after!, root);
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
