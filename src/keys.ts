// The installation's secret key for digests, pseudonyms and redaction marks. Made on first run, readable by its owner only.
import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "./core/errors.ts";
import { createFile, makeDirs } from "./core/durable.ts";

const OTHERS = 0o077;
const KEY_BYTES = 32;

/** Directory of the subjects' keys. */
export function subjectKeys(state_dir: string): string {
  return join(state_dir, "keys", "subjects");
}

function digestKey(state_dir: string): string {
  return join(state_dir, "keys", "digest.key");
}

/** The key that is there, for those who only check; undefined when there is none or it is not theirs to read. */
export async function findDigestKey(state_dir: string): Promise<string | undefined> {
  const key = await readFile(digestKey(state_dir), "utf8").catch(() => undefined);
  return key?.trim();
}

export async function loadDigestKey(state_dir: string): Promise<string> {
  const path = digestKey(state_dir);
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) {
      throw new TaplineError("KEY_EXPOSED", `${path} can be read by others`, { remedy: `chmod 600 ${path}` });
    }
    const key = (await readFile(path, "utf8")).trim();
    if (key.length >= KEY_BYTES) return key;
    // With an empty one anybody could work out what pseudonyms and digests stand for.
    throw new TaplineError("KEY_UNREADABLE", `${path} is no key: it has ${key.length} characters`, {
      remedy: "restore it from a backup; where nothing was recorded yet, remove it",
    });
  } catch (error) {
    if (error instanceof TaplineError) throw error;
    if (systemCode(error) !== "ENOENT") {
      throw new TaplineError("KEY_UNREADABLE", `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
    }
  }
  await makeDirs(dirname(path));
  const key = randomBytes(KEY_BYTES).toString("hex");
  await createFile(path, `${key}\n`, 0o600);
  return key;
}
