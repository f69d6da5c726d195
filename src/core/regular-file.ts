// Reads files that somebody else names or writes: regular ones alone, within a bound. A pipe or a device in such a place
// would hold the reader up for ever.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;

type Found = { isFile(): boolean; isDirectory(): boolean; isFIFO(): boolean; isSocket(): boolean };

/** Throws when it is no regular file. */
export function mustBeFile(found: Found): void {
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a file`);
}

function kindOf(found: Found): string {
  if (found.isDirectory()) return "a directory";
  if (found.isFIFO()) return "a pipe";
  return found.isSocket() ? "a socket" : "a device";
}

/** The text of a regular file. Throws what the system says, or that it is another kind of file, or larger. */
export function readRegular(path: string, bytes_max: number): string {
  return readRegularBytes(path, bytes_max).toString("utf8");
}

/** Its bytes; throws the same. */
export function readRegularBytes(path: string, bytes_max: number): Buffer {
  mustBeFile(statSync(path)); // opening a device may do something
  // It may have become a pipe since, and opening one waits for a writer. Windows has neither flag.
  const fd = openSync(path, O_RDONLY | (O_NONBLOCK ?? 0) | (O_NOCTTY ?? 0));
  try {
    const found = fstatSync(fd);
    mustBeFile(found);
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Files of the system say nothing of their size.
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.max(64 * 1024, Math.min(found.size + 1, bytes_max + 1) - bytes));
      const read = readSync(fd, chunk, 0, chunk.length, null);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      bytes += read;
      if (bytes > bytes_max) throw new Error(`it is larger than ${bytes_max} bytes`);
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(fd);
  }
}
