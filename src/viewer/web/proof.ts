// Checks an inclusion proof in the reader's own browser: the entry's hash, the way up to the root (RFC 6962), that the checkpoint
// names this root and size, and its signature (C2SP signed-note, Ed25519). Trusts the server for nothing but the key.
import type { Proof } from "../api.ts";

export interface Verdict {
  readonly leaf: boolean;
  readonly root: boolean;
  readonly checkpoint: boolean;
  /** Undefined where the browser has no Ed25519. */
  readonly signature: boolean | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (base64: string): Bytes => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const hexOf = (bytes: Bytes): string => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
const textOf = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes));

async function sha256(...parts: readonly Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

/** RFC 9162, 2.1.3.2. Undefined when the path has another length than the tree asks for. */
async function rootOf(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly string[],
): Promise<Bytes | undefined> {
  if (index >= size) return undefined;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  const node = Uint8Array.of(1);
  for (const step of path) {
    if (sn === 0) return undefined;
    const sibling = bytesOf(step);
    if (fn % 2 === 1 || fn === sn) {
      hash = await sha256(node, sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else hash = await sha256(node, hash, sibling);
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? hash : undefined;
}

async function signed(checkpoint: string, vkey: string): Promise<boolean | undefined> {
  const cut = checkpoint.lastIndexOf("\n\n");
  const [name = "", , ...rest] = vkey.trim().split("+");
  const key = bytesOf(rest.join("+"));
  if (cut === -1 || key[0] !== 1) return false;
  const text = new TextEncoder().encode(checkpoint.slice(0, cut + 1));
  let imported: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
  try {
    imported = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return undefined;
  }
  for (const line of checkpoint.slice(cut + 2).split("\n")) {
    if (!line.startsWith(`— ${name} `)) continue;
    const signature = bytesOf(line.slice(name.length + 3).trim()).slice(4);
    if (await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, text)) return true;
  }
  return false;
}

export async function checkProof(entry: string, proof: Proof): Promise<Verdict> {
  const leaf = await sha256(Uint8Array.of(0), new TextEncoder().encode(entry));
  const root = await rootOf(leaf, proof.index, proof.size, proof.path);
  const [origin, size, head] = proof.checkpoint.split("\n");
  return {
    leaf: [hexOf(leaf), textOf(leaf)].includes(proof.leaf),
    root: root !== undefined && textOf(root) === proof.root,
    checkpoint: origin === proof.origin && size === String(proof.size) && head === proof.root,
    signature: await signed(proof.checkpoint, proof.vkey),
  };
}
