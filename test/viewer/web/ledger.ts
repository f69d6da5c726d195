// A ledger in memory: leaves, roots and inclusion proofs by RFC 6962's own recursion, and a checkpoint signed by the product's
// signer.
import { createHash } from "node:crypto";
import { newSecretText, parseSecret, verifierText } from "../../../src/ledger/note.ts";
import { checkpointBody } from "../../../src/ledger/checkpoint.ts";
import type { Proof } from "../../../src/viewer/api.ts";

const ORIGIN = "tapline.example/build-07";

const sha = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (entry: string): Buffer => sha(Uint8Array.of(0), Buffer.from(entry));
const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => sha(Uint8Array.of(1), left, right);

/** The greatest power of two below n. */
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return nodeOf(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function pathOf(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

export interface FakeLedger {
  readonly origin: string;
  readonly entries: readonly string[];
  readonly covered: number;
  readonly root: string;
  prove(index: number): Proof | null;
}

/** All but the last few entries are covered by the checkpoint. */
export function ledgerOf(
  entries: readonly string[],
  covered: number = Math.max(1, entries.length - 3),
): FakeLedger {
  const leaves = entries.slice(0, covered).map(leafOf);
  const root = rootOf(leaves);
  const signer = parseSecret(newSecretText(ORIGIN));
  const body = checkpointBody(ORIGIN, covered, root);
  const signature = Buffer.concat([signer.id, signer.sign(Buffer.from(body)) as Buffer]);
  const checkpoint = `${body}\n— ${ORIGIN} ${signature.toString("base64")}\n`;
  return {
    origin: ORIGIN,
    entries,
    covered,
    root: root.toString("base64"),
    prove: (index) =>
      index >= covered
        ? null
        : {
            origin: ORIGIN,
            index,
            size: covered,
            path: pathOf(index, leaves).map((hash) => hash.toString("base64")),
            leaf: leaves[index]!.toString("hex"),
            root: root.toString("base64"),
            checkpoint,
            vkey: verifierText(signer),
            checked: true,
          },
  };
}
