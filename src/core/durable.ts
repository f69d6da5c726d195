// What outlives a power cut: names in directories, new directories, new files that are there whole or not at all. A file
// that was synced is found again only when its directory was synced too, and that one in its own.
import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes directory entries (a new name, a rename) durable. */
export async function syncDir(path: string): Promise<void> {
  const dir = await open(path, "r");
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

/** Makes a directory with all that are missing above it, durably, for its owner only. */
export async function makeDirs(path: string): Promise<void> {
  const whole = resolve(path);
  const first = await mkdir(whole, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = whole; at.length >= first.length; at = dirname(at)) await syncDir(dirname(at));
}

/** Writes a new file: durable when this resolves, and never there in part, whatever ends the process. Rejects with EEXIST
 * when there is one of that name. */
export async function createFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } finally {
    await rm(temporary);
  }
  await syncDir(dirname(path));
}
