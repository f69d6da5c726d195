// C2SP checkpoints: origin, size and root of the tree, as the body of a signed note.
import { type Signer, type Verifier, openNote, signatureLine } from "./note.ts";

export interface Checkpoint {
  readonly origin: string;
  /** Entries covered. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** What is signed of a checkpoint. The name of the key is the origin. */
export function checkpointBody(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

/** The signed text of a checkpoint, ready to publish, with a signature of each. */
export async function signCheckpoint(
  size: number,
  root: Uint8Array,
  signers: readonly Signer[],
): Promise<string> {
  const body = checkpointBody(signers[0]!.name, size, root);
  const lines = await Promise.all(signers.map((signer) => signatureLine(body, signer)));
  return `${body}\n${lines.join("")}`;
}

/** The checkpoint in a text that this key signed for its own origin, or why it is none. */
export function openCheckpoint(text: string, verifier: Verifier): Checkpoint | string {
  const body = openNote(text, verifier);
  return body === undefined ? "the signature is not valid" : readCheckpointBody(body, verifier.name);
}

/** The checkpoint of a body, or why it is none. Signatures are the caller's. */
export function readCheckpointBody(body: string, name: string): Checkpoint | string {
  const [origin, size, root] = body.split("\n");
  if (origin !== name) return `the origin is not ${name}`;
  if (size === undefined || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(+size))
    return "the size is not valid";
  const bytes = Buffer.from(root ?? "", "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== root) return "the root is not valid";
  return { origin, size: +size, root: bytes };
}
