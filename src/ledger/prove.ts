// Makes proofs of entries from a ledger's files, and checks each before anybody gets it.
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { readVerifiers } from "./keys.ts";
import type { Verifier } from "./note.ts";
import { CHECKPOINT, COSIGNED, VKEY } from "./paths.ts";
import { inclusionPath } from "./proof.ts";
import { prunedError } from "./pruned.ts";
import { checkProof, proofText } from "./proof-file.ts";
import type { LedgerReader } from "./reader.ts";
import { filesIn } from "./tree-files.ts";
import { TreeHashes } from "./tree-hashes.ts";

/** A checkpoint of the ledger as it stood, with what was signed under it. */
export interface Standing extends Checkpoint {
  /** The signed note. */
  readonly text: string;
}

/** Proofs of entries under the checkpoints that stand when it is opened, whatever is published meanwhile. */
export class Prover {
  readonly verifier: Verifier;
  /** The newest cosigned checkpoint, and the ledger's own. */
  readonly cosigned: Standing | undefined;
  readonly own: Standing | undefined;
  readonly #dir: string;
  readonly #reader: LedgerReader;
  readonly #trees = new Map<number, TreeHashes>();

  private constructor(
    dir: string,
    reader: LedgerReader,
    verifier: Verifier,
    standing: (Standing | undefined)[],
  ) {
    this.#dir = dir;
    this.#reader = reader;
    this.verifier = verifier;
    [this.cosigned, this.own] = standing;
  }

  /** Throws LEDGER_CORRUPT, NO_SUCH_PATH when there is no key. */
  static async open(dir: string, reader: LedgerReader): Promise<Prover> {
    const verifier = await readVerifiers(dir);
    if (verifier === undefined)
      throw new TaplineError("NO_SUCH_PATH", `there is no ${VKEY} in ${dir}`, {
        remedy: "name the directory of a ledger",
      });
    const standing = [await standingAt(dir, COSIGNED, verifier), await standingAt(dir, CHECKPOINT, verifier)];
    return new Prover(dir, reader, verifier, standing);
  }

  /** The newest cosigned checkpoint if it covers the entry, else the ledger's own, if that does. */
  covering(index: number): Standing | undefined {
    return [this.cosigned, this.own].find((one) => one !== undefined && index < one.size);
  }

  /** The tlog-proof of entry `index`. Throws NO_SUCH_ENTRY, ENTRY_PRUNED, NOT_COVERED, LEDGER_CORRUPT. */
  async prove(index: number): Promise<string> {
    const chosen = this.covering(index);
    const first = await this.#reader.first();
    if (index < first) throw prunedError(index, first);
    const batch = chosen && (await this.#reader.read(index, 1, LIMITS.entry_bytes + 2));
    if (chosen === undefined || batch === undefined) {
      const entries = await this.#reader.size();
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
    const path = await inclusionPath(index, chosen.size, this.#tree(chosen.size).subtree);
    const proof = proofText({ index, path, checkpoint: chosen.text, entry: batch.run.subarray(2) });
    const [wrong] = checkProof(proof, { verifier: this.verifier, witnesses: [] }).wrong;
    if (wrong === undefined) return proof;
    throw new TaplineError(
      "LEDGER_CORRUPT",
      `the ledger in ${this.#dir} does not prove entry ${index}: ${wrong}`,
      {
        remedy: "run `tapline ledger verify`",
      },
    );
  }

  #tree(size: number): TreeHashes {
    const tree = this.#trees.get(size) ?? new TreeHashes(filesIn(this.#dir), size);
    this.#trees.set(size, tree);
    return tree;
  }
}

/** The tlog-proof of entry `index`. Throws NO_SUCH_ENTRY, ENTRY_PRUNED, NOT_COVERED, LEDGER_CORRUPT. */
export async function proveEntry(dir: string, reader: LedgerReader, index: number): Promise<string> {
  return (await Prover.open(dir, reader)).prove(index);
}

async function standingAt(dir: string, name: string, verifier: Verifier): Promise<Standing | undefined> {
  const bytes = await filesIn(dir).read(name, LIMITS.checkpoint_bytes);
  if (bytes === undefined || bytes === "too long") return undefined;
  const text = bytes.toString();
  const checkpoint = openCheckpoint(text, verifier);
  if (typeof checkpoint !== "string") return { ...checkpoint, text };
  throw new TaplineError("LEDGER_CORRUPT", `${join(dir, name)} is no checkpoint: ${checkpoint}`, {
    remedy: "run `tapline ledger verify`",
  });
}
