// Publishes a ledger over HTTP as C2SP tlog-tiles says: checkpoint and hash tiles to everybody, entry bundles to who shows
// the token. Reads files only, gives nothing that the checkpoint does not cover, and knows no other path.
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Bearer } from "../core/bearer.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { ReadServer, type ReadServerOptions, type Reply, said } from "../core/read-server.ts";
import { countEntries } from "./frame.ts";
import { readVerifiers } from "./keys.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { CHECKPOINT, COSIGNED, PRUNED, type TileRef, tilePath } from "./paths.ts";
import { firstIn } from "./pruned.ts";
import { readCheckpoint } from "./publish.ts";
import { filesIn, readTile } from "./tree-files.ts";

export interface ServeOptions extends Pick<ReadServerOptions, "listen" | "hosts"> {
  readonly dir: string;
  /** Without one nobody gets entries. */
  readonly bearer: Bearer | undefined;
}

// What a tile holds never changes; bundles are for one reader and not for a cache that many share.
const FOREVER = "max-age=31536000, immutable";
const TILE = /^\/tile\/(\d{1,2}|entries)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;
const packed = promisify(gzip);

/** The tile that a path names; undefined when it is not the path of one. */
export function tileOf(path: string): TileRef | undefined {
  const [, first, name, partial] = TILE.exec(path) ?? [];
  if (name === undefined) return undefined;
  const level = first === "entries" ? first : Number(first);
  const index = Number(name.replaceAll(/[x/]/g, ""));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const legal = width >= 1 && width <= TILE_WIDTH && (level === "entries" || level <= 63);
  return legal && `/${tilePath(level, index, width)}` === path ? { level, index, width } : undefined;
}

/** Whether a tree of `size` leaves has all hashes of a tile. */
function covered({ level, index, width }: TileRef, size: number): boolean {
  const unit = level === "entries" ? 1 : TILE_WIDTH ** level;
  return index * TILE_WIDTH + width <= Math.floor(size / unit);
}

export class LedgerServer {
  readonly #options: ServeOptions;
  readonly #server: ReadServer;

  constructor(options: ServeOptions) {
    this.#options = options;
    const unnamed = "the Host header does not name this server: see --host";
    this.#server = new ReadServer({ ...options, unnamed }, (req, res) => void this.#request(req, res));
  }

  /** Throws LEDGER_LISTEN. */
  open(): Promise<void> {
    return this.#server.open("LEDGER_LISTEN");
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #request(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#reply(req);
    } catch (error) {
      reply = said(500, error instanceof TaplineError ? "the ledger is damaged" : "it cannot be read");
    }
    const headers = { "content-security-policy": "default-src 'none'", ...reply.headers };
    this.#server.send(req, res, { ...reply, headers });
  }

  async #reply(req: IncomingMessage): Promise<Reply> {
    const refusal = this.#server.refusal(req);
    if (refusal !== undefined) return refusal;
    const path = req.url ?? "";
    if (path === `/${CHECKPOINT}` || path === `/${COSIGNED}` || path === `/${PRUNED}`)
      return this.#checkpoint(path.slice(1));
    const tile = tileOf(path);
    if (tile === undefined) return said(404, "no such path: checkpoint, tile/…");
    if (tile.level === "entries") {
      const { bearer } = this.#options;
      if (bearer === undefined) return said(403, "entries are not served here");
      if (!bearer.accepts(req.headers.authorization))
        return said(401, "the bearer token is missing or wrong", { "www-authenticate": "Bearer" });
    }
    return this.#tile(tile, /\bgzip\b/.test(req.headers["accept-encoding"] ?? ""));
  }

  async #checkpoint(name: string): Promise<Reply> {
    const body = await filesIn(this.#options.dir).read(name, LIMITS.checkpoint_bytes);
    if (body === undefined || body === "too long") return said(404, "there is none");
    return { status: 200, type: "text/plain; charset=utf-8", body, headers: { "cache-control": "no-cache" } };
  }

  async #tile(tile: TileRef, gzips: boolean): Promise<Reply> {
    const { dir } = this.#options;
    // Keys change while it is served.
    const verifier = await readVerifiers(dir);
    const { size } = (verifier && (await readCheckpoint(dir, verifier))) ?? { size: 0 };
    if (!covered(tile, size)) return said(404, "the checkpoint does not cover it");
    if (tile.level === "entries" && (tile.index + 1) * TILE_WIDTH <= (await firstIn(dir)))
      return said(
        404,
        "retention has removed it: the file pruned says from which entry on there are entries",
      );
    // Partial tiles of checkpoints long gone are cut from wider ones: what they held has not changed.
    const found = await readTile(filesIn(dir), tile.level, tile.index, tile.width);
    if (typeof found === "string") return said(found.endsWith("is missing") ? 404 : 500, found);
    const type = "application/octet-stream";
    if (tile.level !== "entries")
      return { status: 200, type, body: found.bytes, headers: { "cache-control": `public, ${FOREVER}` } };
    if (countEntries(found.bytes) !== tile.width)
      return said(500, `${found.file} does not have ${tile.width} entries`);
    const body = gzips ? await packed(found.bytes) : found.bytes;
    const headers = {
      "cache-control": `private, ${FOREVER}`,
      vary: "accept-encoding, authorization",
      ...(gzips ? { "content-encoding": "gzip" } : {}),
    };
    return { status: 200, type, body, headers };
  }
}
