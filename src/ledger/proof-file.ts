// C2SP tlog-proofs: one text with an entry, its index, its path to the root and the signed checkpoint, which is checked
// with nothing but keys. The entry itself is its extra data.
import { leafHashOf } from "../core/entry.ts";
import { LIMITS } from "../core/limits.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Cosignature, type Witness, cosignaturesOf } from "./cosignature.ts";
import type { Verifier } from "./note.ts";
import { rootByInclusion } from "./proof.ts";

const MAGIC = "c2sp.org/tlog-proof@v1";

export interface Proof {
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** The signed note, as it stands. */
  readonly checkpoint: string;
  readonly entry: Uint8Array | undefined;
}

/** Whether a file begins as a proof does. */
export const looksLikeProof = (head: Uint8Array): boolean =>
  Buffer.from(head).subarray(0, MAGIC.length).toString("latin1") === MAGIC;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

export function proofText({ index, path, checkpoint, entry }: Proof): string {
  const extra = entry === undefined ? [] : [`extra ${base64(entry)}`];
  return [MAGIC, ...extra, `index ${index}`, ...path.map(base64), "", checkpoint].join("\n");
}

/** Reads a proof, or says why it is none. */
export function parseProof(text: string): Proof | string {
  const end = text.indexOf("\n\n");
  if (end < 0) return "it has no checkpoint";
  const lines = text.slice(0, end).split("\n");
  if (lines.shift() !== MAGIC) return `it does not begin with ${MAGIC}`;
  const extra = lines[0]?.startsWith("extra ") === true ? decoded(lines.shift()!.slice(6)) : undefined;
  if (extra === "wrong") return "its extra data are not base64";
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1];
  if (index === undefined || !Number.isSafeInteger(+index)) return "its index is not valid";
  const path: Uint8Array[] = [];
  for (const line of lines) {
    const hash = decoded(line);
    if (hash === "wrong" || hash.length !== 32) return "its path holds a line that is no hash";
    path.push(hash);
  }
  return { index: +index, path, checkpoint: text.slice(end + 2), entry: extra };
}

function decoded(text: string): Buffer | "wrong" {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : "wrong";
}

export interface ProofKeys {
  readonly verifier: Verifier;
  readonly witnesses: readonly Witness[];
}

export interface CheckedProof {
  /** Empty when the entry is in the tree that the checkpoint signs. */
  readonly wrong: readonly string[];
  readonly index?: number;
  readonly checkpoint?: Checkpoint;
  readonly cosignatures: readonly Cosignature[];
  /** The entry, when the proof holds. */
  readonly entry?: Uint8Array;
}

/** Checks a proof against the log's key and those of witnesses. How many of these are enough is for the caller. */
export function checkProof(text: string, { verifier, witnesses }: ProofKeys): CheckedProof {
  const none = { cosignatures: [] };
  const proof = parseProof(text);
  if (typeof proof === "string") return { ...none, wrong: [`not a tlog-proof: ${proof}`] };
  const { index, path, entry } = proof;
  const checkpoint = openCheckpoint(proof.checkpoint, verifier);
  if (typeof checkpoint === "string")
    return { ...none, index, wrong: [`the proof's checkpoint is not valid: ${checkpoint}`] };
  const cosignatures = cosignaturesOf(proof.checkpoint, checkpoint, witnesses);
  const known = { index, checkpoint, cosignatures };
  if (entry === undefined)
    return { ...known, wrong: ["the proof does not hold its entry (the line `extra`)"] };
  if (entry.length > LIMITS.entry_bytes)
    return { ...known, wrong: [`the entry is longer than ${LIMITS.entry_bytes} bytes`] };
  if (index >= checkpoint.size)
    return { ...known, wrong: [`entry ${index} is not in a tree of ${checkpoint.size} entries`] };
  const root = rootByInclusion(leafHashOf(entry), index, checkpoint.size, path);
  if (root === undefined)
    return {
      ...known,
      wrong: [`the path does not have the length for entry ${index} of ${checkpoint.size}`],
    };
  if (Buffer.compare(root, checkpoint.root) !== 0)
    return { ...known, wrong: [`this is not entry ${index} of the tree that the checkpoint signs`] };
  return { ...known, wrong: [], entry };
}
