// The calls of node:fs and node:fs/promises that the ledger and the collector's own files make, with an account of what
// they change on the disk that is in place. Calls on other paths pass; lock files are left out, since a power cut ends locks.
import type { FileHandle } from "node:fs/promises";
import type { Disk } from "./disk.ts";

// An import would give what stands in for the module, which is made from this file.
const real = process.getBuiltinModule("node:fs");
const { promises } = real;

let current: Disk | undefined;
/** Descriptors that were opened to be synced. */
const opened = new Map<number, string>();

export function useDisk(disk: Disk | undefined): void {
  current = disk;
}

function diskOf(path: unknown): Disk | undefined {
  const known = typeof path === "string" && current?.knows(path) === true;
  return known && !/\/lock(\.|$)/.test(path) ? current : undefined;
}

type Node = NonNullable<ReturnType<Disk["find"]>>;

/** A file handle whose writes and syncs are put on account. */
function watched(file: FileHandle, disk: Disk, node: Node, appends: boolean): FileHandle {
  let at = appends ? node.size : 0;
  const wrote = (bytes: Uint8Array): void => {
    const from = appends ? node.size : at;
    disk.write(node, from, bytes);
    at = from + bytes.length;
  };
  const syncing = (sync: () => Promise<void>) => async (): Promise<void> => {
    const { changes } = node;
    await sync();
    disk.sync(node, changes);
  };
  const calls: Record<string, unknown> = {
    writeFile: async (data: string | Uint8Array) => {
      await file.writeFile(data);
      wrote(Buffer.from(data as string));
    },
    writev: async (buffers: Uint8Array[]) => {
      const result = await file.writev(buffers);
      wrote(Buffer.concat(buffers).subarray(0, result.bytesWritten));
      return result;
    },
    truncate: async (size: number) => {
      await file.truncate(size);
      disk.truncate(node, size);
    },
    sync: syncing(() => file.sync()),
    datasync: syncing(() => file.datasync()),
    write: () => Promise.reject(new Error("the disk knows writev and writeFile only")),
  };
  return new Proxy(file, {
    get(target, name) {
      const own = calls[name as string];
      const value = own ?? Reflect.get(target, name, target);
      return typeof value === "function" && own === undefined ? value.bind(target) : value;
    },
  });
}

/** For `vi.mock("node:fs/promises")`. */
export const promised = {
  ...promises,
  async open(path: string, flags = "r", mode?: number): Promise<FileHandle> {
    const file = await promises.open(path, flags, mode);
    const disk = diskOf(path);
    if (disk === undefined) return file;
    return watched(file, disk, disk.open(path, flags), flags.startsWith("a"));
  },
  async mkdir(path: string, options: object): Promise<string | undefined> {
    const first = await promises.mkdir(path, options);
    diskOf(path)?.makeDirectory(path);
    return first as string | undefined;
  },
  async rename(from: string, to: string): Promise<void> {
    await promises.rename(from, to);
    diskOf(from)?.rename(from, to);
  },
  async link(from: string, to: string): Promise<void> {
    await promises.link(from, to);
    diskOf(from)?.link(from, to);
  },
  async rm(path: string, options?: object): Promise<void> {
    await promises.rm(path, options);
    diskOf(path)?.remove(path);
  },
  async rmdir(path: string): Promise<void> {
    await promises.rmdir(path);
    diskOf(path)?.remove(path);
  },
  writeFile: () => Promise.reject(new Error("the disk knows files that are opened only")),
};

/** For `vi.mock("node:fs")`, with the rest of it. */
export const called = {
  openSync(path: string, ...rest: [string, number?]): number {
    const file = real.openSync(path, ...rest);
    if (diskOf(path) !== undefined) opened.set(file, path);
    return file;
  },
  closeSync(file: number): void {
    opened.delete(file);
    real.closeSync(file);
  },
  fdatasync(file: number, done: (error: Error | null) => void): void {
    const path = opened.get(file);
    const node = path === undefined ? undefined : current?.find(path);
    const changes = node?.changes ?? 0;
    real.fdatasync(file, (error) => {
      if (error === null && node !== undefined) current?.sync(node, changes);
      done(error);
    });
  },
};
