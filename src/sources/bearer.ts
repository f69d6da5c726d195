// The bearer token that clients must show. It comes from a file or the environment, as it is or as its SHA-256; only
// the digest is kept, and compared in constant time. The token reaches no message.
import { hash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TaplineError, reasonOf } from "../core/errors.ts";

const DIGEST = /^sha256:([\da-f]{64})$/i;
const TOKEN_CHARS_MIN = 16;

export interface TokenOptions {
  readonly token_file?: string | undefined;
  readonly token_env?: string | undefined;
}

const digestOf = (token: string): Buffer => hash("sha256", token, "buffer");

export class Bearer {
  readonly #digest: Buffer;

  private constructor(digest: Buffer) {
    this.#digest = digest;
  }

  /** Undefined when none is asked for. Throws SOURCE_SECRET. */
  static async read({ token_file, token_env }: TokenOptions): Promise<Bearer | undefined> {
    if (token_file === undefined && token_env === undefined) return undefined;
    const where = token_file ?? `the environment's ${token_env}`;
    const text = token_file === undefined ? process.env[token_env!] : await readToken(token_file);
    const token = (text ?? "").replace(/\r?\n$/, "");
    const digest = DIGEST.exec(token)?.[1];
    if (digest !== undefined) return new Bearer(Buffer.from(digest, "hex"));
    if (/^[\w.~+/=-]+$/.test(token) && token.length >= TOKEN_CHARS_MIN) return new Bearer(digestOf(token));
    throw new TaplineError(
      "SOURCE_SECRET",
      `${where} does not hold a token of at least ${TOKEN_CHARS_MIN} characters, nor sha256:<its digest>`,
      { remedy: "make one with: openssl rand -hex 32" },
    );
  }

  /** Whether an Authorization header shows the token. */
  accepts(header: string | undefined): boolean {
    const shown = /^Bearer +([^ ]+) *$/i.exec(header ?? "")?.[1];
    return shown !== undefined && timingSafeEqual(digestOf(shown), this.#digest);
  }
}

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TaplineError("SOURCE_SECRET", `cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}
