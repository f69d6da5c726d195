// C2SP cosignatures: what a witness says about a checkpoint, that it is consistent with all it saw before, and when. Reads
// their keys and checks their signatures, Ed25519 and ML-DSA-44. Makes none: a ledger is no witness of its own.
import { type KeyObject, createPublicKey, hash, verify } from "node:crypto";
import { TaplineError } from "../core/errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type NoteSignature, parseNote } from "./note.ts";

export interface Witness {
  readonly name: string;
  /** First 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
  readonly id: Buffer;
  readonly key: KeyObject;
  readonly type: number;
}

export interface Cosignature {
  readonly witness: string;
  /** When the witness signed, by its clock, seconds since 1970. */
  readonly at_s: number;
}

const ED25519 = 4;
const ML_DSA_44 = 6;
/** By type: bytes of a public key, and the DER before them. */
const KEYS: ReadonlyMap<number, { bytes: number; spki: Buffer }> = new Map([
  [ED25519, { bytes: 32, spki: Buffer.from("302a300506032b6570032100", "hex") }],
  [ML_DSA_44, { bytes: 1_312, spki: Buffer.from("30820532300b06096086480165030403110382052100", "hex") }],
]);

/** Reads a witness's key in its text form, `<name>+<id>+<key>`. Throws LEDGER_KEY. */
export function parseWitness(text: string): Witness {
  const m = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/.exec(text);
  const typed = Buffer.from(m?.[3] ?? "", "base64");
  const kind = KEYS.get(typed[0] ?? 0);
  if (m === null || kind === undefined || typed.length !== 1 + kind.bytes) {
    throw new TaplineError("LEDGER_KEY", "not the key of a witness (name+id+key, Ed25519 or ML-DSA-44)", {
      remedy: "take the key for cosignatures (type 4 or 6), as the witness publishes it",
    });
  }
  const id = hash("sha256", Buffer.concat([Buffer.from(`${m[1]}\n`), typed]), "buffer").subarray(0, 4);
  if (id.toString("hex") !== m[2])
    throw new TaplineError("LEDGER_KEY", `the key of the witness ${m[1]} does not have the id ${m[2]}`);
  const der = Buffer.concat([kind.spki, typed.subarray(1)]);
  return {
    name: m[1]!,
    id,
    key: createPublicKey({ key: der, format: "der", type: "spki" }),
    type: typed[0]!,
  };
}

/** What the witness signed, for each type of key. */
function messageOf(witness: Witness, checkpoint: Checkpoint, body: string, time: Buffer): Buffer {
  if (witness.type === ED25519) {
    return Buffer.from(`cosignature/v1\ntime ${time.readBigUInt64BE()}\n${body}`);
  }
  const range = Buffer.alloc(16);
  range.writeBigUInt64BE(BigInt(checkpoint.size), 8);
  return Buffer.concat([
    Buffer.from("subtree/v1\n\0"),
    named(witness.name),
    time,
    named(checkpoint.origin),
    range,
    checkpoint.root,
  ]);
}

function named(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** The cosignature, when it is that of this witness and valid. */
export function openCosignature(
  { name, id, signature }: NoteSignature,
  witness: Witness,
  checkpoint: Checkpoint,
  body: string,
): Cosignature | undefined {
  if (name !== witness.name || !id.equals(witness.id) || signature.length <= 8) return undefined;
  const time = signature.subarray(0, 8);
  const at_s = time.readBigUInt64BE();
  if (at_s === 0n || at_s > 8_640_000_000_000n) return undefined; // no time, or none that a date can be
  const message = messageOf(witness, checkpoint, body, time);
  if (!verify(null, message, witness.key, signature.subarray(8))) return undefined;
  return { witness: name, at_s: Number(at_s) };
}

/** The valid cosignatures of these witnesses under a checkpoint's text, one a key. Others are passed over. */
export function cosignaturesOf(
  text: string,
  checkpoint: Checkpoint,
  witnesses: readonly Witness[],
): Cosignature[] {
  const note = parseNote(text);
  if (note === undefined) return [];
  const found: Cosignature[] = [];
  for (const witness of witnesses) {
    const one = note.signatures
      .map((signature) => openCosignature(signature, witness, checkpoint, note.body))
      .find((cosignature) => cosignature !== undefined);
    if (one !== undefined) found.push(one);
  }
  return found;
}
