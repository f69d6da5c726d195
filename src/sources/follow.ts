// Watches the files that the patterns find: which are new, grew, were cut, renamed or deleted. Looks at names and
// sizes only, by polling; what is to be read goes to the outbox.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Context, Position } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { systemCode } from "../core/errors.ts";
import { type Descriptors, type Refusal, isWithin, realOf } from "./descriptors.ts";
import { Fate, type Watch } from "./fate.ts";
import { Globs } from "./glob.ts";
import { Hints } from "./hints.ts";
import { keyOf, packingOf, parseMark } from "./identity.ts";
import { Known } from "./known.ts";
import { lieAt } from "./mounts.ts";
import type { Outbox } from "./outbox.ts";
import type { Sibling } from "./siblings.ts";
import type { FollowOptions } from "./stream-options.ts";
import { Tail } from "./tail.ts";

/** A path that is looked at, found by a pattern or (`extra`) by following a file that was renamed. */
interface Place {
  readonly path: string;
  readonly dir: string;
  extra: boolean;
  /** File that is there, by keyOf; "" when none. */
  key: string;
  tail: Tail | undefined;
  due_ms: number;
  warned: string;
}

export class Follower implements Watch {
  readonly known: Known;
  readonly fate: Fate;
  readonly globs: Globs;
  readonly hints: Hints;
  readonly #options: FollowOptions;
  readonly #context: Context;
  readonly #outbox: Outbox;
  readonly #descriptors: Descriptors;
  readonly #places = new Map<string, Place>();
  #from_end: boolean;
  #denied = "";

  constructor(options: FollowOptions, context: Context, outbox: Outbox, descriptors: Descriptors) {
    this.#options = options;
    this.#context = context;
    this.#outbox = outbox;
    this.#descriptors = descriptors;
    this.globs = new Globs(options.include, options.exclude);
    this.hints = new Hints(options);
    this.known = new Known(descriptors);
    this.fate = new Fate(options, context, outbox, descriptors, this.known, this);
    this.#from_end = options.start === "end";
  }

  /** Takes up what an earlier run left. */
  resume(positions: ReadonlyMap<string, Position>): void {
    if (positions.size > 0) this.#from_end = false;
    for (const [id, position] of positions) {
      const mark = parseMark(position);
      if (mark === undefined) {
        this.#context.log("warn", "a position that cannot be read is left out", { stream: id });
        continue;
      }
      const tail = Tail.resume(id, mark);
      tail.flush = !this.#options.follow;
      this.known.add(tail);
    }
  }

  async poll(): Promise<void> {
    const now = this.#context.now();
    this.fate.siblings.reset();
    const found = this.globs.look(now);
    this.#descriptors.roots = [...this.globs.roots(), ...this.#options.roots.flatMap(realOf)];
    this.#tellProblems();
    if (found.paths !== undefined) this.#list(found.paths);
    for (const place of this.#places.values()) {
      if (now >= place.due_ms || found.changed.has(place.dir)) this.#look(place, now);
    }
    for (const tail of this.known.tails.values()) {
      if (tail.done) this.known.forget(tail);
      else if (tail.copy_of !== undefined) await this.fate.hold(tail, tail.copy_of, now);
      else if (tail.gone) this.fate.end(tail, now);
      else if (tail.links === 0) this.fate.lost(tail, now);
      else if (tail.rotated_ms > 0 && !tail.flush && this.fate.quiet(tail, now)) this.fate.flush(tail);
    }
    this.#from_end = false;
    this.hints.watch();
  }

  /** Between polls: looks at what is said to have grown. False when a poll should judge it soon. */
  glance(): boolean {
    const now = this.#context.now();
    return this.hints.look(this.#places, (tail, stats) => this.see(tail, stats, now));
  }

  #tellProblems(): void {
    const { over_limit, denied } = this.globs;
    this.#outbox.counts.over_limit = over_limit;
    const text =
      [...denied].map(([dir, code]) => `${dir}: ${code}`).join(", ") + (over_limit > 0 ? " over" : "");
    if (text === this.#denied) return;
    this.#denied = text;
    if (denied.size > 0) this.#context.log("warn", "directories cannot be listed", { directories: text });
    if (over_limit > 0) this.#context.log("warn", `more than ${LIMITS.files} files: ${over_limit} left out`);
  }

  #list(paths: ReadonlySet<string>): void {
    for (const path of paths) this.#placeOf(path, false);
    for (const place of this.#places.values()) {
      if (place.extra || paths.has(place.path)) continue;
      this.#unlink(place);
      this.#places.delete(place.path);
    }
  }

