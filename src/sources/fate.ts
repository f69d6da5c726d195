// What becomes of a file that no pattern leads to any more (renamed, packed, deleted) or that was copied away before
// it was truncated. Its stream goes on where its content went; what cannot be found again is a gap.
import { basename, dirname } from "node:path";
import type { Context, Position } from "../core/stage.ts";
import { type Descriptors, isWithin, realOf } from "./descriptors.ts";
import type { Globs } from "./glob.ts";
import { digest, familyOf, keyOf, rotationBases } from "./identity.ts";
import type { Known } from "./known.ts";
import { isAway } from "./mounts.ts";
import { isMoved, mayBeCopied, mayBeMoved } from "./successors.ts";
import type { Outbox } from "./outbox.ts";
import { type Sibling, Siblings } from "./siblings.ts";
import type { FollowOptions } from "./stream-options.ts";
import type { Tail } from "./tail.ts";
import { compare, compareNow, goesOnAs, headOf } from "./twin.ts";

/** What the watch over names does for it. */
export interface Watch {
  readonly globs: Globs;
  /** Follows a path that no pattern finds. */
  lookAt(path: string, now: number): void;
  /** Takes note of a file's size and time. */
  see(tail: Tail, stats: Sibling, now: number): void;
}

export class Fate {
  readonly siblings = new Siblings();
  readonly #options: FollowOptions;
  readonly #context: Context;
  readonly #outbox: Outbox;
  readonly #descriptors: Descriptors;
  readonly #known: Known;
  readonly #watch: Watch;
  /** When a file system was last seen to have gone. */
  #away_ms = 0;

  constructor(
    options: FollowOptions,
    context: Context,
    outbox: Outbox,
    descriptors: Descriptors,
    known: Known,
    watch: Watch,
  ) {
    this.#options = options;
    this.#context = context;
    this.#outbox = outbox;
    this.#descriptors = descriptors;
    this.#known = known;
    this.#watch = watch;
    outbox.moveToCopy = (tail) => this.#copyOf(tail);
  }

