// Shows other containers that a process of this one lives: a pipe that it keeps open, which the kernel closes with it. Only
// where process ids are a container's own; elsewhere the id tells.
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { systemCode } from "./errors.ts";
import { processSpace } from "./pid-namespace.ts";

/** The namespace of those that no container has: the same number on every Linux. */
const OUTERMOST = "pid:[4026531836]";
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Keeps a pipe at `path` open until the returned function is called, or the process ends. */
export function showPresence(path: string): () => void {
  const { ns } = processSpace();
  if (ns === "-" || ns === OUTERMOST) return () => {};
  try {
    execFileSync("mkfifo", ["-m", "600", path], { stdio: "ignore" });
  } catch {
    return () => {}; // no such command: others cannot tell, and take it for alive
  }
  const fd = openSync(path, O_RDONLY | O_NONBLOCK);
  return () => {
    closeSync(fd);
    rmSync(path, { force: true });
  };
}

/** Whether somebody keeps the pipe at `path` open; undefined when there is none. */
export function isPresent(path: string): boolean | undefined {
  try {
    closeSync(openSync(path, O_WRONLY | O_NONBLOCK));
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENXIO") return false;
    if (code === "ENOENT") return undefined;
    throw error;
  }
}
