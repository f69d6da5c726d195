// The bearer token that clients must show. It comes from a file or the environment, as it is or as its SHA-256; only
// the digest is kept, and compared in constant time. The token reaches no message.
import { hash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TaplineError, reasonOf } from "./errors.ts";

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
    const token = await textOf({ token_file, token_env });
    const digest = DIGEST.exec(token)?.[1];
    if (digest !== undefined) return new Bearer(Buffer.from(digest, "hex"));
    if (isToken(token)) return new Bearer(digestOf(token));
    throw noToken({ token_file, token_env }, ", nor sha256:<its digest>");
  }

  /** Whether an Authorization header shows the token. */
  accepts(header: string | undefined): boolean {
    const shown = /^Bearer +([^ ]+) *$/i.exec(header ?? "")?.[1];
    return shown !== undefined && timingSafeEqual(digestOf(shown), this.#digest);
  }
}

const isToken = (text: string): boolean => /^[\w.~+/=-]+$/.test(text) && text.length >= TOKEN_CHARS_MIN;

/** The token that a client shows; undefined when none is named. Throws SOURCE_SECRET. */
export async function readToken(options: TokenOptions): Promise<string | undefined> {
  if (options.token_file === undefined && options.token_env === undefined) return undefined;
  const token = await textOf(options);
  if (!isToken(token)) throw noToken(options, "");
  return token;
}

async function textOf({ token_file, token_env }: TokenOptions): Promise<string> {
  try {
    const text = token_file === undefined ? process.env[token_env!] : await readFile(token_file, "utf8");
    return (text ?? "").replace(/\r?\n$/, "");
  } catch (cause) {
    throw new TaplineError("SOURCE_SECRET", `cannot read ${token_file}: ${reasonOf(cause)}`, { cause });
  }
}

function noToken({ token_file, token_env }: TokenOptions, or: string): TaplineError {
  const where = token_file ?? `the environment's ${token_env}`;
  return new TaplineError(
    "SOURCE_SECRET",
    `${where} does not hold a token of at least ${TOKEN_CHARS_MIN} characters${or}`,
    { remedy: "make one with: openssl rand -hex 32" },
  );
}
