// The ledger's key pair on disk: made on the first run, refused when others could have read it.
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, systemCode } from "../core/errors.ts";
import { placeFile, syncDir } from "./files.ts";
import { type Signer, newSecretText, parseSecret, validName, verifierText } from "./note.ts";
import { CHECKPOINT, KEY, VKEY } from "./paths.ts";

/** The signer of the ledger in `dir`, whose name is the origin. Throws LEDGER_KEY. */
export async function loadSigner(dir: string, origin: string): Promise<Signer> {
  if (!validName(origin)) {
    throw new TaplineError("LEDGER_KEY", `not a valid origin: ${JSON.stringify(origin)}`, {
      remedy: "Use a name without spaces and plus signs, such as host.example/tapline.",
    });
  }
  const path = join(dir, KEY);
  const info = await stat(path).catch(ignoreMissing);
  if (info === undefined) await createKey(dir, path, origin);
  else if ((info.mode & 0o077) !== 0) {
    throw new TaplineError("LEDGER_KEY", `${path} can be read by others than its owner`, {
      remedy: `Treat the key as known to others. If nobody read it: chmod 600 ${path}`,
    });
  }
  const signer = parseSecret(await readFile(path, "utf8"));
  if (signer.name !== origin) {
    throw new TaplineError("LEDGER_KEY", `the key in ${path} is for origin ${signer.name}, not ${origin}`, {
      remedy: "A ledger keeps its origin for ever: set it back, or start a new directory.",
    });
  }
  await checkPublic(dir, signer);
  return signer;
}

async function createKey(dir: string, path: string, origin: string): Promise<void> {
  if ((await stat(join(dir, CHECKPOINT)).catch(ignoreMissing)) !== undefined) {
    throw new TaplineError("LEDGER_KEY", `${path} is missing, and the ledger has been signed with it`, {
      remedy: "Restore ledger.key from a backup, or start a new directory.",
    });
  }
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(`${newSecretText(origin)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDir(dir);
}

async function checkPublic(dir: string, signer: Signer): Promise<void> {
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

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
  return undefined;
}
