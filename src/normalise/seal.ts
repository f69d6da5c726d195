// Fields as ciphertext under a person's key: `[SEALED:v1:<subject>:<base64url(nonce, ciphertext, tag)>]`, AES-256-GCM.
// A key is a file; when it is erased, all that was sealed under it is gone. Does not decide what is sealed.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/** How a sealed text begins. */
export const SEALED = "[SEALED:v1:";
const FORM = /\[SEALED:v1:([0-9a-f]{32}):([A-Za-z0-9_-]{38,})\]/g;
const SUBJECT = /^[0-9a-f]{32}$/;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealer {
  /** Ciphertext of `text` under the key of `subject` (32 hex digits), which is made when there is none. */
  seal(subject: string, text: string): string;
  /** Whether there may be a key: without one, nothing that was sealed can be opened. */
  readonly holds: boolean;
  /** Entry bytes with every sealed text opened; left as it is where the key is gone or the text was changed. */
  open(entry: Uint8Array): Uint8Array;
}

/** Keys are in `<directory>/<subject>.key`, mode 0600. The same directory serves workers and sinks. */
export function createSealer(directory: string): Sealer {
  return new FileSealer(directory);
}

class FileSealer implements Sealer {
  readonly #directory: string;
  /** The directory of keys was seen. */
  #made = false;
  /** Keys for sealing; a key whose file is gone is not used again. Opening always reads the file. */
  readonly #keys = new Map<string, Buffer>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get holds(): boolean {
    return (this.#made ||= existsSync(this.#directory));
  }

  seal(subject: string, text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#sealingKey(subject), nonce);
    cipher.setAAD(Buffer.from(subject));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${SEALED}${subject}:${sealed.toString("base64url")}]`;
  }

  open(entry: Uint8Array): Uint8Array {
    const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
    if (bytes.indexOf(SEALED) === -1) return entry;
    const opened = bytes.toString().replace(FORM, (whole, subject: string, sealed: string) => {
      const text = this.#unseal(subject, Buffer.from(sealed, "base64url"));
      return text === undefined ? whole : JSON.stringify(text).slice(1, -1);
    });
    return Buffer.from(opened);
  }

  #unseal(subject: string, sealed: Buffer): string | undefined {
    const key = readKey(this.#path(subject));
    if (key === undefined) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(subject));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      const text = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString();
    } catch {
      return undefined; // Sealed under another key, changed, or text that only looks sealed.
    }
  }

  #path(subject: string): string {
    return join(this.#directory, `${subject}.key`);
  }

  #sealingKey(subject: string): Buffer {
    let key = this.#keys.get(subject);
    if (key !== undefined && existsSync(this.#path(subject))) return key;
    if (!SUBJECT.test(subject)) throw new RangeError("a subject is 32 hex digits");
    key = readKey(this.#path(subject)) ?? makeKey(this.#directory, this.#path(subject));
    if (this.#keys.size >= LIMITS.subject_keys) this.#keys.clear();
    this.#keys.set(subject, key);
    return key;
  }
}

/** The key in a file, or undefined when there is no such file. */
function readKey(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new TaplineError("SUBJECT_KEY", `${path} cannot be read: ${reasonOf(cause)}`, {
      retry: true,
      cause,
    });
  }
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) {
      const remedy = `chmod 600 ${path}`;
      throw new TaplineError("KEY_READABLE", `${path} can be read by others`, { remedy });
    }
    const key = readFileSync(file);
    if (key.length !== KEY_BYTES)
      throw new TaplineError("SUBJECT_KEY", `${path} is no key: ${key.length} bytes`);
    return key;
  } finally {
    closeSync(file);
  }
}

/** Makes a key that is durable before anything is sealed under it. Another worker may make it first: its key holds. */
function makeKey(directory: string, path: string): Buffer {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeSync(file, randomBytes(KEY_BYTES));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    rmSync(temporary);
    const directory_file = openSync(directory, "r");
    fsyncSync(directory_file);
    closeSync(directory_file);
  } catch (cause) {
    throw new TaplineError("SUBJECT_KEY", `${path} cannot be made: ${reasonOf(cause)}`, {
      retry: true,
      cause,
    });
  }
  return readKey(path)!;
}
