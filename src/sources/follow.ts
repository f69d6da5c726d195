// Watches the files that the patterns find: which are new, grew, were cut, renamed or deleted. Looks at names and
// sizes only, by polling; what is to be read goes to the outbox.
import { fstatSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Context, Position } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { systemCode } from "../core/errors.ts";
import { type Descriptors, type Refusal, isWithin } from "./descriptors.ts";
import { Globs } from "./glob.ts";
import { digest, keyOf, packingOf, parseMark, rotationBases } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import { type Sibling, Siblings } from "./siblings.ts";
import { Tail } from "./tail.ts";
import { compare, comparePlain } from "./twin.ts";

export interface FollowOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Further directories that symbolic links may lead to. */
  readonly roots: readonly string[];
  readonly start: "beginning" | "end";
  readonly follow: boolean;
  readonly poll_ms: number;
  readonly grace_ms: number;
}

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

export class Follower {
  /** Files known, by keyOf. */
  readonly tails = new Map<string, Tail>();
  /** Ids in use. */
  readonly ids = new Set<string>();
  readonly #options: FollowOptions;
  readonly #context: Context;
  readonly #outbox: Outbox;
  readonly #descriptors: Descriptors;
  readonly #globs: Globs;
  readonly #siblings = new Siblings();
  readonly #places = new Map<string, Place>();
  /** Files by the name of their stream. */
  readonly #by_name = new Map<string, Set<Tail>>();
  #from_end: boolean;
  #denied = "";

