// Proofs against RFC 6962 written down naively, and the text in which they travel: any change to it is found.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseVerifier } from "../../src/ledger/note.ts";
import { checkProof, parseProof, proofText } from "../../src/ledger/proof-file.ts";
import {
  consistencyPath,
  inclusionPath,
  isConsistent,
  rootByInclusion,
  treeRoot,
} from "../../src/ledger/proof.ts";
import { proveEntry } from "../../src/ledger/prove.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { filesIn } from "../../src/ledger/tree-files.ts";
import { TreeHashes } from "../../src/ledger/tree-hashes.ts";
import { appendEntries, newDir, openLedger, textsUpTo } from "./helpers.ts";

const sha = (...parts: Uint8Array[]): Buffer => {
  const h = createHash("sha256");
  for (const part of parts) h.update(part);
  return h.digest();
};
const leaves = Array.from({ length: 300 }, (_, i) => sha(Buffer.of(0), Buffer.from(`entry ${i}`)));

function k(n: number): number {
  let half = 1;
  while (half * 2 < n) half *= 2;
  return half;
}
/** RFC 6962, sections 2.1, 2.1.1 and 2.1.2, word for word. */
function mth(d: readonly Buffer[]): Buffer {
  if (d.length === 0) return sha();
  if (d.length === 1) return d[0]!;
  return sha(Buffer.of(1), mth(d.slice(0, k(d.length))), mth(d.slice(k(d.length))));
}
function audit(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const half = k(d.length);
  return m < half
    ? [...audit(m, d.slice(0, half)), mth(d.slice(half))]
    : [...audit(m - half, d.slice(half)), mth(d.slice(0, half))];
}
function subproof(m: number, d: readonly Buffer[], whole: boolean): Buffer[] {
  if (m === d.length) return whole ? [] : [mth(d)];
  const half = k(d.length);
  return m <= half
    ? [...subproof(m, d.slice(0, half), whole), mth(d.slice(half))]
    : [...subproof(m - half, d.slice(half), false), mth(d.slice(0, half))];
}
const subtree = (height: number, index: number): Promise<Uint8Array> =>
  Promise.resolve(mth(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)));
const buffers = (path: readonly Uint8Array[]): Buffer[] => path.map((hash) => Buffer.from(hash));

