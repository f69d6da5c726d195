// Serves one evidence pack as the static site that it is: the files that its manifest names, as long as they are what it says, to
// this machine's browser. Reads nothing else, whatever is asked for.
import { hash } from "node:crypto";
import { realpathSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import type { Address } from "../core/own-hosts.ts";
import { ReadServer, type Reply, said } from "../core/read-server.ts";
import { readRegularBytes } from "../core/regular-file.ts";
import { MANIFEST, MANIFEST_NOTE, readManifest } from "./manifest.ts";
import type { PackFile } from "./model.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".pdf": "application/pdf",
  ".csv": "text/csv; charset=utf-8",
  ".json": "application/json",
  ".ndjson": "application/x-ndjson",
};
/** The page has a policy of its own, which lets its style through, and what shows a PDF brings style with it. */
const FRAMED = "frame-ancestors 'none'";
const POLICY = `default-src 'none'; ${FRAMED}`;
const STYLED = new Set([TYPES[".html"], TYPES[".pdf"]]);

export class PackServer {
  readonly #dir: string;
  readonly #files: ReadonlyMap<string, PackFile | undefined>;
  readonly #server: ReadServer;

  private constructor(dir: string, listen: Address, files: readonly PackFile[]) {
    this.#dir = dir;
    const named = files.map((file): [string, PackFile] => [`/${file.path}`, file]);
    this.#files = new Map([...named, [`/${MANIFEST}`, undefined], [`/${MANIFEST_NOTE}`, undefined]]);
    const unnamed = "the Host header does not name this server";
    this.#server = new ReadServer({ listen, hosts: [], unnamed }, (req, res) => this.#request(req, res));
  }

  /** Throws PACK_INVALID, PACK_LISTEN. */
  static async open(dir: string, listen: Address): Promise<PackServer> {
    const server = new PackServer(dir, listen, await readManifest(dir));
    await server.#server.open("PACK_LISTEN");
    return server;
  }

  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    const reply = this.#reply(req);
    const headers = {
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": STYLED.has(reply.type) ? FRAMED : POLICY,
      ...reply.headers,
    };
    this.#server.send(req, res, { ...reply, headers });
  }

  #reply(req: IncomingMessage): Reply {
    const refusal = this.#server.refusal(req);
    if (refusal !== undefined) return refusal;
    const [asked = ""] = (req.url ?? "").split("?", 1);
    const path = asked === "/" ? "/index.html" : asked;
    // Names are held against those of the manifest as they are written: there is no way up, and no other way to write one.
    if (!this.#files.has(path)) return said(404, "the pack has no such file");
    return this.#file(path, this.#files.get(path));
  }

  #file(path: string, file: PackFile | undefined): Reply {
    let body: Buffer;
    try {
      const full = join(realpathSync(this.#dir), path.slice(1));
      if (realpathSync(full) !== full) return said(404, "the file is a link");
      body = readRegularBytes(full, file === undefined ? LIMITS.pack_manifest_bytes : LIMITS.pack_file_bytes);
    } catch {
      return said(404, "the file is not there, or is none");
    }
    if (file !== undefined && hash("sha256", body) !== file.sha256)
      return said(409, "the file is not the one that the manifest names");
    return { status: 200, type: TYPES[extname(path)] ?? "text/plain; charset=utf-8", body };
  }
}
