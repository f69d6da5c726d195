// Checkpoints kept as files in a directory, one a size: what is there is held against what comes, then the new one is added.
// Never replaces a file.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../../core/errors.ts";
import { type Checkpoint, openCheckpoint } from "../checkpoint.ts";
import { CHECKPOINT_FILE } from "../claims.ts";
import { padded } from "../paths.ts";
import { isConsistent } from "../proof.ts";
import { type Published, Contradiction } from "./contract.ts";
import { placeNew } from "../files.ts";

/** Adds a checkpoint to the directory, unless it is there. Returns its file. Throws Contradiction, ANCHOR_FAILED. */
export async function keepCheckpoint(dir: string, published: Published): Promise<string> {
  try {
    const held = await holdNewest(dir, published);
    const path = join(dir, `${padded(published.size)}.checkpoint`);
    // One of this size may bear other signatures: keys change.
    if (held !== published.size) await placeNew(path, Buffer.from(published.text));
    return path;
  } catch (cause) {
    if (cause instanceof Contradiction || cause instanceof TaplineError) throw cause;
    throw new TaplineError("ANCHOR_FAILED", `cannot keep a checkpoint in ${dir}: ${reasonOf(cause)}`, {
      retry: true,
      remedy: "check the directory and its permissions; it is not made by the collector",
      cause,
    });
  }
}

/** Throws Contradiction unless what is held at `place` is the beginning of what comes. */
export async function holdAgainst(held: Checkpoint, place: string, published: Published): Promise<void> {
  if (held.size > published.size)
    throw new Contradiction(
      `${place} covers ${held.size} entries, the ledger's checkpoint ${published.size}: entries were cut off`,
    );
  const proof = await published.consistency(held.size);
  if (!isConsistent(held.size, held.root, published.size, published.root, proof))
    throw new Contradiction(`${place} is not the beginning of this ledger: history was rewritten`);
}

/** Holds the newest checkpoint that is there against the one that comes. Returns its size; 0 when there is none. */
async function holdNewest(dir: string, published: Published): Promise<number> {
  const names = (await readdir(dir)).filter((name) => CHECKPOINT_FILE.test(name)).toSorted();
  for (const name of names.toReversed()) {
    const path = join(dir, name);
    const held = openCheckpoint(await textOf(path), published.verifier);
    if (typeof held === "string") continue; // of another ledger, or no checkpoint at all
    await holdAgainst(held, path, published);
    return held.size;
  }
  return 0;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  }
}
