// The newest checkpoint of a ledger as whoever takes it elsewhere needs it: the signed text, and proofs from older sizes.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import type { Published } from "./anchors/contract.ts";
import { readIfThere } from "./bundles.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { parseVerifier } from "./note.ts";
import { CHECKPOINT, VKEY } from "./paths.ts";
import { consistencyPath } from "./proof.ts";
import { filesIn } from "./tree-files.ts";
import { TreeHashes } from "./tree-hashes.ts";
import { corrupt } from "./wal.ts";

/** Undefined before the first checkpoint. Throws LEDGER_CORRUPT. */
export async function readPublished(dir: string): Promise<Published | undefined> {
  const bytes = await readIfThere(join(dir, CHECKPOINT));
  const vkey = await readFile(join(dir, VKEY), "utf8").catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (bytes === undefined || vkey === undefined) return undefined;
  const text = bytes.toString();
  const verifier = parseVerifier(vkey);
  const checkpoint = openCheckpoint(text, verifier);
  if (typeof checkpoint === "string") throw corrupt(join(dir, CHECKPOINT), 0, checkpoint);
  const { subtree } = new TreeHashes(filesIn(dir), checkpoint.size);
  return {
    ...checkpoint,
    text,
    verifier,
    consistency: (old) => consistencyPath(old, checkpoint.size, subtree),
  };
}