  constructor(options: FollowOptions, context: Context, outbox: Outbox, descriptors: Descriptors) {
    this.#options = options;
    this.#context = context;
    this.#outbox = outbox;
    this.#descriptors = descriptors;
    this.#globs = new Globs(options.include, options.exclude);
    this.#from_end = options.start === "end";
    outbox.copyOf = (tail) => this.#copyOf(tail);
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
      this.#add(tail);
    }
  }

  #add(tail: Tail): void {
    this.tails.set(tail.key, tail);
    if (tail.id !== "") this.ids.add(tail.id);
    const name = basename(tail.path);
    const named = this.#by_name.get(name);
    if (named === undefined) this.#by_name.set(name, new Set([tail]));
    else named.add(tail);
  }

  #forget(tail: Tail): void {
    this.#descriptors.close(tail);
    if (this.tails.get(tail.key) === tail) this.tails.delete(tail.key);
    this.ids.delete(tail.id);
    const named = this.#by_name.get(basename(tail.path));
    named?.delete(tail);
    if (named?.size === 0) this.#by_name.delete(basename(tail.path));
  }

  async poll(): Promise<void> {
    const now = this.#context.now();
    this.#siblings.reset();
    const found = this.#globs.look(now);
    this.#descriptors.roots = [...this.#globs.roots(), ...this.#options.roots.flatMap(realOf)];
    this.#tellProblems();
    if (found.paths !== undefined) this.#list(found.paths);
    for (const place of this.#places.values()) {
      if (now >= place.due_ms || found.changed.has(place.dir)) this.#look(place, now);
    }
    for (const tail of [...this.tails.values()]) {
      if (tail.done) this.#forget(tail);
      else if (tail.copy_of !== undefined) await this.#hold(tail, tail.copy_of, now);
      else if (tail.gone) this.#end(tail, now);
      else if (tail.links === 0) this.#lost(tail, now);
      else if (tail.rotated_ms > 0 && !tail.flush && this.#quiet(tail, now)) this.#flush(tail);
    }
    this.#from_end = false;
  }

  #tellProblems(): void {
    const { over_limit, denied } = this.#globs;
    this.#outbox.counts.over_limit = over_limit;
    const text = [...denied].map(([dir, code]) => `${dir}: ${code}`).join(", ") + (over_limit > 0 ? " over" : "");
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
    if (place.tail !== undefined) this.#see(place.tail, stats, now);
    place.due_ms = now + this.#interval(place.tail, now);
  }

  /** Files that rest are looked at less often when there are many. */
  #interval(tail: Tail | undefined, now: number): number {
    const { poll_ms } = this.#options;
    if (this.#places.size <= LIMITS.poll_all_files || tail?.denied === true || tail?.packed !== undefined) return poll_ms;
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
    let tail = this.tails.get(place.key);
    const real = realOf(place.path)[0];
    if (real === undefined || !isWithin(real, this.#descriptors.roots)) {
      return this.#refuse(place, "it leads out of the directories of the patterns", "refused");
    }
    if (tail === undefined) {
      if (this.tails.size >= LIMITS.files) return this.#refuse(place, `more than ${LIMITS.files} files`, "refused");
      tail = new Tail(place.path, stats);
      tail.packed = packingOf(place.path);
      tail.flush = !this.#options.follow;
      if (this.#from_end) tail.from_end = stats.size;
      tail.changed_ms = now;
      this.#add(tail);
    }
    place.tail = tail;
    place.warned = "";
    tail.links++;
    if (tail.gone) tail.flush = !this.#options.follow;
    tail.gone = false;
    if (tail.links === 1) tail.at = place.path;
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
      for (const other of this.#places.values()) if (other.tail === tail) tail.at = other.path;
    }
  }

  /** Takes note of a file's size and time, and has it read when they changed. */
  #see(tail: Tail, stats: Sibling, now: number): void {
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
    } else if (stats.size < tail.size) this.#outbox.shrunk(tail, stats.size);
    tail.size = stats.size;
    this.#outbox.enqueue(tail);
  }

  #quiet(tail: Tail, now: number): boolean {
    return now - Math.max(tail.rotated_ms, tail.changed_ms) >= this.#options.grace_ms;
  }

  #flush(tail: Tail): void {
    tail.flush = true;
    this.#outbox.enqueue(tail);
  }

  /** No pattern leads to the file any more: it was renamed, packed or deleted. */
  #lost(tail: Tail, now: number): void {
    if (now < tail.check_ms) return;
    tail.check_ms = now + this.#options.poll_ms;
    const dir = dirname(tail.at);
    const there = this.#siblings.at(tail.at);
    if (there === "unknown") return;
    if (there !== undefined && keyOf(there) === tail.key) {
      // Renamed earlier: goes on. Else the patterns changed, and it is none of ours now.
      if (tail.at !== tail.path || tail.packed !== undefined) this.#look(this.#placeOf(tail.at, true), now);
      return;
    }
    if (tail.size === 0 && this.#baseMissing(tail.at)) return;
    const name = basename(tail.path);
    for (const [path, stats] of this.#siblings.in(dir)) {
      const known = this.tails.get(keyOf(stats));
      const next =
        known === undefined &&
        rotationBases(basename(path)).includes(name) &&
        stats.birthtimeMs >= tail.birth_ms &&
        stats.mtimeMs >= tail.birth_ms &&
        !this.#globs.excluded(path);
      if (known === tail || next) this.#look(this.#placeOf(path, true), now);
    }
    if (tail.links > 0) return;
    tail.gone = true;
    tail.rotated_ms = now;
    if (tail.complete) return;
    this.#keepHead(tail);
    if (!this.#options.follow && !this.#descriptors.has(tail)) this.#vanish(tail);
    else this.#outbox.enqueue(tail);
  }

  /** Of a file that had no whole line yet: what is needed to recognise a copy. */
  #keepHead(tail: Tail): void {
    const fd = this.#descriptors.has(tail) ? this.#descriptors.get(tail) : undefined;
    if (typeof fd !== "number" || tail.head_len > 0 || tail.recorded) return;
    const head = Buffer.allocUnsafeSlow(LIMITS.head_bytes);
    tail.head_len = readSync(fd, head, 0, head.length, 0);
    tail.head_hash = digest(head.subarray(0, tail.head_len));
  }

  /** Whether a pattern's own directory is away (not mounted, perhaps), so that nothing can be said of files in it. */
  #baseMissing(path: string): boolean {
    const bases = this.#globs.bases.filter((base) => isWithin(path, [base]));
    return bases.length > 0 && bases.every((base) => realOf(base).length === 0);
  }

  /** Reads a file without a name to its end, as long as it is open; then its stream is finished. */
  #end(tail: Tail, now: number): void {
    if (tail.complete) {
      if (now >= tail.keep_until_ms) this.#outbox.finish(tail, undefined);
      return;
    }
    const fd = this.#descriptors.has(tail) ? this.#descriptors.get(tail) : undefined;
    if (typeof fd === "number") this.#see(tail, fstatSync(fd), now);
    else if (tail.unpacker === undefined) {
      const copy = this.#heldFor(tail);
      if (copy !== undefined) this.#adopt(copy, tail, false);
      else if (tail.packed_size !== undefined) this.#outbox.finish(tail, undefined);
      else if (this.#quiet(tail, now)) this.#vanish(tail);
      return;
    }
    if (!this.#quiet(tail, now)) return;
    if (!tail.flush || tail.offset < tail.size) return this.#flush(tail);
    const copy = this.#heldFor(tail);
    if (copy !== undefined) this.#adopt(copy, tail, true);
    else this.#outbox.finish(tail, undefined);
  }

  #vanish(tail: Tail): void {
    if (tail.size === 0 && !tail.recorded) return this.#outbox.finish(tail, undefined);
    this.#outbox.counts.vanished++;
    const known = tail.size > tail.offset && tail.packed === undefined;
    this.#outbox.finish(tail, this.#outbox.makeGap(tail, "vanished", known ? tail.size - tail.offset : undefined));
  }

  #heldFor(tail: Tail): Tail | undefined {
    for (const copy of this.tails.values()) if (copy.copy_of === tail && copy.held_until_ms === Infinity) return copy;
    return undefined;
  }

  /** A stream goes on in a copy of its file. `complete`: everything was read already. */
  #adopt(copy: Tail, tail: Tail, complete: boolean): void {
    this.#forget(tail);
    this.#forget(copy);
    copy.takeOver(tail);
    if (complete && copy.packed !== undefined) copy.packed_size = copy.size;
    this.#add(copy);
    this.#outbox.remove(tail);
    tail.done = true;
    const positions: Record<string, Position | null> = {};
    this.#outbox.record(copy, positions);
    this.#outbox.note(copy, undefined, positions);
    this.#outbox.enqueue(copy);
  }

  /** Keeps a copy aside while the file that it copies is there. */
  async #hold(copy: Tail, tail: Tail, now: number): Promise<void> {
    if (copy.held_until_ms !== Infinity && (await compare(copy, tail)) === "same") copy.held_until_ms = Infinity;
    const alone = tail.done || copy.held_until_ms < now;
    if (copy.links === 0) return this.#outbox.finish(copy, undefined);
    if (!alone) return;
    copy.copy_of = undefined;
    this.#outbox.enqueue(copy);
  }

  /** Whether a new file is a copy of one that is followed, by its name and content. It is held then. */
  async suspect(copy: Tail): Promise<boolean> {
    if (copy.recorded || copy.gen > 0) return false;
    for (const base of rotationBases(basename(copy.at))) {
      for (const tail of this.#by_name.get(base) ?? []) {
        if (tail === copy || tail.done || tail.copy_of !== undefined || tail.head_len === 0) continue;
        // Equal heads alone say nothing while both files are there.
        if (tail.offset === 0 && !tail.gone) continue;
        const likeness = await compare(copy, tail);
        if (likeness === "different") continue;
        copy.copy_of = tail;
        copy.held_until_ms = likeness === "same" ? Infinity : this.#context.now() + this.#options.grace_ms;
        return true;
      }
    }
    return false;
  }

  /** The copy that was made of a file before it was truncated. */
  #copyOf(tail: Tail): Tail | undefined {
    if (tail.offset === 0 || tail.packed !== undefined || tail.gone) return undefined;
    this.#siblings.reset();
    for (const [path, stats] of this.#siblings.in(dirname(tail.at))) {
      if (!rotationBases(basename(path)).includes(basename(tail.path)) || packingOf(path) !== undefined) continue;
      const known = this.tails.get(keyOf(stats));
      if (known !== undefined && (known.recorded || known.done)) continue;
      if (stats.birthtimeMs < tail.birth_ms || comparePlain(path, tail) !== "same") continue;
      const now = this.#context.now();
      if (known === undefined) this.#look(this.#placeOf(path, true), now);
      const copy = this.tails.get(keyOf(stats));
      if (copy !== undefined && copy !== tail) return copy;
    }
    return undefined;
  }

  /** A file could not be opened or read. */
  refused(tail: Tail, why: Refusal): void {
    const { counts } = this.#outbox;
    if (why === "moved" || why === "ENOENT") {
      const place = this.#places.get(tail.at);
      if (place !== undefined) place.due_ms = Math.min(place.due_ms, 1);
      if (!this.#options.follow) this.#vanish(tail);
      else tail.denied = true;
      return;
    }
    const broken = tail.packed !== undefined && why.startsWith("Z");
    if (!tail.denied) this.#context.log("warn", `not read: ${why}`, { path: tail.at });
    counts[why === "outside" ? "refused" : broken ? "broken" : "denied"]++;
    if (why === "outside") this.#outbox.finish(tail, undefined);
    else if (broken || !this.#options.follow) this.#outbox.finish(tail, this.#outbox.makeGap(tail, "unreadable", undefined));
    else tail.denied = true;
  }
}

function realOf(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}