  #placeOf(path: string, extra: boolean): Place {
    let place = this.#places.get(path);
    if (place === undefined) {
      place = { path, dir: dirname(path), extra, key: "", tail: undefined, due_ms: 0, warned: "" };
      this.#places.set(path, place);
    } else if (!extra) place.extra = false;
    return place;
  }

  lookAt(path: string, now: number): void {
    this.#look(this.#placeOf(path, true), now);
  }

  /** Looks at what a path leads to now. */
  #look(place: Place, now: number): void {
    let stats;
    try {
      stats = statSync(place.path, { throwIfNoEntry: false });
    } catch (error) {
      const code = systemCode(error) ?? "EIO";
      if (code !== "ENOTDIR") {
        this.#refuse(place, code, "denied");
        place.due_ms = now + this.#options.poll_ms;
        return;
      }
    }
    if (stats === undefined) {
      this.#unlink(place);
      if (place.extra) this.#places.delete(place.path);
      place.due_ms = now + this.#options.poll_ms;
      return;
    }
    const key = keyOf(stats);
    if (key !== place.key) {
      this.#unlink(place);
      if (place.extra && place.due_ms > 0) return void this.#places.delete(place.path);
      place.key = key;
      if (stats.isFile()) this.#bind(place, stats, now);
      else this.#refuse(place, "not a regular file", "refused");
    }
    if (place.tail !== undefined) {
      this.see(place.tail, stats, now);
      if (place.tail.changed_ms === now) this.hints.grew(place.path, place.dir);
    }
    place.due_ms = now + this.#interval(place.tail, now);
  }

  /** Files that rest are looked at less often when there are many. */
  #interval(tail: Tail | undefined, now: number): number {
    const { poll_ms } = this.#options;
    if (this.#places.size <= LIMITS.poll_all_files || tail?.denied === true || tail?.packed !== undefined)
      return poll_ms;
    const rested_ms = tail === undefined ? Infinity : now - tail.changed_ms;
    return Math.min(Math.max(poll_ms, rested_ms / 8), Math.max(poll_ms, LIMITS.poll_idle_ms));
  }

  #refuse(place: Place, why: string, count: "refused" | "denied"): void {
    if (place.warned === why) return;
    place.warned = why;
    this.#outbox.counts[count]++;
    this.#context.log("warn", `not read: ${why}`, { path: place.path });
  }

  #bind(place: Place, stats: Sibling, now: number): void {
    let tail = this.known.tails.get(place.key);
    const real = realOf(place.path)[0];
    if (real === undefined || !isWithin(real, this.#descriptors.roots)) {
      return this.#refuse(place, "it leads out of the directories of the patterns", "refused");
    }
    if (tail === undefined) {
      if (this.known.tails.size >= LIMITS.files)
        return this.#refuse(place, `more than ${LIMITS.files} files`, "refused");
      tail = new Tail(place.path, stats);
      tail.packed = packingOf(place.path);
      tail.flush = !this.#options.follow;
      if (this.#from_end) tail.from_end = stats.size;
      tail.changed_ms = now;
      this.known.add(tail);
    }
    place.tail = tail;
    place.warned = "";
    tail.links++;
    if (tail.gone) tail.flush = !this.#options.follow;
    tail.gone = false;
    if (tail.links === 1) lieAt(tail, place.path);
    if (place.path === tail.path) tail.rotated_ms = 0;
    else if (tail.rotated_ms === 0 && tail.at === place.path) tail.rotated_ms = now;
  }

  #unlink(place: Place): void {
    const tail = place.tail;
    place.tail = undefined;
    place.key = "";
    if (tail === undefined) return;
    tail.links--;
    if (tail.links > 0 && tail.at === place.path) {
      for (const other of this.#places.values()) if (other.tail === tail) lieAt(tail, other.path);
    }
  }

  /** Takes note of a file's size and time, and has it read when they changed. */
  see(tail: Tail, stats: Sibling, now: number): void {
    const same = stats.size === tail.size && stats.mtimeMs === tail.mtime_ms;
    if (tail.done || (same && !tail.denied && tail.packed === undefined && !tail.resumed)) return;
    tail.denied = false;
    if (!same) tail.changed_ms = now;
    tail.mtime_ms = stats.mtimeMs;
    if (tail.packed !== undefined) {
      tail.size = stats.size;
      // A file that is still being packed is left alone.
      if ((same || !this.#options.follow) && tail.packed_size !== tail.size) this.#outbox.enqueue(tail);
      return;
    }
    if (stats.size < tail.offset) {
      this.#outbox.truncated(tail, tail.size > tail.offset ? tail.size - tail.offset : undefined);
    } else if (stats.size < tail.size) this.#outbox.note(tail, this.#outbox.shrunk(tail, stats.size), {});
    tail.size = stats.size;
    this.#outbox.enqueue(tail);
  }

  /** A file could not be opened or read. */
  refused(tail: Tail, why: Refusal): void {
    const { counts } = this.#outbox;
    if (why === "moved" || why === "ENOENT") {
      const place = this.#places.get(tail.at);
      if (place !== undefined) place.due_ms = Math.min(place.due_ms, 1);
      if (!this.#options.follow) this.fate.vanish(tail);
      else tail.denied = true;
      return;
    }
    const broken = tail.packed !== undefined && why.startsWith("Z");
    if (!tail.denied) this.#context.log("warn", `not read: ${why}`, { path: tail.at });
    counts[why === "outside" ? "refused" : broken ? "broken" : "denied"]++;
    if (why === "outside") this.#outbox.finish(tail, undefined);
    else if (broken || !this.#options.follow)
      this.#outbox.finish(tail, this.#outbox.makeGap(tail, "unreadable", undefined));
    else tail.denied = true;
  }
}
