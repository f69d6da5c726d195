// Reads a gzip or zstd file as a stream of its content, from the start, with bounded memory. Cannot go back further
// than what was just read.
import { type ReadStream, createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { LIMITS } from "../core/limits.ts";
import { type Packing, NOTHING, digest } from "./identity.ts";

export class Unpacker {
  readonly #file: ReadStream;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Uint8Array = new Uint8Array(0);
  /** Offset in the content of the next byte that `read` gives. */
  offset = 0;
  ended = false;
  /** The bytes before the last record end, for the reader to keep. */
  recent: Uint8Array = new Uint8Array(0);

  /** Takes over the descriptor. */
  constructor(fd: number, packing: Packing) {
    this.#file = createReadStream("", { fd, start: 0, highWaterMark: 256 * 1024 });
    const unpack = packing === "gz" ? createGunzip() : createZstdDecompress();
    this.#file.on("error", (error) => unpack.destroy(error));
    this.#stream = this.#file.pipe(unpack);
    this.#stream.on("error", () => {}); // the iterator tells
    this.#chunks = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Fills `into` as far as content goes; returns the bytes. Rejects when the file is broken. */
  async read(into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.length) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) {
          this.ended = true;
          break;
        }
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.offset += done;
    return done;
  }

  /** Takes back the last bytes read; `bytes` are copied. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#rest = Buffer.concat([bytes, this.#rest]);
    this.offset -= bytes.length;
    this.ended = false;
  }

  /** Goes to `offset`; tells the hash of the `tail_len` bytes before it, undefined when the content ends earlier. */
  async skipTo(offset: number, tail_len: number): Promise<string | undefined> {
    const scratch = Buffer.allocUnsafeSlow(LIMITS.small_read_bytes);
    while (this.offset < offset - tail_len) {
      const n = await this.read(
        scratch.subarray(0, Math.min(scratch.length, offset - tail_len - this.offset)),
      );
      if (n === 0) return undefined;
    }
    if (tail_len === 0) return NOTHING;
    const n = await this.read(scratch.subarray(0, tail_len));
    this.recent = new Uint8Array(scratch.subarray(0, n));
    return n === tail_len ? digest(this.recent) : undefined;
  }

  close(): void {
    this.#stream.destroy();
    this.#file.destroy();
  }
}
