// The browser's check of inclusion proofs against proofs made otherwise: right ones hold, and nothing that was changed does.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkProof } from "../../../src/viewer/web/proof.ts";
import { ledgerOf } from "./ledger.ts";

const ALL = { leaf: true, root: true, checkpoint: true, signature: true };

test("every entry of trees of many sizes is proven, a changed entry, path, root or checkpoint is not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.string(), async (size, pick, text) => {
      const ledger = ledgerOf(
        Array.from({ length: size }, (_, i) => JSON.stringify({ i, text: text.toWellFormed() })),
        size,
      );
      const index = pick % size;
      const proof = ledger.prove(index)!;
      const entry = ledger.entries[index]!;
      expect(await checkProof(entry, proof)).toEqual(ALL);
      expect((await checkProof(`${entry} `, proof)).leaf).toBe(false);
      expect((await checkProof(`${entry} `, proof)).root).toBe(false);
      const longer = { ...proof, path: [...proof.path, proof.root] };
      expect((await checkProof(entry, longer)).root).toBe(false);
      if (size > 1) {
        expect((await checkProof(entry, { ...proof, index: (index + 1) % size })).root).toBe(false);
        expect((await checkProof(entry, { ...proof, path: proof.path.slice(1) })).root).toBe(false);
      }
      const grown = { ...proof, checkpoint: proof.checkpoint.replace(`\n${size}\n`, `\n${size + 1}\n`) };
      expect(await checkProof(entry, grown)).toMatchObject({ checkpoint: false, signature: false });
      const other = ledgerOf(["another"], 1).prove(0)!;
      expect((await checkProof(entry, { ...proof, vkey: other.vkey })).signature).toBe(false);
    }),
    { numRuns: 60 },
  );
});
