// Where the published part of a ledger is read from: a directory or a URL (C2SP tlog-tiles), by whoever checks it. What
// comes from there is bounded and trusted in nothing.
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { countEntries, offsetOf } from "./frame.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { tilePath } from "./paths.ts";

export interface TreeFiles {
  /** The directory or URL, for messages. */
  readonly place: string;
  /** The directory, where there is one: it has more than what is published. */
  readonly dir: string | undefined;
  /** The bytes of a file, or undefined when there is none. */
  read(path: string, maxBytes: number): Promise<Buffer | "too long" | undefined>;
  /** Widths of the partial tiles or bundles that are there beside a full one's path. */
  widths(path: string): Promise<number[]>;
}

export const isUrl = (place: string): boolean => /^https?:\/\//i.test(place);

export function filesIn(dir: string): TreeFiles {
  return {
    place: dir,
    dir,
    read: (path, maxBytes) => readBounded(join(dir, path), maxBytes),
    async widths(path) {
      const names = (await readdir(join(dir, `${path}.p`)).catch(ignoreMissing)) ?? [];
      return names.filter((name) => /^[1-9]\d{0,2}$/.test(name) && +name < TILE_WIDTH).map(Number);
    },
  };
}

/** The bytes of a file, or undefined when there is none. */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | "too long" | undefined> {
  const info = await stat(path).catch(ignoreMissing);
  if (info === undefined) return undefined;
  return info.size > maxBytes ? "too long" : readFile(path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT" && systemCode(error) !== "ENOTDIR") throw error;
  return undefined;
}

/** Files below a URL; `token` is shown to those who ask for one. */
export function filesAt(url: string, token: string | undefined): TreeFiles {
  const place = url.replace(/\/+$/, "");
  return {
    place,
    dir: undefined,
    read: (path, maxBytes) => fetchBounded(`${place}/${path}`, maxBytes, token),
    widths: () => Promise.resolve([]), // the server gives any width up to what it has
  };
}

/** The body behind a URL, undefined for 404. Throws LEDGER_UNREACHABLE, LEDGER_TOKEN. */
export async function fetchBounded(
  url: string,
  maxBytes: number,
  token?: string,
): Promise<Buffer | "too long" | undefined> {
  try {
    const answer = await fetch(url, {
      redirect: "error", // a token is for this server only
      signal: AbortSignal.timeout(LIMITS.fetch_ms),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    if (answer.ok) return await bounded(answer, maxBytes);
    await answer.body?.cancel();
    if (answer.status === 404) return undefined;
    if (answer.status === 401 || answer.status === 403)
      throw new TaplineError("LEDGER_TOKEN", `${url}: the server refuses this (${answer.status})`, {
        remedy: "name the token with --token-file or --token-env",
      });
    throw new Error(`the server answered ${answer.status}`);
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new TaplineError("LEDGER_UNREACHABLE", `${url} cannot be read: ${reasonOf(reason)}`, {
      retry: true,
      cause,
    });
  }
}

async function bounded(answer: Response, maxBytes: number): Promise<Buffer | "too long"> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) return "too long"; // leaving the loop ends the answer
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export interface Tile {
  readonly file: string;
  readonly bytes: Buffer;
}

export const BUNDLE_BYTES_MAX = TILE_WIDTH * (LIMITS.entry_bytes + 2);

/** A tile or bundle of a width, or what is wrong with it. A partial one may have given way to a wider one since the
 * checkpoint was read: then the first part of that. A bundle's entries are not counted unless it was wider. */
export async function readTile(
  files: TreeFiles,
  level: number | "entries",
  index: number,
  width: number,
): Promise<Tile | string> {
  const exact = tilePath(level, index, width);
  const maxBytes = level === "entries" ? BUNDLE_BYTES_MAX : width * 32;
  const found = await files.read(exact, maxBytes);
  if (found === "too long") return `${exact} is longer than ${maxBytes} bytes`;
  if (found !== undefined) {
    return level === "entries" || found.length === maxBytes
      ? { file: exact, bytes: found }
      : `${exact} has ${found.length} bytes, not ${maxBytes}`;
  }
  if (width === TILE_WIDTH) return `${exact} is missing`;
  const wider = (await files.widths(tilePath(level, index))).filter((other) => other > width);
  for (const other of [TILE_WIDTH, ...wider]) {
    const file = tilePath(level, index, other);
    const bytes = await files.read(file, level === "entries" ? BUNDLE_BYTES_MAX : other * 32);
    if (bytes === undefined || bytes === "too long") continue;
    if (level !== "entries" && bytes.length === other * 32)
      return { file, bytes: bytes.subarray(0, width * 32) };
    if (level === "entries" && countEntries(bytes) === other)
      return { file, bytes: bytes.subarray(0, offsetOf(bytes, width)) };
    return `${file} does not have the ${other} ${level === "entries" ? "entries" : "hashes"} of its name`;
  }
  return `${exact} is missing`;
}
