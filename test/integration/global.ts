// Before all tests: a directory in which they note the servers they start. After all: those servers are stopped.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STARTED, stopServers } from "./servers.ts";

export default async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "tapline-servers-"));
  process.env[STARTED] = directory;
  return async () => {
    await stopServers(directory);
    await rm(directory, { recursive: true });
  };
}
