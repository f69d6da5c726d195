// C2SP signed notes with Ed25519: keys in their text forms, signing and checking. The cryptography is OpenSSL's.
import {
  type KeyObject,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
} from "node:crypto";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

export interface Verifier {
  readonly name: string;
  /** First 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key). */
  readonly id: Buffer;
  readonly key: KeyObject;
  /** Keys of the same name from before it, whose signatures are taken as well where old ones are looked at. */
  readonly earlier?: readonly Verifier[];
}
export interface Signer extends Verifier {
  /** The Ed25519 signature, 64 bytes. */
  sign(message: Buffer): Buffer | Promise<Buffer>;
}

const ED25519 = 1;
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex"); // DER before the 32 bytes of a private key
const SPKI = Buffer.from("302a300506032b6570032100", "hex"); // DER before the 32 bytes of a public key

function verifierOf(name: string, publicKey: Buffer): Verifier {
  const typed = Buffer.concat([Buffer.of(ED25519), publicKey]);
  const id = hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), typed]), "buffer").subarray(0, 4);
  return {
    name,
    id,
    key: createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" }),
  };
}

const rawPublic = (key: KeyObject): Buffer =>
  key.export({ format: "der", type: "spki" }).subarray(SPKI.length);

/** A key name has no space, no plus sign and is not empty; also the rule for an origin. */
export function validName(name: string): boolean {
  return name !== "" && !/[\s+\p{Cc}]/u.test(name) && name.isWellFormed();
}

/** A new private key in its text form, `PRIVATE+KEY+<name>+<id>+<key>`. Secret. */
export function newSecretText(name: string): string {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8.length);
  const id = verifierOf(name, rawPublic(publicKey)).id.toString("hex");
  return `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(ED25519), seed]).toString("base64")}`;
}

/** Reads a private key's text. Throws LEDGER_KEY, never with the text. */
export function parseSecret(text: string): Signer {
  const m = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/.exec(text);
  const typed = Buffer.from(m?.[3] ?? "", "base64");
  if (m !== null && typed.length === 33 && typed[0] === ED25519) {
    const der = Buffer.concat([PKCS8, typed.subarray(1)]);
    const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const verifier = verifierOf(m[1]!, rawPublic(createPublicKey(secret)));
    if (verifier.id.toString("hex") === m[2])
      return { ...verifier, sign: (message) => sign(null, message, secret) };
  }
  throw new TaplineError("LEDGER_KEY", "the ledger's private key cannot be read", {
    remedy: "Restore ledger.key from a backup.",
  });
}

/** The public key in its text form, `<name>+<id>+<key>`, which verifiers take. */
export function verifierText(verifier: Verifier): string {
  const typed = Buffer.concat([Buffer.of(ED25519), rawPublic(verifier.key)]);
  return `${verifier.name}+${verifier.id.toString("hex")}+${typed.toString("base64")}`;
}

/** The verifier of a public key. */
export function verifierFrom(name: string, key: KeyObject): Verifier {
  return verifierOf(name, rawPublic(key));
}

/** Reads public keys, one a line: the first is the log's, the others are ones that it had before. Throws LEDGER_KEY. */
export function parseVerifiers(text: string): Verifier {
  const [current, ...earlier] = text.trim().split("\n").map(parseVerifier);
  if (earlier.length === 0) return current!;
  if (earlier.every((one) => one.name === current!.name)) return { ...current!, earlier };
  throw new TaplineError("LEDGER_KEY", "the keys are not all of one name");
}

/** Reads a public key's text. Throws LEDGER_KEY. */
export function parseVerifier(text: string): Verifier {
  const m = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/.exec(text);
  const typed = Buffer.from(m?.[3] ?? "", "base64");
  if (m !== null && typed.length === 33 && typed[0] === ED25519) {
    const verifier = verifierOf(m[1]!, typed.subarray(1));
    if (verifier.id.toString("hex") === m[2]) return verifier;
  }
  throw new TaplineError("LEDGER_KEY", "not an Ed25519 verifier key (name+id+key)");
}

/** The line of one signature under a body, which ends with a newline. */
export async function signatureLine(body: string, signer: Signer): Promise<string> {
  const signature = Buffer.concat([signer.id, await signer.sign(Buffer.from(body))]);
  return `— ${signer.name} ${signature.toString("base64")}\n`;
}

export interface NoteSignature {
  readonly name: string;
  readonly id: Buffer;
  /** What follows the key's id. */
  readonly signature: Buffer;
}
export interface Note {
  /** Ends with a newline. */
  readonly body: string;
  readonly signatures: readonly NoteSignature[];
}

/** One line of signatures, without its newline; undefined when it is none. */
export function parseSignature(line: string): NoteSignature | undefined {
  const m = /^— ([^+\s]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
  const bytes = Buffer.from(m?.[2] ?? "", "base64");
  if (m === null || bytes.length < 5 || bytes.toString("base64") !== m[2]) return undefined;
  return { name: m[1]!, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** Takes a note apart and checks none of its signatures; undefined when it is no note. */
export function parseNote(note: string): Note | undefined {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return undefined;
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > LIMITS.note_signatures) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return undefined;
    signatures.push(signature);
  }
  return { body: note.slice(0, split + 1), signatures };
}

/** The body of a note that this key signed, or one that the log had before it; else undefined. Signatures of others are
 * passed over. */
export function openNote(text: string, verifier: Verifier): string | undefined {
  const note = parseNote(text);
  if (note === undefined) return undefined;
  const keys = [verifier, ...(verifier.earlier ?? [])];
  let valid = false;
  for (const { name, id, signature } of note.signatures) {
    const key = keys.find((one) => one.name === name && one.id.equals(id));
    if (key === undefined) continue;
    if (!verify(null, Buffer.from(note.body), key.key, signature)) return undefined;
    valid = true;
  }
  return valid ? note.body : undefined;
}
