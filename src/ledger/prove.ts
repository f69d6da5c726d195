// Makes the proof of one entry from a ledger's files, and checks it before anybody gets it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { type Verifier, parseVerifier } from "./note.ts";
import { CHECKPOINT, COSIGNED, VKEY } from "./paths.ts";
import { inclusionPath } from "./proof.ts";
import { prunedError } from "./pruned.ts";
import { checkProof, proofText } from "./proof-file.ts";
import type { LedgerReader } from "./reader.ts";
import { filesIn } from "./tree-files.ts";
import { TreeHashes } from "./tree-hashes.ts";

/** The tlog-proof of entry `index`. Throws NO_SUCH_ENTRY, ENTRY_PRUNED, NOT_COVERED, LEDGER_CORRUPT. */
export async function proveEntry(dir: string, reader: LedgerReader, index: number): Promise<string> {
  const verifier = parseVerifier(await readFile(join(dir, VKEY), "utf8"));
  const files = filesIn(dir);
  const chosen = await covering(dir, verifier, index);
  const first = await reader.first();
  if (index < first) throw prunedError(index, first);
  const batch = chosen && (await reader.read(index, 1, LIMITS.entry_bytes + 2));
  if (chosen === undefined || batch === undefined) {
    const entries = await reader.size();
    if (index >= entries)
      throw new TaplineError(
        "NO_SUCH_ENTRY",
        `the ledger has ${entries} entries: ${index} is not one of them`,
      );
    throw new TaplineError("NOT_COVERED", `no checkpoint covers entry ${index} yet`, {
      retry: true,
      remedy: "wait for the next one: a running collector publishes it within seconds",
    });
  }
  const { size, text } = chosen;
  const path = await inclusionPath(index, size, new TreeHashes(files, size).subtree);
  const proof = proofText({ index, path, checkpoint: text, entry: batch.run.subarray(2) });
  const [wrong] = checkProof(proof, { verifier, witnesses: [] }).wrong;
  if (wrong === undefined) return proof;
  throw new TaplineError("LEDGER_CORRUPT", `the ledger in ${dir} does not prove entry ${index}: ${wrong}`, {
    remedy: "run `tapline ledger verify`",
  });
}

/** The newest cosigned checkpoint if it covers the entry, else the ledger's own. */
async function covering(
  dir: string,
  verifier: Verifier,
  index: number,
): Promise<{ size: number; text: string } | undefined> {
  for (const name of [COSIGNED, CHECKPOINT]) {
    const bytes = await filesIn(dir).read(name, LIMITS.checkpoint_bytes);
    if (bytes === undefined || bytes === "too long") continue;
    const text = bytes.toString();
    const checkpoint = openCheckpoint(text, verifier);
    if (typeof checkpoint === "string")
      throw new TaplineError("LEDGER_CORRUPT", `${join(dir, name)} is no checkpoint: ${checkpoint}`, {
        remedy: "run `tapline ledger verify`",
      });
    if (index < checkpoint.size) return { size: checkpoint.size, text };
  }
  return undefined;
}
