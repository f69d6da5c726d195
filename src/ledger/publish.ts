// Publishes checkpoints: partial tiles of the right edge first, then the signed note. Only ever given durable entries.
import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { Contradiction } from "./anchors/contract.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { readIfThere } from "./bundles.ts";
import { placeFile } from "./files.ts";
import { TILE_WIDTH } from "./merkle.ts";
import type { Verifier } from "./note.ts";
import { CHECKPOINT, partialsOf, tilePath } from "./paths.ts";
import type { SignerStatus, Signing } from "./contract.ts";
import { consistencyPath } from "./proof.ts";
import type { CheckpointSigner } from "./signing.ts";
import type { Edge, Tiles } from "./tiles.ts";
import { filesIn } from "./tree-files.ts";
import { TreeHashes } from "./tree-hashes.ts";
import { corrupt } from "./wal.ts";

/** The published checkpoint, or undefined when there is none. Throws LEDGER_CORRUPT when this key did not sign it. */
export async function readCheckpoint(dir: string, verifier: Verifier): Promise<Checkpoint | undefined> {
  const path = join(dir, CHECKPOINT);
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  const checkpoint = openCheckpoint(bytes.toString(), verifier);
  if (typeof checkpoint === "string") throw corrupt(path, 0, checkpoint);
  return checkpoint;
}

export class Publisher {
  readonly #dir: string;
  readonly #signer: CheckpointSigner;
  readonly #tiles: Tiles;
  readonly #signing: Signing | undefined;
  /** Paths of partial files: of the last checkpoint, and of the one before, which a reader may still follow. */
  #current: readonly string[] = [];
  #previous: readonly string[] = [];
  #size: number;
  #signed: Pick<SignerStatus, "size" | "at_ms"> = { size: 0, at_ms: 0 };
  #trouble: string | undefined;
  #contradiction: string | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(dir: string, signer: CheckpointSigner, tiles: Tiles, size: number, signing?: Signing) {
    this.#signing = signing;
    this.#dir = dir;
    this.#signer = signer;
    this.#tiles = tiles;
    this.#size = size;
    this.#current = partialsOf(size).map(({ level, index, width }) => tilePath(level, index, width));
  }

  /** Entries covered by the newest published checkpoint. */
  get size(): number {
    return this.#size;
  }

  /** Undefined when the key is beside the ledger. */
  get signer(): SignerStatus | undefined {
    const { place } = this.#signer;
    if (place === undefined) return undefined;
    return { place, ...this.#signed, trouble: this.#trouble, contradiction: this.#contradiction };
  }

  /** Publishes a checkpoint over the entries in the tree, one after the other. Durable when it resolves. Without
   * `force` only when there are more than at the last one. False when nothing is signed: a signer that is away, or refuses,
   * is told by `signer`. */
  publish(force: boolean): Promise<boolean> {
    const published = this.#running.then(() => {
      if (this.#signing?.held === true || this.#contradiction !== undefined) return false;
      return force || this.#tiles.size !== this.#size ? this.#publish(this.#tiles.edge()) : true;
    });
    this.#running = published;
    return published;
  }

  /** Publishes with a pause of `ms` in between until `stop`. A failure goes to `failed` and ends it. */
  start(ms: number, failed: (error: unknown) => void): void {
    const tick = (): void => {
      this.publish(false).then(() => this.start(ms, failed), failed);
    };
    if (!this.#stopped) this.#timer = setTimeout(tick, ms).unref();
  }

  /** Resolves when nothing is being published any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running.catch(() => undefined);
  }

  async #publish(edge: Edge): Promise<boolean> {
    await this.#tiles.untilWritten(edge.size);
    if (this.#tiles.failure !== undefined) throw this.#tiles.failure;
    for (const file of edge.files) await this.#tiles.place(file.path, file.buffers, true);
    const paths = edge.files.map((file) => file.path);
    const text = await this.#sign(edge);
    if (text === undefined) {
      for (const path of paths) if (!this.#needed(path)) await this.#remove(path); // nobody signed this size
      return false;
    }
    await placeFile(join(this.#dir, CHECKPOINT), [Buffer.from(text)], { sync: true });
    this.#size = edge.size;
    const kept = new Set([...this.#current, ...paths]);
    for (const path of this.#previous) if (!kept.has(path)) await this.#remove(path);
    this.#previous = this.#current;
    this.#current = paths;
    return true;
  }

  /** The signed text; undefined when the signer is away or refuses, which `signer` tells. */
  async #sign({ size, root }: Edge): Promise<string | undefined> {
    try {
      const { subtree } = new TreeHashes(filesIn(this.#dir), size);
      const text = await this.#signer.sign(size, root, (old) => consistencyPath(old, size, subtree));
      this.#signed = { size, at_ms: Date.now() };
      this.#trouble = undefined;
      return text;
    } catch (error) {
      if (error instanceof Contradiction) {
        this.#contradiction = error.message;
        if (this.#signing !== undefined) this.#signing.held = true;
      } else if (error instanceof TaplineError && error.code === "LEDGER_SIGNER") {
        this.#trouble = reasonOf(error);
      } else throw error;
      return undefined;
    }
  }

  #needed(path: string): boolean {
    return this.#current.includes(path) || this.#previous.includes(path);
  }

  /** Removes partial files that a process before this one left near the right edge. Call after `publish`. */
  async sweep(size: number): Promise<void> {
    const folders = new Set<string>();
    for (let level = 0, n = Math.floor(size / TILE_WIDTH); level === 0 || n > 0; level++) {
      for (const tile of [n, Math.max(0, n - 1)]) {
        folders.add(dirname(tilePath(level, tile)));
        if (level === 0) folders.add(dirname(tilePath("entries", tile)));
      }
      n = Math.floor(n / TILE_WIDTH);
    }
    const kept = new Set([...this.#current, ...this.#previous]);
    for (const folder of folders) {
      for (const name of (await list(join(this.#dir, folder))).filter((entry) => entry.endsWith(".p"))) {
        for (const width of await list(join(this.#dir, folder, name))) {
          const path = `${folder}/${name}/${width}`;
          if (!kept.has(path)) await this.#remove(path);
        }
      }
    }
  }

  /** Removes a partial file, and its directory when it was the last one there. */
  async #remove(path: string): Promise<void> {
    const parent = dirname(path);
    await rm(join(this.#dir, path), { force: true });
    try {
      await rmdir(join(this.#dir, parent));
      this.#tiles.forget(parent);
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
    }
  }
}

async function list(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
