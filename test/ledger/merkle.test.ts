// The tree against RFC 6962 written down naively.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MerkleTree, tileRoot } from "../../src/ledger/merkle.ts";

const sha = (...parts: Uint8Array[]): Buffer => {
  const h = createHash("sha256");
  for (const part of parts) h.update(part);
  return h.digest();
};
const leaf = (i: number): Buffer => sha(Buffer.of(0), Buffer.from(`entry ${i}`));

/** RFC 6962, section 2.1, word for word. */
function naive(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.of(1), naive(leaves.slice(0, k)), naive(leaves.slice(k)));
}

const many = Array.from({ length: 70_000 }, (_, i) => leaf(i));

describe("MerkleTree", () => {
  test("the root is that of RFC 6962 at every size up to 1,100", () => {
    const tree = new MerkleTree(() => undefined);
    for (let size = 0; size <= 1_100; size++) {
      expect(Buffer.from(tree.root())).toEqual(naive(many.slice(0, size)));
      tree.append(many[size]!);
    }
  });

  test("batches of any size give the same tree, and tiles are the leaves and the roots below", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 40 }), (batches) => {
        const tiles = new Map<string, Buffer>();
        const tree = new MerkleTree((level, index, hashes) =>
          tiles.set(`${level}/${index}`, Buffer.from(hashes)),
        );
        let size = 0;
        for (const count of batches) {
          tree.append(Buffer.concat(many.slice(size, size + count)));
          size = Math.min(size + count, many.length);
        }
        expect(tree.size).toBe(size);
        expect(Buffer.from(tree.root())).toEqual(naive(many.slice(0, size)));
        for (const [name, hashes] of tiles) {
          const [level, index] = name.split("/").map(Number);
          for (const i of [0, 1, 100, 255]) {
            const unit = 256 ** level!;
            const from = (index! * 256 + i) * unit;
            expect(hashes.subarray(i * 32, i * 32 + 32)).toEqual(naive(many.slice(from, from + unit)));
          }
        }
        expect(tiles.size).toBe(Math.floor(size / 256) + Math.floor(size / 65_536));
      }),
      { numRuns: 30 },
    );
  });

  test("a tree restored from its edges goes on as if never stopped", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 69_000 }), fc.integer({ min: 0, max: 999 }), (size, more) => {
        const first = new MerkleTree(() => undefined);
        first.append(Buffer.concat(many.slice(0, size)));
        const second = new MerkleTree(() => undefined);
        second.restore(size, first.edges());
        expect(second.root()).toEqual(first.root());
        for (const tree of [first, second]) tree.append(Buffer.concat(many.slice(size, size + more)));
        expect(second.root()).toEqual(first.root());
      }),
      { numRuns: 20 },
    );
  });

  test("the root of a full tile", () => {
    expect(Buffer.from(tileRoot(Buffer.concat(many.slice(0, 256))))).toEqual(naive(many.slice(0, 256)));
  });
});
