// A change of the ledger's key: the new one signs from now on, the one before it signs too until the overlap ends, so that
// whoever verifies has time to take the new one. Public keys of before are kept, private ones are not.
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { readIfThere } from "./bundles.ts";
import { syncDir } from "../core/durable.ts";
import { placeFile } from "./files.ts";
import { readSigner, writeNewKey } from "./keys.ts";
import { newSecretText, parseSecret, verifierText } from "./note.ts";
import { KEY, OLD_KEY, OLD_VKEY, ROTATION, VKEY } from "./paths.ts";

export interface Rotation {
  /** Ids of the keys, hex. */
  readonly from: string;
  readonly to: string;
  readonly at_ms: number;
  /** When the key before ends to sign; 0 when that is for a signer elsewhere to know. */
  readonly until_ms: number;
  /** What of it the ledger has as an entry. */
  readonly told?: "change" | "end";
}

export async function readRotation(dir: string): Promise<Rotation | undefined> {
  const bytes = await readIfThere(join(dir, ROTATION));
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as Rotation);
}

export async function writeRotation(dir: string, rotation: Rotation): Promise<void> {
  await placeFile(join(dir, ROTATION), [Buffer.from(`${JSON.stringify(rotation)}\n`)], {
    sync: true,
    mode: 0o600,
  });
}

/** Makes a new key in `dir`, whose lock the caller holds. Throws LEDGER_KEY when an overlap has not ended yet. */
export async function rotateKey(dir: string, overlap_ms: number): Promise<Rotation> {
  await finishRotation(dir);
  const old = await readSigner(join(dir, KEY));
  const last = await readRotation(dir);
  if (last !== undefined && last.until_ms > Date.now())
    throw new TaplineError(
      "LEDGER_KEY",
      `the key before signs until ${new Date(last.until_ms).toISOString()}: two keys at a time`,
      { remedy: "wait until then" },
    );
  const text = newSecretText(old.name);
  const fresh = parseSecret(text);
  const at_ms = Date.now();
  const rotation = {
    from: old.id.toString("hex"),
    to: fresh.id.toString("hex"),
    at_ms,
    until_ms: at_ms + overlap_ms,
  };
  await rm(join(dir, OLD_KEY), { force: true });
  if (overlap_ms > 0) await writeNewKey(join(dir, OLD_KEY), await readFile(join(dir, KEY), "utf8"));
  const earlier = (await readIfThere(join(dir, OLD_VKEY)))?.toString() ?? "";
  const line = verifierText(old);
  if (!earlier.startsWith(line))
    await placeFile(join(dir, OLD_VKEY), [Buffer.from(`${line}\n${earlier}`)], { sync: true });
  await rm(join(dir, `${KEY}.new`), { force: true });
  await writeNewKey(join(dir, `${KEY}.new`), text);
  // From here on a crash is made up for by finishRotation.
  await writeRotation(dir, rotation);
  await finishRotation(dir);
  return rotation;
}

/** Puts the new key in its place, when it is not there yet. */
export async function finishRotation(dir: string): Promise<void> {
  const text = (await readIfThere(join(dir, `${KEY}.new`)))?.toString();
  const rotation = await readRotation(dir);
  if (text === undefined || rotation === undefined) return;
  const fresh = parseSecret(text);
  if (fresh.id.toString("hex") !== rotation.to) return; // begun anew, and not decided on
  await placeFile(join(dir, VKEY), [Buffer.from(`${verifierText(fresh)}\n`)], { sync: true });
  await rename(join(dir, `${KEY}.new`), join(dir, KEY));
  await syncDir(dir);
}

/** Removes the key before once its overlap has ended. */
export async function endRotation(dir: string): Promise<void> {
  const rotation = await readRotation(dir);
  if (rotation === undefined || rotation.until_ms > Date.now()) return;
  await rm(join(dir, OLD_KEY), { force: true });
}
