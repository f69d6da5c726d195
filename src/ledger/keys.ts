// The ledger's key pair on disk: made on the first run, refused when others could have read it.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, systemCode } from "../core/errors.ts";
import { createFile } from "../core/durable.ts";
import { placeFile } from "./files.ts";
import {
  type Signer,
  type Verifier,
  newSecretText,
  parseSecret,
  parseVerifiers,
  validName,
  verifierText,
} from "./note.ts";
import { CHECKPOINT, KEY, OLD_VKEY, VKEY } from "./paths.ts";

/** Throws LEDGER_KEY. */
export function checkOrigin(origin: string): void {
  if (validName(origin)) return;
  throw new TaplineError("LEDGER_KEY", `not a valid origin: ${JSON.stringify(origin)}`, {
    remedy: "Use a name without spaces and plus signs, such as host.example/tapline.",
  });
}

/** The signer of the ledger in `dir`, whose name is the origin; its key is made when there is none. Throws LEDGER_KEY. */
export async function loadSigner(dir: string, origin: string): Promise<Signer> {
  checkOrigin(origin);
  const path = join(dir, KEY);
  if ((await stat(path).catch(ignoreMissing)) === undefined) await createKey(dir, path, origin);
  const signer = await readSigner(path);
  if (signer.name !== origin) {
    throw new TaplineError("LEDGER_KEY", `the key in ${path} is for origin ${signer.name}, not ${origin}`, {
      remedy: "A ledger keeps its origin for ever: set it back, or start a new directory.",
    });
  }
  await checkPublic(dir, signer);
  return signer;
}

/** The signer whose key is in a file. Throws LEDGER_KEY when others could have read it. */
export async function readSigner(path: string): Promise<Signer> {
  if (((await stat(path)).mode & 0o077) !== 0) {
    throw new TaplineError("LEDGER_KEY", `${path} can be read by others than its owner`, {
      remedy: `Treat the key as known to others. If nobody read it: chmod 600 ${path}`,
    });
  }
  return parseSecret(await readFile(path, "utf8"));
}

async function createKey(dir: string, path: string, origin: string): Promise<void> {
  const [checkpoint, vkey] = await Promise.all(
    [CHECKPOINT, VKEY].map((name) => stat(join(dir, name)).catch(ignoreMissing)),
  );
  if ((checkpoint ?? vkey) !== undefined) {
    throw new TaplineError("LEDGER_KEY", `${path} is missing, and the ledger has been signed with it`, {
      remedy: "Restore ledger.key from a backup, or start a new directory.",
    });
  }
  await writeNewKey(path, newSecretText(origin));
}

/** Writes a private key where there is none. */
export async function writeNewKey(path: string, text: string): Promise<void> {
  await createFile(path, `${text.trim()}\n`, 0o600);
}

/** The public key beside the private one: made, or held against it. Throws LEDGER_KEY. */
export async function checkPublic(dir: string, signer: Verifier): Promise<void> {
  const path = join(dir, VKEY);
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  const expected = verifierText(signer);
  if (text === undefined) await placeFile(path, [Buffer.from(`${expected}\n`)], { sync: true });
  else if (text.trim() !== expected) {
    throw new TaplineError("LEDGER_KEY", `${path} does not belong to the private key beside it`, {
      remedy: "One of the two files was replaced: find out by whom, then restore the right one.",
    });
  }
}

/** The log's public key as it lies in its directory, with those of before; undefined when there is none. Throws
 * LEDGER_KEY. */
export async function readVerifiers(dir: string): Promise<Verifier | undefined> {
  const [current, earlier = ""] = await Promise.all(
    [VKEY, OLD_VKEY].map((name) => readFile(join(dir, name), "utf8").catch(ignoreMissing)),
  );
  return current === undefined ? undefined : parseVerifiers(`${current.trim()}\n${earlier}`);
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
  return undefined;
}
