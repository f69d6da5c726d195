// Asks the signer behind a socket for signatures: HTTP, with the form of a witness's requests (C2SP tlog-witness). It is taken
// at its word for nothing: what it answers is checked with its key.
import { request } from "node:http";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { Contradiction } from "./anchors/contract.ts";
import { checkpointBody, openCheckpoint } from "./checkpoint.ts";
import { placeFile } from "./files.ts";
import { checkOrigin, checkPublic, readVerifiers } from "./keys.ts";
import { manifestBody } from "./manifest-note.ts";
import { type Verifier, openNote, parseVerifiers, verifierText } from "./note.ts";
import { join } from "node:path";
import { OLD_VKEY, VKEY } from "./paths.ts";
import { writeRotation } from "./rotation.ts";
import type { CheckpointSigner, Consistency } from "./signing.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

export class RemoteSigning implements CheckpointSigner {
  readonly place: string;
  readonly #dir: string;
  #verifier: Verifier;
  #known = 0;

  private constructor(dir: string, socket: string, verifier: Verifier) {
    this.#dir = dir;
    this.place = socket;
    this.#verifier = verifier;
  }

  get verifier(): Verifier {
    return this.#verifier;
  }

  /** Learns the key on the first run, and follows a change of it. A signer that is away later is waited for. Throws
   * LEDGER_KEY, LEDGER_SIGNER. */
  static async open(dir: string, origin: string, socket: string): Promise<RemoteSigning> {
    checkOrigin(origin);
    const known = await readVerifiers(dir);
    const now = await keysOf(socket).catch((error: unknown) => {
      if (known === undefined) throw error;
      return known;
    });
    if (now.name !== origin)
      throw new TaplineError(
        "LEDGER_KEY",
        `the signer at ${socket} signs for ${now.name}, not for ${origin}`,
        {
          remedy: "start it with the ledger's origin, or name the socket of the right one",
        },
      );
    const signing = new RemoteSigning(dir, socket, now);
    await signing.#adopt(known);
    return signing;
  }

  async sign(size: number, root: Uint8Array, consistency: Consistency): Promise<string> {
    const body = checkpointBody(this.#verifier.name, size, root);
    for (let tries = 0; tries < LIMITS.witness_tries; tries++) {
      const proof = this.#known > size ? [] : await consistency(this.#known);
      const lines = [`old ${this.#known}`, ...proof.map((hash) => Buffer.from(hash).toString("base64"))];
      const { status, text } = await ask(this.place, "POST", "/sign", `${lines.join("\n")}\n\n${body}`);
      if (status === 200) return this.#accept(size, `${body}\n${text}`);
      const signed = /^(0|[1-9]\d{0,15})\n?$/.exec(text)?.[1];
      if (status === 422)
        throw new Contradiction(`the signer at ${this.place} has signed another history: ${text.trim()}`);
      if (status !== 409 || signed === undefined)
        throw away(this.place, `it answered ${status}: ${text.trim()}`);
      if (Number(signed) > size)
        throw new Contradiction(
          `the signer at ${this.place} has signed ${signed} entries, and the ledger has ${size}: entries were cut off`,
        );
      this.#known = Number(signed);
    }
    throw away(this.place, "it names another size each time");
  }

  async #accept(size: number, text: string): Promise<string> {
    if (typeof openCheckpoint(text, { ...this.#verifier, earlier: [] }) === "string") {
      const before = this.#verifier;
      this.#verifier = await keysOf(this.place);
      await this.#adopt(before);
      if (typeof openCheckpoint(text, { ...this.#verifier, earlier: [] }) === "string")
        throw away(this.place, "its signature is not valid under its own key");
    }
    this.#known = size;
    return text;
  }

  /** Writes the keys beside the ledger; another key than the known one has to come with that among those of before. */
  async #adopt(known: Verifier | undefined): Promise<void> {
    const now = this.#verifier;
    const [current, ...earlier] = [now, ...(now.earlier ?? [])].map(verifierText);
    if (known !== undefined && ![current, ...earlier].includes(verifierText(known)))
      throw new TaplineError(
        "LEDGER_KEY",
        `the signer at ${this.place} has another key than the ledger in ${this.#dir}`,
        {
          remedy: "One of the two was replaced: find out by whom, then restore the right one.",
        },
      );
    if (known !== undefined && verifierText(known) === current) return checkPublic(this.#dir, now);
    if (earlier.length > 0)
      await placeFile(join(this.#dir, OLD_VKEY), [Buffer.from(`${earlier.join("\n")}\n`)], { sync: true });
    if (known !== undefined) {
      const [from, to] = [known, now].map(({ id }) => id.toString("hex"));
      await writeRotation(this.#dir, { from: from!, to: to!, at_ms: Date.now(), until_ms: 0 });
    }
    await placeFile(join(this.#dir, VKEY), [Buffer.from(`${current}\n`)], { sync: true });
  }
}

/** Whether somebody answers behind the socket with a key that the log has or had. Throws LEDGER_KEY when it is of another log. */
export async function isThere(socket: string, log: Verifier): Promise<boolean> {
  const keys = await keysOf(socket).catch(() => undefined);
  if (keys === undefined) return false;
  const known = [log, ...(log.earlier ?? [])].map(verifierText);
  if ([keys, ...(keys.earlier ?? [])].map(verifierText).some((key) => known.includes(key))) return true;
  throw new TaplineError("LEDGER_KEY", `the signer at ${socket} has no key of ${log.name}`, {
    remedy: "name the socket of the ledger's own signer",
  });
}

/** The signed note over the digest of a manifest, checked with the log's key. Throws LEDGER_SIGNER. */
export async function signManifest(socket: string, digest: string, log: Verifier): Promise<string> {
  const { status, text } = await ask(socket, "POST", "/manifest", digest);
  if (status !== 200) throw away(socket, `it signs no manifest, and answered ${status}: ${text.trim()}`);
  const note = `${manifestBody(digest)}\n${text}`;
  if (openNote(note, { ...log, earlier: [] }) === manifestBody(digest)) return note;
  throw away(socket, "its signature of the manifest is not valid under the log's key");
}

async function keysOf(socket: string): Promise<Verifier> {
  const { status, text } = await ask(socket, "GET", "/keys");
  if (status !== 200) throw away(socket, `it answered ${status}`);
  return parseVerifiers(text);
}

function away(socket: string, what: string, cause?: unknown): TaplineError {
  return new TaplineError("LEDGER_SIGNER", `the signer at ${socket}: ${what}`, {
    retry: true,
    remedy: "start `tapline ledger signer`, and check who may use its socket; until then nothing is signed",
    cause,
  });
}

/** One exchange. Throws LEDGER_SIGNER. */
async function ask(socketPath: string, method: string, path: string, body = ""): Promise<Answer> {
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const asked = request(
        { socketPath, method, path, timeout: LIMITS.signer_ms, headers: { host: "localhost" }, agent: false },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part: string) => {
            text += part;
            if (text.length > LIMITS.signer_bytes) asked.destroy(new Error("the answer is too long"));
          });
          answer.on("error", reject);
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      asked.on("timeout", () => asked.destroy(new Error(`no answer in ${LIMITS.signer_ms / 1_000} s`)));
      asked.on("error", reject);
      asked.end(body);
    });
  } catch (cause) {
    throw away(socketPath, reasonOf(cause), cause);
  }
}