  /** No pattern leads to the file any more: it was renamed, packed or deleted. */
  lost(tail: Tail, now: number): void {
    if (now < tail.check_ms) return;
    tail.check_ms = now + this.#options.poll_ms;
    const dir = dirname(tail.at);
    const there = this.siblings.at(tail.at);
    if (there === "unknown") return;
    if (there !== undefined && keyOf(there) === tail.key) {
      // Renamed earlier: goes on. Else the patterns changed, and it is none of ours now.
      if (tail.at !== tail.path || tail.packed !== undefined) this.#watch.lookAt(tail.at, now);
      return;
    }
    if (tail.size === 0 && this.#baseMissing(tail.at)) return;
    if (this.#options.follow && this.#isAway(tail, now)) return;
    const name = basename(tail.path);
    for (const [path, stats] of this.siblings.in(dir)) {
      const known = this.#known.tails.get(keyOf(stats));
      const next =
        known === undefined &&
        rotationBases(basename(path)).includes(name) &&
        stats.birthtimeMs >= tail.birth_ms &&
        stats.mtimeMs >= tail.birth_ms &&
        !this.#watch.globs.excluded(path);
      if (known === tail || next) this.#watch.lookAt(path, now);
    }
    if (tail.links > 0) return;
    tail.gone = true;
    tail.rotated_ms = now;
    if (tail.complete) return;
    this.#keepHead(tail);
    if (!this.#options.follow && !this.#descriptors.has(tail) && !mayBeMoved(tail, this.#known))
      this.vanish(tail);
    else this.#outbox.enqueue(tail);
  }

  #isAway(tail: Tail, now: number): boolean {
    const known = tail.away !== undefined;
    if (!isAway(tail, now)) return false;
    if (known) return true;
    this.#outbox.counts.away++;
    // Once for all files that went with it.
    if (this.#away_ms !== now)
      this.#context.log("warn", "not mounted any more: its files are waited for", { path: tail.at });
    this.#away_ms = now;
    return true;
  }

  /** Of a file that had no whole line yet: what is needed to recognise a copy. */
  #keepHead(tail: Tail): void {
    const held = this.#descriptors.held(tail);
    if (held === undefined || tail.head_len > 0 || tail.recorded) return;
    const head = headOf(held.fd);
    tail.head_len = head.length;
    tail.head_hash = digest(head);
  }

  /** Whether a pattern's own directory is away (not mounted, perhaps), so that nothing can be said of files in it. */
  #baseMissing(path: string): boolean {
    const bases = this.#watch.globs.bases.filter((base) => isWithin(path, [base]));
    return bases.length > 0 && bases.every((base) => realOf(base).length === 0);
  }

  /** Reads a file without a name to its end, as long as it is open; then its stream is finished. */
  end(tail: Tail, now: number): void {
    if (tail.complete) {
      if (now >= tail.keep_until_ms) this.#outbox.finish(tail, undefined);
      return;
    }
    const held = this.#descriptors.held(tail);
    if (held !== undefined) this.#watch.see(tail, held.stats, now);
    else if (tail.unpacker === undefined) {
      const copy = this.#heldFor(tail);
      if (copy !== undefined) this.#adopt(copy, tail, false);
      else if (mayBeMoved(tail, this.#known)) return;
      else if (tail.packed_size !== undefined) this.#outbox.finish(tail, undefined);
      else if (this.quiet(tail, now) && !mayBeCopied(tail, this.#known)) this.vanish(tail);
      return;
    }
    if (!this.quiet(tail, now)) return;
    if (!tail.flush || tail.offset < tail.size) return this.flush(tail);
    const copy = this.#heldFor(tail);
    if (copy !== undefined) this.#adopt(copy, tail, true);
    else this.#outbox.finish(tail, undefined);
  }

  vanish(tail: Tail): void {
    if (tail.size === 0 && !tail.recorded) return this.#outbox.finish(tail, undefined);
    this.#outbox.counts.vanished++;
    const known = tail.size > tail.offset && tail.packed === undefined;
    this.#outbox.finish(
      tail,
      this.#outbox.makeGap(tail, "vanished", known ? tail.size - tail.offset : undefined),
    );
  }

  /** Lets the stream of the file that lay in this place go on here, if its content does. */
  async move(file: Tail): Promise<boolean> {
    for (const name of familyOf(file.at)) {
      for (const tail of this.#known.named(name)) {
        if (!isMoved(file, tail)) continue;
        if ((await compare(file, tail)) === "same" && this.#hasRest(file, tail)) {
          file.chain = tail.chain;
          file.complete = tail.complete;
          this.#adopt(file, tail, tail.packed_size === file.size);
          return true;
        }
        if (!this.#options.follow) this.vanish(tail);
      }
    }
    return false;
  }

  /** Whether what was not read of a file before it lost its place is in the one that took it. */
  #hasRest(file: Tail, tail: Tail): boolean {
    if (tail.packed !== undefined) return true;
    const held = this.#descriptors.held(tail);
    if (held === undefined) return file.size >= tail.size;
    return goesOnAs(held.fd, file.at, tail.offset, held.stats.size);
  }

  #heldFor(tail: Tail): Tail | undefined {
    for (const copy of this.#known.tails.values()) {
      const held = copy.copy_of === tail && copy.copy_gen === tail.gen;
      if (held && copy.held_until_ms === Infinity) return copy;
    }
    return undefined;
  }

  /** A stream goes on in a copy of its file. `complete`: everything was read already. */
  #adopt(copy: Tail, tail: Tail, complete: boolean): void {
    this.#known.forget(tail);
    this.#known.forget(copy);
    copy.takeOver(tail);
    if (complete && copy.packed !== undefined) copy.packed_size = copy.size;
    this.#known.add(copy);
    this.#outbox.remove(tail);
    tail.done = true;
    const positions: Record<string, Position | null> = {};
    this.#outbox.record(copy, positions);
    this.#outbox.note(copy, undefined, positions);
    this.#outbox.enqueue(copy);
  }

  /** Keeps a copy aside while the file that it copies is there. */
  async hold(copy: Tail, tail: Tail, now: number): Promise<void> {
    if (copy.held_until_ms !== Infinity && (await compare(copy, tail)) === "same")
      copy.held_until_ms = Infinity;
    const alone = tail.done || tail.gen !== copy.copy_gen || copy.held_until_ms < now;
    if (copy.links === 0) return this.#outbox.finish(copy, undefined);
    if (!alone) return;
    copy.copy_of = undefined;
    this.#outbox.enqueue(copy);
  }

  /** Whether a new file is a copy of one that is followed, by its name and content. It is held then. */
  async suspect(copy: Tail): Promise<boolean> {
    const head = copy.head;
    copy.head = undefined;
    if (copy.recorded || copy.gen > 0 || head === undefined) return false;
    for (const base of rotationBases(basename(copy.at))) {
      for (const tail of this.#known.named(base)) {
        if (tail === copy || tail.done || tail.copy_of !== undefined || tail.head_len === 0) continue;
        // Equal heads alone say nothing while both files are there.
        if (tail.offset === 0 && !tail.gone) continue;
        if (digest(head.subarray(0, tail.head_len)) !== tail.head_hash) continue;
        const likeness = await compare(copy, tail);
        if (likeness === "different" || (likeness === "short" && copy.copy_of !== undefined)) continue;
        copy.copy_of = tail;
        copy.copy_gen = tail.gen;
        copy.held_until_ms = likeness === "same" ? Infinity : this.#context.now() + this.#options.grace_ms;
        if (likeness === "same") return true;
      }
    }
    return copy.copy_of !== undefined;
  }

  /** The copy that was made of a file before it was truncated. The stream goes on there. */
  #copyOf(tail: Tail): Tail | undefined {
    if (tail.offset === 0 || tail.packed !== undefined) return undefined;
    const family = new Set(familyOf(tail.path));
    this.siblings.reset();
    for (const [path, stats] of this.siblings.in(dirname(tail.at))) {
      if (!rotationBases(basename(path)).some((base) => family.has(base))) continue;
      const known = this.#known.tails.get(keyOf(stats));
      if (known === tail || known?.recorded === true || known?.done === true) continue;
      if (stats.birthtimeMs < tail.birth_ms || compareNow(path, tail) !== "same") continue;
      if (known === undefined) this.#watch.lookAt(path, this.#context.now());
      const copy = this.#known.tails.get(keyOf(stats));
      if (copy === undefined) continue;
      this.#known.forget(copy);
      copy.takeOver(tail);
      this.#known.add(copy);
      return copy;
    }
    return undefined;
  }

  quiet(tail: Tail, now: number): boolean {
    return now - Math.max(tail.rotated_ms, tail.changed_ms) >= this.#options.grace_ms;
  }

  flush(tail: Tail): void {
    tail.flush = true;
    this.#outbox.enqueue(tail);
  }
}
