// The newest checkpoint of a ledger as whoever takes it elsewhere needs it: the signed text, and proofs from older sizes.
import { join } from "node:path";
import type { Published } from "./anchors/contract.ts";
import { readIfThere } from "./bundles.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readVerifiers } from "./keys.ts";
import { CHECKPOINT } from "./paths.ts";
import { consistencyPath } from "./proof.ts";
import { filesIn } from "./tree-files.ts";
import { TreeHashes } from "./tree-hashes.ts";
import { corrupt } from "./wal.ts";

/** Undefined before the first checkpoint. Throws LEDGER_CORRUPT. */
export async function readPublished(dir: string): Promise<Published | undefined> {
  const bytes = await readIfThere(join(dir, CHECKPOINT));
  const verifier = await readVerifiers(dir);
  if (bytes === undefined || verifier === undefined) return undefined;
  const text = bytes.toString();
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
