// Writing files so that a crash leaves the old one or the new one, and telling a full disk from other trouble.
import { execFile } from "node:child_process";
import { closeSync, fdatasync, openSync } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { createFile, syncDir } from "../core/durable.ts";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";

const datasync = promisify(fdatasync);
const run = promisify(execFile);

/** The same of a directory that may be gone. */
export async function syncDirIfThere(path: string): Promise<void> {
  await syncDir(path).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
}

/** Makes the bytes of a file that was written just before durable. Opening it is a look into memory, and costs a
 * quarter of the time on this thread when it is not handed to another. */
export async function syncFile(path: string): Promise<void> {
  const file = openSync(path, "r");
  try {
    await datasync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes everything on the file system of `dir` durable with one call, syncfs, which Node lacks and the `sync` command
 * of Linux has. For hundreds of new files that costs a tenth of syncing each. False when it cannot be done so. */
export async function syncFileSystem(dir: string): Promise<boolean> {
  if (process.platform !== "linux") return false; // elsewhere `sync` does not wait
  try {
    await run("sync", ["-f", dir]);
    return true;
  } catch {
    return false; // no such command, or an error that syncing each file will name
  }
}

/** Writes all buffers at once, and the rest again when the system wrote only a part. */
export async function writeAll(
  file: { writev(buffers: Uint8Array[]): Promise<{ bytesWritten: number }> },
  buffers: readonly Uint8Array[],
): Promise<void> {
  let rest = buffers.filter((bytes) => bytes.length > 0);
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest);
    let whole = 0;
    while (whole < rest.length && bytesWritten >= rest[whole]!.length) bytesWritten -= rest[whole++]!.length;
    rest = rest.slice(whole);
    if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten);
  }
}

/** Writes a new file under a temporary name and renames it. With `sync` it is durable when this resolves. */
export async function placeFile(
  path: string,
  buffers: readonly Uint8Array[],
  options: { sync: boolean; mode?: number },
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", options.mode ?? 0o644);
  try {
    await writeAll(file, buffers);
    if (options.sync) await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  if (options.sync) await syncDir(dirname(path));
}

/** Writes a new file, durably and whole; one of that name with the same bytes is left as it is. Rejects with EEXIST for another. */
export async function placeNew(path: string, bytes: Buffer): Promise<void> {
  try {
    await createFile(path, bytes, 0o644);
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || !(await readFile(path)).equals(bytes)) throw error;
  }
}

/** Makes a directory and its parents below `root`, durably. Resolves at once when it is there. */
export async function makeDir(root: string, path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = path; at.length > root.length; at = dirname(at)) await syncDir(dirname(at));
}

/** A write that failed, as the error that ends a ledger's writer. */
export function writeError(doing: string, cause: unknown): TaplineError {
  if (cause instanceof TaplineError) return cause;
  const code = systemCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new TaplineError("LEDGER_FULL", `${doing}: no space left`, {
      remedy: "Free space on the ledger's disk, then start again; nothing that was acknowledged is lost.",
      cause,
    });
  }
  return new TaplineError("LEDGER_WRITE", `${doing}: ${reasonOf(cause)}`, {
    remedy: "Check the ledger's disk, then start again; nothing that was acknowledged is lost.",
    cause,
  });
}

/** What a later version left: nothing is wrong with it, so that the advice is not that of damage. */
export function newerError(what: string): TaplineError {
  return new TaplineError("LEDGER_NEWER", `${what}: a newer version of Tapline wrote it`, {
    remedy: "Nothing was changed. Install the newer version again: it goes on with this ledger.",
  });
}
