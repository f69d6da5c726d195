// A signer whose key stays in a PKCS#11 token, through `pkcs11-tool` of OpenSC: Ed25519 (CKM_EDDSA). The PIN goes by the
// environment, never by an argument.
import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { runTool } from "./anchors/tool.ts";
import { type Signer, verifierFrom } from "./note.ts";

const PIN = "TAPLINE_PKCS11_PIN";

export interface TokenKey {
  /** Path of the token's module. */
  readonly module: string;
  /** Label of the key pair. */
  readonly label: string;
  readonly pin: string;
}

/** The signer of a key in a token, tried once. Throws LEDGER_KEY, ANCHOR_FAILED with what the tool says. */
export async function openToken(name: string, { module, label, pin }: TokenKey): Promise<Signer> {
  const never = new AbortController().signal;
  const tool = (...args: string[]): Promise<string> =>
    runTool("pkcs11-tool", ["--module", module, "--label", label, ...args], "pkcs11-tool", never, {
      [PIN]: pin,
    });
  const key = await inDirectory(async (dir) => {
    const out = join(dir, "public");
    await tool("--read-object", "--type", "pubkey", "--output-file", out);
    return createPublicKey(await readFile(out));
  });
  if (key.asymmetricKeyType !== "ed25519")
    throw new TaplineError("LEDGER_KEY", `the key ${label} in the token is not Ed25519`, {
      remedy: "make one: pkcs11-tool --keypairgen --key-type EC:edwards25519",
    });
  const sign = (message: Buffer): Promise<Buffer> =>
    inDirectory(async (dir) => {
      const [data, out] = [join(dir, "data"), join(dir, "signature")];
      await writeFile(data, message);
      const files = ["--input-file", data, "--output-file", out];
      await tool("--login", "--pin", `env:${PIN}`, "--sign", "--mechanism", "EDDSA", ...files);
      const signature = await readFile(out);
      if (verify(null, message, key, signature)) return signature;
      throw new TaplineError(
        "LEDGER_KEY",
        `the token's signature by ${label} is not valid under its public key`,
      );
    });
  await sign(Buffer.from("tapline"));
  return { ...verifierFrom(name, key), sign };
}

/** Work in a directory of its own, removed at the end. */
async function inDirectory<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "tapline-token-"));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
