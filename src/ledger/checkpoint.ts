// C2SP checkpoints: origin, size and root of the tree, as the body of a signed note.
import { type Signer, type Verifier, openNote, signNote } from "./note.ts";

export interface Checkpoint {
  readonly origin: string;
  /** Entries covered. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** The signed text of a checkpoint, ready to publish. The name of the key is the origin. */
export function signCheckpoint(size: number, root: Uint8Array, signer: Signer): string {
  return signNote(`${signer.name}\n${size}\n${Buffer.from(root).toString("base64")}\n`, signer);
}

/** The checkpoint in a text that this key signed for its own origin, or why it is none. */
export function openCheckpoint(text: string, verifier: Verifier): Checkpoint | string {
  const body = openNote(text, verifier);
  if (body === undefined) return "the signature is not valid";
  const [origin, size, root] = body.split("\n");
  if (origin !== verifier.name) return `the origin is not ${verifier.name}`;
  if (size === undefined || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(+size))
    return "the size is not valid";
  const bytes = Buffer.from(root ?? "", "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== root) return "the root is not valid";
  return { origin, size: +size, root: bytes };
}
