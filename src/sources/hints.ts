// Says at once that files grew, where the operating system tells: directories in which something grows are watched. A hint
// and no more: where none comes (network file systems, no watches left, a directory replaced) polling finds it all the same.
import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import { keyOf } from "./identity.ts";
import type { Tail } from "./tail.ts";

interface Place {
  readonly key: string;
  readonly tail: Tail | undefined;
}

export class Hints {
  readonly #options: { readonly follow: boolean };
  /** By directory, the one that was met last at the end. */
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  /** Directories in which this poll found growth that nobody had told of. */
  readonly #grown = new Set<string>();
  #taken_at = 0;
  #told: () => void = () => {};

  constructor(options: { readonly follow: boolean }) {
    this.#options = options;
  }

  /** A poll found that a file grew. */
  grew(path: string, dir: string): void {
    if (this.#options.follow && !this.#changed.has(path) && this.#grown.size < LIMITS.hint_dirs)
      this.#grown.add(dir);
  }

  /** After a poll: watches where something grew. Where a watch should have said so and did not, there is a new one. */
  watch(): void {
    for (const dir of this.#grown) this.#watch(dir);
    this.#grown.clear();
  }

  #watch(dir: string): void {
    this.#drop(dir);
    if (this.#watchers.size >= LIMITS.hint_dirs) this.#drop(this.#watchers.keys().next().value!);
    try {
      const watcher = watch(dir, { persistent: false }, (_, name) => {
        if (name !== null) this.#tell(join(dir, name));
      });
      watcher.on("error", () => this.#drop(dir));
      this.#watchers.set(dir, watcher);
    } catch {
      // No watches left, or no directory: the next poll tells.
    }
  }

  #drop(dir: string): void {
    this.#watchers.get(dir)?.close();
    this.#watchers.delete(dir);
  }

  #tell(path: string): void {
    if (this.#changed.size >= LIMITS.files) return;
    this.#changed.add(path);
    this.#told();
  }

  /** Whether there is something to look at, and the last look was not just before. */
  get due(): boolean {
    return this.#changed.size > 0 && performance.now() >= this.#taken_at + LIMITS.hint_ms;
  }

  /** Looks at the files that are said to have changed; `see` gets those that grew. False when something else became of one
   * of them, which a poll has to judge. */
  look(places: ReadonlyMap<string, Place>, see: (tail: Tail, stats: Stats) => void): boolean {
    this.#taken_at = performance.now();
    let judged = true;
    for (const path of this.#changed) {
      const place = places.get(path);
      // A file that is packed is read when it has rested from one poll to the next.
      if (place?.tail === undefined || place.tail.packed !== undefined) continue;
      const stats = statOf(path);
      if (stats === undefined || keyOf(stats) !== place.key || stats.size < place.tail.size) judged = false;
      else see(place.tail, stats);
    }
    this.#changed.clear();
    return judged;
  }

  /** Resolves after the pause, when something is due, or when `signal` aborts. */
  wait(pause_ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    let timer = setTimeout(resolve, pause_ms);
    this.#told = () => {
      clearTimeout(timer);
      const due_ms = Math.max(0, this.#taken_at + LIMITS.hint_ms - performance.now());
      timer = setTimeout(resolve, Math.min(pause_ms, due_ms));
      this.#told = () => {};
    };
    if (this.#changed.size > 0) this.#told();
    signal.addEventListener("abort", stop, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      this.#told = () => {};
    });
  }

  close(): void {
    for (const dir of this.#watchers.keys()) this.#drop(dir);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
