// The namespace that process ids of this process belong to, so that nobody asks after a process of another container.
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Host and, where there are such, namespace of process ids. */
export function processSpace(): { readonly host: string; readonly ns: string } {
  let ns = "-";
  try {
    ns = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has them.
  }
  return { host: hostname(), ns };
}
