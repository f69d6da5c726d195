// The manifest of a pack: the digest of every file, and who signs a note over it. What that note says is in ledger/manifest-note.ts.
import { hash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { readVerifiers } from "../ledger/keys.ts";
import { manifestBody } from "../ledger/manifest-note.ts";
import { type Signer, type Verifier, parseSecret, signatureLine, verifierText } from "../ledger/note.ts";
import { KEY } from "../ledger/paths.ts";
import { isThere, signManifest } from "../ledger/signer-client.ts";
import type { Pack, PackFile } from "./model.ts";

export const MANIFEST = "manifest.json";
export const MANIFEST_NOTE = "manifest.note";

const schema = z.object({
  format: z.literal("tapline-manifest-1"),
  files: z.array(
    z.object({
      // Names that the pack makes itself: relative, and without steps up.
      path: z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().min(0),
    }),
  ),
});

export function manifestText({ report, files }: Pack): string {
  const { made_at, version, integrity } = report;
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return `${JSON.stringify({ format: "tapline-manifest-1", made_at, version, origin: integrity.origin, files: sorted }, undefined, 1)}\n`;
}

/** Who signs a manifest. */
export interface ManifestSigner {
  /** Public key, as verifiers take it. */
  readonly vkey: string;
  /** Whether it is the ledger's. */
  readonly key: "log" | "own";
  /** The signed note over a manifest. */
  note(manifest: string): Promise<string>;
}

/** The files that a pack says it has. Throws PACK_INVALID. */
export async function readManifest(dir: string): Promise<PackFile[]> {
  const path = join(dir, MANIFEST);
  try {
    if ((await stat(path)).size > LIMITS.pack_manifest_bytes)
      throw new Error(`larger than ${LIMITS.pack_manifest_bytes} bytes`);
    return schema.parse(JSON.parse(await readFile(path, "utf8"))).files;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? "it is no manifest of a pack" : reasonOf(cause);
    throw new TaplineError("PACK_INVALID", `${path} cannot be read: ${why}`, {
      remedy: "name the directory of a pack, as `tapline report --out` made it",
      cause,
    });
  }
}

/** Who signs: the key of the file, else the ledger's, beside it or in the process at `socket`; undefined when that is not at hand,
 * as in a copy. Throws LEDGER_KEY, FILE_UNREADABLE. */
export async function signerOf(
  ledger_dir: string,
  file: string | undefined,
  socket?: string,
): Promise<ManifestSigner | undefined> {
  const log = await readVerifiers(ledger_dir);
  if (file === undefined && socket !== undefined) return log && remoteSigner(socket, log);
  const signer = await readKey(file ?? join(ledger_dir, KEY), file === undefined);
  if (signer === undefined) return undefined;
  const vkey = verifierText(signer);
  return {
    vkey,
    key: log !== undefined && vkey === verifierText(log) ? "log" : "own",
    async note(manifest) {
      const body = manifestBody(hash("sha256", manifest));
      return `${body}\n${await signatureLine(body, signer)}`;
    },
  };
}

async function remoteSigner(socket: string, log: Verifier): Promise<ManifestSigner | undefined> {
  const vkey = verifierText(log);
  if (!(await isThere(socket, log))) return undefined;
  return { vkey, key: "log", note: (manifest) => signManifest(socket, hash("sha256", manifest), log) };
}

async function readKey(path: string, optional: boolean): Promise<Signer | undefined> {
  try {
    return parseSecret(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    if (optional && ["ENOENT", "EACCES"].includes(systemCode(cause) ?? "")) return undefined;
    throw new TaplineError("FILE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path and its permissions",
      cause,
    });
  }
}
