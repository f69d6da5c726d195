// `tapline ledger verify DIR`: checks every entry, tile, root and checkpoint of a ledger, and says from where it is wrong.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createDigest } from "../core/digest.ts";
import { TaplineError } from "../core/errors.ts";
import { findDigestKey } from "../keys.ts";
import { Progress } from "../progress.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { type Command, UsageError, readArgs, readConfig } from "./usage.ts";

export const ledger: Command = {
  about: "verify a ledger: entries, tiles, root, checkpoints",
  help: `usage: tapline ledger verify [DIR] [-c FILE] [--vkey FILE] [--checkpoint FILE]… [--json]

  DIR                 directory of the ledger (default: that of the configuration)
  --vkey FILE         the key to check signatures with (default: the one beside the ledger)
  --checkpoint FILE   a checkpoint saved earlier, by somebody else: must be a prefix of the ledger

Blobs are checked in full where the installation's digest key is (keys/digest.key beside the ledger), else their
presence and length; the output says which.

Exit code 1 when something is wrong.`,
  async run(argv) {
    const options = {
      config: { type: "string", short: "c" },
      vkey: { type: "string" },
      checkpoint: { type: "string", multiple: true },
      json: { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const [action, named] = positionals;
    if (action !== "verify" || positionals.length > 2) throw new UsageError("say what: verify");
    const dir = named ?? join((await readConfig(values.config)).state_dir, "ledger");
    if (!existsSync(dir)) {
      throw new TaplineError("NO_SUCH_PATH", `${dir} does not exist`, {
        remedy: "name the directory of a ledger",
      });
    }
    const key = await findDigestKey(dirname(resolve(dir)));
    const progress = new Progress();
    let checked = 0;
    if (values.json !== true) progress.start(() => `checked ${checked.toLocaleString("en-US")} entries`);
    const result = await verifyLedger(dir, {
      ...(values.vkey === undefined ? {} : { vkey: values.vkey }),
      checkpoints: values.checkpoint ?? [],
      digest: key === undefined ? undefined : createDigest(key),
      progress: (entries: number) => (checked = entries),
    });
    progress.stop();
    if (values.json === true) console.log(JSON.stringify(result));
    else {
      for (const finding of result.findings) console.log(`WRONG  ${finding.message}`);
      for (const note of result.notes) console.log(`note   ${note}`);
      console.log(
        `${result.findings.length === 0 ? "verified" : "NOT VERIFIED"}: ${result.entries.toLocaleString("en-US")} entries, ` +
          `${result.size.toLocaleString("en-US")} covered by a checkpoint`,
      );
    }
    return result.findings.length === 0 ? 0 : 1;
  },
};
