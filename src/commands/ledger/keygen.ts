// `tapline ledger keygen --rotate`: a new key for a ledger, or for its signer; the one before it signs too for a time.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { TaplineError } from "../../core/errors.ts";
import { lockLedger } from "../../ledger/lock.ts";
import { Ledger } from "../../ledger/log.ts";
import { parseVerifier } from "../../ledger/note.ts";
import { CHECKPOINT, KEY, VKEY } from "../../ledger/paths.ts";
import { rotateKey } from "../../ledger/rotation.ts";
import { UsageError, readArgs, readConfig, readNumber } from "../usage.ts";
import { readFile } from "node:fs/promises";

const OVERLAP_DAYS = 30;
const DAY_MS = 86_400_000;

export async function keygen(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    rotate: { type: "boolean" },
    "overlap-days": { type: "string" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  if (values.rotate !== true)
    throw new UsageError("a first key is made by itself; to change a ledger's key say --rotate");
  if (positionals.length > 1) throw new UsageError("one directory at a time");
  const days = readNumber(values["overlap-days"], "--overlap-days") ?? OVERLAP_DAYS;
  const dir = resolve(positionals[0] ?? join((await readConfig(values.config)).state_dir, "ledger"));
  if (!existsSync(join(dir, KEY)))
    throw new TaplineError("NO_SUCH_PATH", `there is no ${KEY} in ${dir}`, {
      remedy: "name the directory of the ledger, or of its signer; a key in a token is changed there",
    });
  const release = lockLedger(dir);
  const rotation = await rotateKey(dir, days * DAY_MS).finally(release);
  const vkey = (await readFile(join(dir, VKEY), "utf8")).trim();
  // Signed with the new key at once, so that no verification falls between the two.
  if (existsSync(join(dir, CHECKPOINT))) {
    const { ledger } = await Ledger.open({ dir, origin: parseVerifier(vkey).name, log: () => undefined });
    await ledger.close();
  }
  console.log(`key         ${vkey}`);
  console.log(
    days === 0
      ? `before      ${rotation.from} signs no more`
      : `before      ${rotation.from} signs too until ${new Date(rotation.until_ms).toISOString()}`,
  );
  console.log(
    "hand the new key to whoever verifies, by another way than the ledger; the next start records the change",
  );
  return 0;
}
