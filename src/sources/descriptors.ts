// Open files of one source: a bounded number, the least recently used is closed first. Opens only the very file that
// was asked for, a regular one below the allowed roots, whatever happened to its path meanwhile.
import { type Stats, closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { systemCode } from "../core/errors.ts";
import { keyOf } from "./identity.ts";
import type { Tail } from "./tail.ts";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** "moved": the path leads elsewhere now. "outside": it leads out of the roots. Else the system's error code. */
export type Refusal = string;

export function isWithin(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root === sep ? sep : root + sep));
}

/** The real path, or nothing when there is none. */
export function realOf(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}

/** Closes a file that was only read: what a server that went away answers is nobody's loss, and the descriptor is free all
 * the same. */
export function letGo(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // free
  }
}

/** Where an open file really is; undefined when it has no name any more. */
function placeOf(fd: number, path: string): string | undefined {
  try {
    const place = readlinkSync(`/proc/self/fd/${fd}`);
    return place.endsWith(" (deleted)") ? undefined : place;
  } catch {
    return realpathSync(path);
  }
}

export class Descriptors {
  readonly #open = new Map<Tail, number>();
  readonly #max: number;
  roots: readonly string[] = [];
  opened = 0;
  evicted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  has(tail: Tail): boolean {
    return this.#open.has(tail);
  }

  /** The descriptor of a tail's file, opened if need be, or why not. */
  get(tail: Tail): number | Refusal {
    const held = this.#open.get(tail);
    if (held !== undefined) {
      this.#open.delete(tail);
      this.#open.set(tail, held);
      return held;
    }
    if (this.#open.size >= this.#max) this.#evict();
    let fd: number;
    try {
      fd = openSync(tail.at, FLAGS);
    } catch (error) {
      const code = systemCode(error) ?? "EIO";
      if ((code !== "EMFILE" && code !== "ENFILE") || !this.#evict()) return code;
      return this.get(tail);
    }
    const refusal = this.#check(fd, tail);
    if (refusal !== undefined) {
      letGo(fd);
      return refusal;
    }
    this.opened++;
    this.#open.set(tail, fd);
    return fd;
  }

  /** A file that is open, and what the system says of it. A handle that is stale, since its server forgot it or went away, is
   * closed. */
  held(tail: Tail): { readonly fd: number; readonly stats: Stats } | undefined {
    if (!this.#open.has(tail)) return undefined;
    const fd = this.get(tail) as number;
    try {
      return { fd, stats: fstatSync(fd) };
    } catch {
      this.close(tail);
      return undefined;
    }
  }

  #check(fd: number, tail: Tail): Refusal | undefined {
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile() || keyOf(stats) !== tail.key) return "moved";
      const place = placeOf(fd, tail.at);
      return place !== undefined && !isWithin(place, this.roots) ? "outside" : undefined;
    } catch (error) {
      return systemCode(error) ?? "EIO";
    }
  }

  /** Closes the file that rested longest; one that has no name any more only when there is no other. */
  #evict(): boolean {
    let victim: Tail | undefined;
    for (const tail of this.#open.keys()) {
      victim ??= tail;
      if (tail.links > 0) {
        victim = tail;
        break;
      }
    }
    if (victim === undefined) return false;
    this.evicted++;
    this.close(victim);
    return true;
  }

  close(tail: Tail): void {
    const fd = this.#open.get(tail);
    if (fd === undefined) return;
    this.#open.delete(tail);
    letGo(fd);
  }

  /** Opens a file for somebody who will close it. */
  lend(tail: Tail): number | Refusal {
    this.close(tail);
    const fd = this.get(tail);
    this.#open.delete(tail);
    return fd;
  }

  closeAll(): void {
    for (const tail of this.#open.keys()) this.close(tail);
  }
}
