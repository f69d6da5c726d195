// The signer of a ledger in a process of its own, best of another user: holds the key, knows the last checkpoint that it signed,
// and signs no checkpoint that is not a continuation of it. Signs digests of manifests of evidence packs too, which bind nobody to
// anything. Listens on a socket in the file system.
import { chmod, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { TaplineError, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { readIfThere } from "./bundles.ts";
import { type Checkpoint, readCheckpointBody } from "./checkpoint.ts";
import { placeFile } from "./files.ts";
import { manifestBody } from "./manifest-note.ts";
import { signatureLine, verifierText } from "./note.ts";
import { isConsistent } from "./proof.ts";
import type { Keys } from "./signing.ts";

const SIGNED = "signed.json";

export interface SignerOptions extends Keys {
  /** Where the last checkpoint that was signed is kept. */
  readonly dir: string;
  readonly socket: string;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

export class SignerServer {
  readonly #options: SignerOptions;
  readonly #server: Server;
  #last: Checkpoint | undefined;
  #signing: Promise<unknown> = Promise.resolve();

  private constructor(options: SignerOptions, last: Checkpoint | undefined) {
    this.#options = options;
    this.#last = last;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  /** Throws LEDGER_SIGNER when another process listens there. */
  static async open(options: SignerOptions): Promise<SignerServer> {
    const server = new SignerServer(options, await readSigned(options));
    await clear(options.socket);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject).listen(options.socket, resolve);
    });
    await chmod(options.socket, 0o660); // its directory says which group that is
    return server;
  }

  /** Entries of the last checkpoint that was signed. */
  get size(): number {
    return this.#last?.size ?? 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#signing;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#answer(request);
    } catch {
      reply = { status: 500, text: "the checkpoint could not be signed, or not be kept\n" };
    }
    response.writeHead(reply.status, { "content-type": "text/plain; charset=utf-8" }).end(reply.text);
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    if (request.method === "GET" && request.url === "/keys") {
      const { verifier } = this.#options;
      const keys = [verifier, ...(verifier.earlier ?? [])].map(verifierText);
      return { status: 200, text: `${keys.join("\n")}\n` };
    }
    const manifest = request.url === "/manifest";
    if (request.method !== "POST" || (request.url !== "/sign" && !manifest))
      return { status: 404, text: "no such thing\n" };
    let body = "";
    for await (const part of request.setEncoding("utf8")) {
      body += String(part);
      if (body.length > LIMITS.signer_bytes) return { status: 413, text: "too long\n" };
    }
    const signing = this.#signing.then(() => (manifest ? this.#signManifest(body) : this.#sign(body)));
    this.#signing = signing.catch(() => undefined);
    return signing;
  }

  async #sign(text: string): Promise<Reply> {
    const split = text.indexOf("\n\n");
    const [old = "", ...proof] = text.slice(0, Math.max(0, split)).split("\n");
    const from = /^old (0|[1-9]\d{0,15})$/.exec(old)?.[1];
    const body = text.slice(split + 2);
    const next = readCheckpointBody(body, this.#options.verifier.name);
    if (split < 0 || from === undefined || typeof next === "string" || body.split("\n").length !== 4)
      return { status: 400, text: "not a request to sign a checkpoint of this log\n" };
    const hashes = proof.map((line) => Buffer.from(line, "base64"));
    if (Number(from) !== this.size || next.size < this.size) return { status: 409, text: `${this.size}\n` };
    const last = this.#last;
    if (last !== undefined && !isConsistent(last.size, last.root, next.size, next.root, hashes))
      return { status: 422, text: `not a continuation of the ${last.size} entries that were signed\n` };
    // Kept before it is handed out: what was signed once binds also after a crash.
    await this.#keep(next);
    return { status: 200, text: await this.#lines(body) };
  }

  /** Only the digest is taken from who asks: what is signed is made here, and is no checkpoint whatever was sent. */
  async #signManifest(digest: string): Promise<Reply> {
    if (!/^[0-9a-f]{64}$/.test(digest)) return { status: 400, text: "not the digest of a manifest\n" };
    return { status: 200, text: await this.#lines(manifestBody(digest)) };
  }

  async #lines(body: string): Promise<string> {
    const lines = await Promise.all(this.#options.signers().map((signer) => signatureLine(body, signer)));
    return lines.join("");
  }

  async #keep(checkpoint: Checkpoint): Promise<void> {
    const { origin, size, root } = checkpoint;
    const text = JSON.stringify({ origin, size, root: Buffer.from(root).toString("base64") });
    const path = join(this.#options.dir, SIGNED);
    await placeFile(path, [Buffer.from(`${text}\n`)], { sync: true, mode: 0o600 });
    this.#last = checkpoint;
  }
}

/** The last checkpoint that was signed. Throws LEDGER_CORRUPT when its file is none: it is not begun anew by itself. */
async function readSigned({ dir, verifier }: SignerOptions): Promise<Checkpoint | undefined> {
  const bytes = await readIfThere(join(dir, SIGNED));
  if (bytes === undefined) return undefined;
  try {
    const { origin, size, root } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    const last = readCheckpointBody(`${String(origin)}\n${String(size)}\n${String(root)}\n`, verifier.name);
    if (typeof last !== "string") return last;
  } catch {
    // told below
  }
  throw new TaplineError(
    "LEDGER_CORRUPT",
    `${join(dir, SIGNED)} is not the last checkpoint that was signed`,
    {
      remedy: "find out what happened to it; to begin anew, remove it",
    },
  );
}

/** Removes a socket that nobody listens on. */
async function clear(path: string): Promise<void> {
  const listens = await new Promise<boolean>((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (systemCode(error) === "ECONNREFUSED" || systemCode(error) === "ENOENT") resolve(false);
      else reject(error);
    });
  });
  if (listens)
    throw new TaplineError("LEDGER_SIGNER", `another process listens on ${path}`, {
      remedy: "one signer a socket: stop the other",
    });
  await rm(path, { force: true });
}
