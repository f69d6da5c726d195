// What signs the checkpoints of a ledger: the key beside it, or a process that holds the key and keeps to what it signed
// before. The latter may be away, and it may refuse.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { loadSigner, readSigner, readVerifiers } from "./keys.ts";
import type { Signer, Verifier } from "./note.ts";
import { KEY, OLD_KEY } from "./paths.ts";
import { endRotation, finishRotation, readRotation } from "./rotation.ts";
import { RemoteSigning } from "./signer-client.ts";

/** Proof that the tree of `old` entries is the beginning of the one to be signed. */
export type Consistency = (old: number) => Promise<readonly Uint8Array[]>;

export interface CheckpointSigner {
  /** The log's key, with those of before. */
  readonly verifier: Verifier;
  /** Where the key is, when it is not beside the ledger. */
  readonly place: string | undefined;
  /** The text of a checkpoint over these entries, signed. Throws Contradiction when the signer signed another history before,
   * LEDGER_SIGNER when it cannot be asked. */
  sign(size: number, root: Uint8Array, consistency: Consistency): Promise<string>;
}

/** The signer of the ledger in `dir`: a process behind a socket, else the key beside it, made on the first run. Throws
 * LEDGER_KEY, LEDGER_SIGNER. */
export async function openSigner(
  dir: string,
  origin: string,
  socket: string | undefined,
): Promise<CheckpointSigner> {
  if (socket === undefined) return openLocal(dir, origin);
  const key = await stat(join(dir, KEY)).catch(() => undefined);
  if (key !== undefined)
    throw new TaplineError(
      "LEDGER_KEY",
      `${join(dir, KEY)} lies beside the ledger, and a signer is configured`,
      {
        remedy: "move it into the signer's directory, so that nobody has it here",
      },
    );
  return RemoteSigning.open(dir, origin, socket);
}

async function openLocal(dir: string, origin: string): Promise<CheckpointSigner> {
  const keys = await openKeys(dir, origin);
  const { verifier } = keys;
  return { verifier, place: undefined, sign: (size, root) => signCheckpoint(size, root, keys.signers()) };
}

export interface Keys {
  /** The log's key, with those of before. */
  readonly verifier: Verifier;
  /** Those that sign now: the key, and the one before it while both do. */
  signers(): readonly Signer[];
}

/** The keys in a directory, the current one made when there is none. Throws LEDGER_KEY. */
export async function openKeys(dir: string, origin: string): Promise<Keys> {
  await finishRotation(dir);
  await endRotation(dir);
  const current = await loadSigner(dir, origin);
  const verifier = (await readVerifiers(dir))!;
  const until_ms = (await readRotation(dir))?.until_ms ?? 0;
  const old = until_ms > Date.now() ? await readSigner(join(dir, OLD_KEY)) : undefined;
  return {
    verifier,
    signers: () => (old !== undefined && until_ms > Date.now() ? [current, old] : [current]),
  };
}
