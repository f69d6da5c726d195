// A witness for tests that need none that is not ours: a key, and cosignatures as C2SP tlog-cosignature says (Ed25519).
import { generateKeyPairSync, hash, sign } from "node:crypto";
import { type Witness, parseWitness } from "../../src/ledger/cosignature.ts";

export interface TestWitness {
  readonly vkey: string;
  readonly key: Witness;
  /** The checkpoint with this witness's signature added. */
  cosigned(checkpoint: string, at_s?: number): string;
}

export function newWitness(name: string): TestWitness {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const typed = Buffer.concat([Buffer.of(4), raw]);
  const id = hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), typed]), "buffer").subarray(0, 4);
  const vkey = `${name}+${id.toString("hex")}+${typed.toString("base64")}`;
  return {
    vkey,
    key: parseWitness(vkey),
    cosigned(checkpoint, at_s = 1_790_000_000) {
      const body = checkpoint.slice(0, checkpoint.indexOf("\n\n") + 1);
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(at_s));
      const message = Buffer.from(`cosignature/v1\ntime ${at_s}\n${body}`);
      const signature = Buffer.concat([id, time, sign(null, message, privateKey)]);
      return `${checkpoint}— ${name} ${signature.toString("base64")}\n`;
    },
  };
}
