// Reads the body of a request into memory, unpacked as it comes: a body that grows beyond its bounds is refused when it
// does, not when it is whole. Looks at no content.
import type { IncomingMessage } from "node:http";
import { type Gunzip, type Inflate, createGunzip, createInflate } from "node:zlib";
import { LIMITS } from "../core/limits.ts";
import { Refusal, TooMuch, Undecodable } from "./otlp-refusal.ts";

/** What a Content-Encoding may be. */
export type Packing = "identity" | "gzip" | "deflate";

/** Asked for every piece that is kept; throws when there is no room. */
type Hold = (bytes: number) => void;

const tooLarge = (): TooMuch =>
  new TooMuch(`a body of more than ${LIMITS.otlp_body_bytes} bytes: send smaller batches`);

class Pieces {
  readonly #hold: Hold;
  readonly #pieces: Buffer[] = [];
  bytes = 0;

  constructor(hold: Hold) {
    this.#hold = hold;
  }

  add(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.bytes > LIMITS.otlp_body_bytes) throw tooLarge();
    this.#hold(piece.length);
    this.#pieces.push(piece);
  }

  take(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
  }
}

/** The body, unpacked. Throws Refusal; the connection stays usable then, so that the answer arrives. */
export async function readBody(req: IncomingMessage, packing: Packing, hold: Hold): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > LIMITS.otlp_body_bytes) throw tooLarge();
  const pieces = new Pieces(hold);
  try {
    if (packing === "identity") {
      for await (const piece of req.iterator({ destroyOnReturn: false })) pieces.add(piece as Buffer);
    } else await unpack(req, packing === "gzip" ? createGunzip() : createInflate(), pieces);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (packing === "identity" || !req.complete) throw new Refusal(408, "the request did not arrive whole");
    throw new Undecodable(`the body is not ${packing}`);
  }
  if (!req.complete) throw new Refusal(408, "the request did not arrive whole");
  return pieces.take();
}

async function unpack(req: IncomingMessage, unpacker: Gunzip | Inflate, pieces: Pieces): Promise<void> {
  let packed = 0;
  const count = (piece: Buffer): void => {
    packed += piece.length;
    if (packed > LIMITS.otlp_body_bytes) unpacker.destroy(tooLarge());
  };
  const cut = (): void => {
    if (!req.complete) unpacker.destroy(new Refusal(408, "the request did not arrive whole"));
  };
  req.on("data", count).once("close", cut);
  req.pipe(unpacker);
  try {
    for await (const piece of unpacker) {
      pieces.add(piece as Buffer);
      const most = Math.max(LIMITS.otlp_ratio_from_bytes, unpacker.bytesWritten * LIMITS.otlp_ratio);
      if (pieces.bytes > most)
        throw new TooMuch(`a packed body that grows more than ${LIMITS.otlp_ratio} times`);
    }
  } finally {
    req.unpipe(unpacker).off("data", count).off("close", cut);
  }
}
