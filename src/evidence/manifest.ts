// The manifest of a pack: the digest of every file, and a signed note over the manifest. The note's first line is no origin of a
// log, so that what is signed here can never be taken for a checkpoint.
import { hash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Signer, parseSecret, signatureLine } from "../ledger/note.ts";
import { KEY } from "../ledger/paths.ts";
import type { Pack, PackFile } from "./model.ts";

export const MANIFEST = "manifest.json";
export const MANIFEST_NOTE = "manifest.note";
const FIRST_LINE = "tapline evidence manifest";

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

export async function manifestNote(manifest: string, signer: Signer): Promise<string> {
  const body = `${FIRST_LINE}\n${hash("sha256", manifest)}\n`;
  return `${body}\n${await signatureLine(body, signer)}`;
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

/** The key that signs a manifest: that of the file, else the ledger's; undefined when the ledger's is not at hand, as in a copy.
 * Throws LEDGER_KEY, FILE_UNREADABLE. */
export async function signerOf(ledger_dir: string, file: string | undefined): Promise<Signer | undefined> {
  const path = file ?? join(ledger_dir, KEY);
  try {
    return parseSecret(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    if (file === undefined && ["ENOENT", "EACCES"].includes(systemCode(cause) ?? "")) return undefined;
    throw new TaplineError("FILE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path and its permissions",
      cause,
    });
  }
}