describe("proofs", () => {
  test("of inclusion are those of RFC 6962, and lead to the root", async () => {
    for (let size = 1; size <= 70; size++) {
      const root = mth(leaves.slice(0, size));
      expect(buffers([await treeRoot(size, subtree)])).toEqual([root]);
      for (let index = 0; index < size; index++) {
        const path = await inclusionPath(index, size, subtree);
        expect(buffers(path)).toEqual(audit(index, leaves.slice(0, size)));
        expect(rootByInclusion(leaves[index]!, index, size, path)).toEqual(root);
      }
    }
  });

  test("of consistency are those of RFC 6962, and hold", async () => {
    for (let size = 1; size <= 40; size++) {
      for (let old = 1; old <= size; old++) {
        const path = await consistencyPath(old, size, subtree);
        expect(buffers(path)).toEqual(subproof(old, leaves.slice(0, size), true));
        const [before, after] = [mth(leaves.slice(0, old)), mth(leaves.slice(0, size))];
        expect(isConsistent(old, before, size, after, path), `${old} of ${size}`).toBe(true);
      }
    }
  });

  test("hold for nothing else: another leaf, place, size, root or path", async () => {
    const sizes = fc.integer({ min: 2, max: 300 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.nat(), async (size, at, flip, bit) => {
        const index = at % size;
        const root = mth(leaves.slice(0, size));
        const path = buffers(await inclusionPath(index, size, subtree));
        const leads = (leaf: Buffer, i: number, n: number, p: readonly Buffer[]): boolean =>
          Buffer.from(rootByInclusion(leaf, i, n, p) ?? "").equals(root);
        const other = (index + 1 + (flip % (size - 1))) % size;
        expect(leads(leaves[other]!, index, size, path)).toBe(false);
        expect(leads(leaves[index]!, other, size, path)).toBe(false);
        expect(leads(leaves[index]!, index, size, path.slice(1))).toBe(false);
        expect(leads(leaves[index]!, index, size, [...path, path[0]!])).toBe(false);
        const changed = path.map((hash) => Buffer.from(hash));
        changed[flip % path.length]![bit % 32]! ^= 1 << (bit % 8);
        expect(leads(leaves[index]!, index, size, changed)).toBe(false);

        const old = 1 + (at % (size - 1));
        const proof = buffers(await consistencyPath(old, size, subtree));
        const before = mth(leaves.slice(0, old));
        expect(isConsistent(old, mth(leaves.slice(1, old + 1)), size, root, proof)).toBe(false);
        expect(isConsistent(old, before, size, mth(leaves.slice(1, size + 1)), proof)).toBe(false);
        expect(isConsistent(old, before, size, root, proof.slice(1))).toBe(false);
        expect(isConsistent(old, before, size, root, [...proof, root])).toBe(false);
        const bent = proof.map((hash) => Buffer.from(hash));
        bent[flip % bent.length]![bit % 32]! ^= 1 << (bit % 8);
        expect(isConsistent(old, before, size, root, bent)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

async function made(count: number): Promise<string> {
  const dir = newDir();
  const { ledger } = await openLedger(dir);
  appendEntries(ledger, count);
  await ledger.close();
  return dir;
}
const keyOf = (dir: string) => parseVerifier(readFileSync(join(dir, "ledger.vkey"), "utf8"));

describe("a tlog-proof", () => {
  test.each([
    [1, [0]],
    [256, [0, 255]],
    [257, [0, 255, 256]],
    [66_000, [0, 65_535, 65_536, 65_999]],
  ])("of a ledger of %i entries holds its entry and is accepted", async (size, indexes) => {
    const dir = await made(size);
    const reader = openReader(dir);
    for (const index of indexes) {
      const text = await proveEntry(dir, reader, index);
      expect(text).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra [\w+/=]+\nindex \d+\n/);
      const checked = checkProof(text, { verifier: keyOf(dir), witnesses: [] });
      expect(checked).toMatchObject({ wrong: [], index, checkpoint: { size } });
      expect(Buffer.from(checked.entry!).toString()).toBe(textsUpTo(index + 1, index)[0]);
      expect(proofText(parseProof(text) as never)).toBe(text);
    }
    await reader.close();
  });

  test("is refused when any byte of it is changed, cut off or added", async () => {
    const dir = await made(300);
    const reader = openReader(dir);
    const whole = Buffer.from(await proveEntry(dir, reader, 17));
    await reader.close();
    const keys = { verifier: keyOf(dir), witnesses: [] };
    const wrongOf = (bytes: Buffer): readonly string[] => checkProof(bytes.toString(), keys).wrong;
    expect(wrongOf(whole)).toEqual([]);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 7);
      expect(wrongOf(changed), `byte ${at}`).toHaveLength(1);
      if (at > 0) expect(wrongOf(whole.subarray(0, at)), `the first ${at}`).toHaveLength(1);
    }
    expect(wrongOf(Buffer.concat([whole, Buffer.from("x")]))).toHaveLength(1);
    expect(wrongOf(Buffer.concat([whole, whole]))).toHaveLength(1);
    const { verifier } = { verifier: keyOf(await made(1)) };
    expect(checkProof(whole.toString(), { verifier, witnesses: [] }).wrong).toEqual([
      expect.stringMatching(/the signature is not valid/),
    ]);
  });

  test("is not made of damaged files, nor of an entry that nothing covers", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 10);
    await ledger.commit();
    await ledger.publish();
    appendEntries(ledger, 5);
    await ledger.commit();
    const reader = openReader(dir);
    await expect(proveEntry(dir, reader, 12)).rejects.toMatchObject({ code: "NOT_COVERED" });
    await expect(proveEntry(dir, reader, 15)).rejects.toMatchObject({ code: "NO_SUCH_ENTRY" });
    await ledger.close();
    const hashes = new TreeHashes(filesIn(dir), 15);
    expect(buffers([await treeRoot(15, hashes.subtree)])).toHaveLength(1);
    const { writeFileSync } = await import("node:fs");
    const path = join(dir, "tile/0/000.p/15");
    const bytes = readFileSync(path);
    bytes[40]! ^= 1;
    writeFileSync(path, bytes);
    await expect(proveEntry(dir, reader, 3)).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    await reader.close();
  });
});
