// `tapline ledger signer`: holds a ledger's key in a process of its own, until it is stopped, and signs only what continues what
// it signed before.
import { chmod, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { readSecret } from "../../core/secrets.ts";
import { checkPublic } from "../../ledger/keys.ts";
import { lockLedger } from "../../ledger/lock.ts";
import { verifierText } from "../../ledger/note.ts";
import { openToken } from "../../ledger/pkcs11.ts";
import { SignerServer } from "../../ledger/signer-server.ts";
import { type Keys, openKeys } from "../../ledger/signing.ts";
import { UsageError, readArgs } from "../usage.ts";

export async function signer(argv: readonly string[]): Promise<number> {
  const options = {
    dir: { type: "string" },
    socket: { type: "string" },
    origin: { type: "string" },
    "pkcs11-module": { type: "string" },
    "pkcs11-label": { type: "string" },
    "pin-file": { type: "string" },
  } as const;
  const { values } = readArgs(argv, { options });
  const {
    dir: named,
    socket,
    origin,
    "pkcs11-module": module,
    "pkcs11-label": label,
    "pin-file": pin,
  } = values;
  if (named === undefined || socket === undefined || origin === undefined)
    throw new UsageError("--dir, --socket and --origin are needed");
  const token = [module, label, pin].filter((one) => one !== undefined).length;
  if (token !== 0 && token !== 3)
    throw new UsageError("--pkcs11-module, --pkcs11-label and --pin-file go together");
  const dir = resolve(named);
  if ((await mkdir(dir, { recursive: true })) !== undefined) await chmod(dir, 0o700);
  const release = lockLedger(dir);
  try {
    const keys =
      module === undefined
        ? await openKeys(dir, origin)
        : await tokenKeys(dir, origin, module, label!, await readSecret(pin!));
    const server = await SignerServer.open({ dir, socket: resolve(socket), ...keys });
    console.log(`signing     for ${origin} at ${resolve(socket)}, ${server.size} entries signed so far`);
    console.log(
      `key         ${verifierText(keys.verifier)}${module === undefined ? "" : `, in the token ${module}`}`,
    );
    await new Promise<void>((stop) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop());
    });
    await server.close();
    return 0;
  } finally {
    release();
  }
}

async function tokenKeys(
  dir: string,
  origin: string,
  module: string,
  label: string,
  pin: string,
): Promise<Keys> {
  const signing = await openToken(origin, { module, label, pin });
  await checkPublic(dir, signing);
  return { verifier: signing, signers: () => [signing] };
}
