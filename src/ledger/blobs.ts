// Texts too large for an entry, in files named by their digest. Durable before the entry that names them.
import assert from "node:assert";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDir, placeFile } from "./files.ts";
import { readIfThere } from "./bundles.ts";
import { BLOBS } from "./paths.ts";

/** Hex digits only: a digest read from an entry never leaves the directory. */
export function validDigest(digest: unknown): digest is string {
  return typeof digest === "string" && /^[0-9a-f]{8,128}$/.test(digest);
}

export function blobPath(dir: string, digest: string): string {
  return join(dir, BLOBS, digest.slice(0, 2), digest);
}

type Blobs = ReadonlyMap<string, Uint8Array>;

/** Writes blobs, durably. One that is there with the same length is left alone: returns these. */
async function writeBlobs(dir: string, blobs: Blobs): Promise<Blobs> {
  const there = new Map<string, Uint8Array>();
  for (const [digest, bytes] of blobs) {
    const path = blobPath(dir, digest);
    if ((await blobBytes(dir, digest)) === bytes.length) {
      there.set(digest, bytes);
      continue;
    }
    await makeDir(dir, dirname(path));
    await placeFile(path, [bytes], { sync: true, mode: 0o600 });
  }
  return there;
}

/** Blobs that wait for the next commit. */
export class PendingBlobs {
  readonly #dir: string;
  /** Told of every blob that is put, while somebody looks for those that nobody needs. */
  onPut: ((digest: string) => void) | undefined;
  #waiting = new Map<string, Uint8Array>();
  #writing: ReadonlyMap<string, Uint8Array> = new Map();

  constructor(dir: string) {
    this.#dir = dir;
  }

  get size(): number {
    return this.#waiting.size;
  }

  put(digest: string, bytes: Uint8Array): void {
    assert(validDigest(digest), "a blob is named by a hex digest");
    this.onPut?.(digest);
    this.#waiting.set(digest, bytes);
  }

  get(digest: string): Promise<Uint8Array | undefined> {
    const held = this.#waiting.get(digest) ?? this.#writing.get(digest);
    return held === undefined ? readBlob(this.#dir, digest) : Promise.resolve(held);
  }

  /** Hands over what waits now: the function returned makes it durable, then calls what writes the entries that name it, and
   * then looks at the blobs again that were there: an erasure, in another process, may have put one aside and looked for entries
   * that name it before these could be seen. */
  take(): (writeEntries: () => Promise<void>) => Promise<void> {
    const blobs = this.#waiting;
    this.#waiting = new Map();
    this.#writing = blobs;
    return async (writeEntries) => {
      const there = await writeBlobs(this.#dir, blobs);
      await writeEntries();
      await writeBlobs(this.#dir, there);
    };
  }
}

/** Length of a blob, or undefined when it is not there. */
export async function blobBytes(dir: string, digest: string): Promise<number | undefined> {
  const info = await stat(blobPath(dir, digest)).catch(() => undefined);
  return info?.isFile() === true ? info.size : undefined;
}

/** The bytes of a blob, or undefined when there is none of this name. */
export function readBlob(dir: string, digest: string): Promise<Buffer | undefined> {
  return validDigest(digest) ? readIfThere(blobPath(dir, digest)) : Promise.resolve(undefined);
}
