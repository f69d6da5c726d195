// Snapshots of the writer's state, each named by the ledger index it stands at and checked by its own digest.
import { createHash } from "node:crypto";
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { makeDir, placeFile } from "./files.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { SNAPSHOTS, padded } from "./paths.ts";
import { removeSegments } from "./wal.ts";

const VERSION = 1;
const KEPT = 2;

/** Where a snapshot stands. */
export interface Mark {
  /** Entries in the ledger when it was taken. */
  readonly index: number;
  /** Frames in the ledger when it was taken. */
  readonly frames: number;
  /** Entries that were in durable tiles and covered by the published checkpoint: recovery starts here. */
  readonly tiled: number;
}
export interface Snapshot extends Mark {
  readonly state: unknown;
}

// The file is one JSON object on one line whose last key is `state`: its text is digested as it stands.
const HEAD =
  /^\{"version":(\d+),"index":(\d+),"frames":(\d+),"tiled":(\d+),"digest":"([0-9a-f]{64})","state":/;

function digestOf(mark: Mark, state: string | Uint8Array): string {
  const head = `${VERSION} ${mark.index} ${mark.frames} ${mark.tiled}\n`;
  return createHash("sha256").update(head).update(state).digest("hex");
}

/** The digest of a state, as JSON, at a mark, and the parts of the file. */
function encodeSnapshot(mark: Mark, state: Uint8Array): { digest: string; file: Uint8Array[] } {
  const { index, frames, tiled } = mark;
  const digest = digestOf(mark, state);
  const head = JSON.stringify({ version: VERSION, index, frames, tiled, digest }).slice(0, -1);
  return { digest, file: [Buffer.from(`${head},"state":`), state, Buffer.from("}\n")] };
}

/** Reads a snapshot's text, or says why it is none. */
function decodeSnapshot(text: string): Snapshot | string {
  const m = HEAD.exec(text);
  if (m === null || !text.endsWith("}\n")) return "not a snapshot";
  if (+m[1]! !== VERSION) return `version ${m[1]} is not read by this build`;
  const mark = { index: +m[2]!, frames: +m[3]!, tiled: +m[4]! };
  const state = text.slice(m[0].length, -2);
  if (digestOf(mark, state) !== m[5]) return "the digest differs";
  return { ...mark, state: JSON.parse(state) as unknown };
}

/** Writes a snapshot durably and removes all but the newest two, and write-ahead segments that neither needs. */
export class SnapshotWriter {
  readonly #dir: string;
  #marks: readonly Mark[];

  /** `marks`: the valid snapshots that are kept, oldest first. */
  constructor(dir: string, marks: readonly Mark[]) {
    this.#dir = dir;
    this.#marks = marks;
  }

  /** Entries that the newest snapshot covers: what comes after them is read again at the next start. */
  get newest(): number {
    return this.#marks.at(-1)?.index ?? 0;
  }

  /** Recovery needs nothing before this entry, whichever of the snapshots it goes by. */
  get needed(): number {
    const oldest = this.#marks[0];
    return oldest === undefined || this.#marks.length < KEPT ? 0 : Math.min(oldest.tiled, oldest.index);
  }

  /** Writes a state, as JSON, at the last whole tile before `tiled`, and gives its digest. */
  async take({ index, frames, tiled }: Mark, state: string): Promise<string> {
    const mark = { index, frames, tiled: tiled - (tiled % TILE_WIDTH) };
    const { digest, file } = encodeSnapshot(mark, Buffer.from(state));
    await this.#write(mark, file);
    return digest;
  }

  async #write(mark: Mark, file: readonly Uint8Array[]): Promise<void> {
    const folder = join(this.#dir, SNAPSHOTS);
    await makeDir(this.#dir, folder);
    await placeFile(join(folder, `${padded(mark.index)}.json`), file, { sync: true, mode: 0o600 });
    const names = await listSnapshots(this.#dir);
    for (const name of names.slice(0, -KEPT)) await rm(join(folder, name));
    this.#marks = [...this.#marks.filter((old) => old.index !== mark.index), mark].slice(-KEPT);
    // The older one of two must still find all frames after it, in case the newer one is damaged.
    const oldest = this.#marks[0]!;
    if (this.#marks.length === KEPT)
      await removeSegments(this.#dir, Math.min(oldest.tiled, oldest.index - 1));
  }
}

/** The valid ones of the snapshots that are kept, newest first. `refused` is told of the others, and of which ones a later
 * version wrote. */
export async function readSnapshots(
  dir: string,
  refused: (path: string, why: string, isNewer: boolean) => void,
): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  for (const name of (await listSnapshots(dir)).toReversed()) {
    const path = join(dir, SNAPSHOTS, name);
    const text = await readFile(path, "utf8");
    const snapshot = decodeSnapshot(text);
    if (typeof snapshot === "string") refused(path, snapshot, Number(HEAD.exec(text)?.[1] ?? 0) > VERSION);
    else found.push(snapshot);
  }
  return found;
}

async function listSnapshots(dir: string): Promise<string[]> {
  try {
    const names = await readdir(join(dir, SNAPSHOTS));
    return names.filter((name) => /^\d{20}\.json$/.test(name)).toSorted();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
