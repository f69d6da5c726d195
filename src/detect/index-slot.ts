// The index of one field: which tests of it can be true of the values at hand, found in one pass a value whatever the
// number of rules. Says for most tests that they are true, for the rest (expressions, exact case) that they may be.
import { Scan } from "./scan.ts";
import { Trie } from "./index-trie.ts";

/** A test that wants to know what values of its field hold. */
export interface Watcher {
  readonly id: number;
  /** Generation of the event in which it may be true, and in which it is true. */
  seenAt: number;
  sureAt: number;
  /** How many rules ask. */
  uses: number;
  /** How often it is true, roughly: for choosing between tests, from 0. */
  weight: number;
}

export type Where = "is" | "starts" | "ends" | "holds";

/** A literal's watchers: those of which it is the whole test, and those that look closer. */
export interface Sight {
  readonly sure: Watcher[];
  readonly maybe: Watcher[];
  toldAt: number;
}

export interface Listener {
  tell(sight: Sight): void;
}

const LONG_S = "\u017f";
// Literals that stand at one place only are rarer in it.
const RARE: Readonly<Record<Where, number>> = { is: 0.1, starts: 0.3, ends: 0.3, holds: 1 };

/** The literals of a field, collected while rules are compiled. */
export class Literals {
  readonly #maps: Readonly<Record<Where, Map<string, Sight>>> = {
    is: new Map(),
    starts: new Map(),
    ends: new Map(),
    holds: new Map(),
  };

  add(where: Where, literal: string, watcher: Watcher, sure: boolean): void {
    const map = this.#maps[where];
    let sight = map.get(literal);
    if (sight === undefined) map.set(literal, (sight = { sure: [], maybe: [], toldAt: 0 }));
    (sure ? sight.sure : sight.maybe).push(watcher);
  }

  build(): SlotIndex {
    for (const where of Object.keys(this.#maps) as Where[]) {
      for (const [literal, { sure, maybe }] of this.#maps[where]) {
        // What many rules ask for is common where they are used.
        let uses = 1;
        for (const watcher of [...sure, ...maybe]) uses += watcher.uses;
        const often = uses * RARE[where] * 2 ** (-literal.length / 2);
        for (const watcher of [...sure, ...maybe]) watcher.weight += often;
      }
    }
    return new SlotIndex(this.#maps);
  }
}

export class SlotIndex implements Listener {
  /** The watchers that may be true, in the event under test: the first `hitCount`. */
  readonly hits: Watcher[] = [];
  hitCount = 0;
  readonly #is: ReadonlyMap<string, Sight>;
  readonly #longest: number;
  readonly #starts: Trie | undefined;
  readonly #ends: Trie | undefined;
  readonly #holds: Scan | undefined;
  #generation = 0;
  #doubt = false;

  constructor(maps: Readonly<Record<Where, ReadonlyMap<string, Sight>>>) {
    this.#is = maps.is;
    let longest = -1;
    for (const text of maps.is.keys()) longest = Math.max(longest, text.length);
    this.#longest = longest;
    this.#starts = maps.starts.size === 0 ? undefined : new Trie(maps.starts, false);
    this.#ends = maps.ends.size === 0 ? undefined : new Trie(maps.ends, true);
    this.#holds = maps.holds.size === 0 ? undefined : new Scan(maps.holds);
  }

  /** Looks through the first `count` values, lower case. To be called once a generation. */
  search(texts: readonly string[], count: number, generation: number): void {
    this.#generation = generation;
    this.hitCount = 0;
    for (let i = 0; i < count; i++) {
      const text = texts[i]!;
      if (text.length <= this.#longest) {
        const sight = this.#is.get(text);
        if (sight !== undefined) this.tell(sight);
      }
      this.#starts?.run(text, this);
      this.#ends?.run(text, this);
      if (this.#holds === undefined) continue;
      this.#holds.run(text, this);
      // Regular expressions that ignore case take the long s for an s.
      if (!text.includes(LONG_S)) continue;
      this.#doubt = true;
      this.#holds.run(text.replaceAll(LONG_S, "s"), this);
      this.#doubt = false;
    }
  }

  /** A literal occurs. */
  tell(sight: Sight): void {
    const generation = this.#generation;
    if (sight.toldAt === generation) return;
    const { sure, maybe } = sight;
    if (!this.#doubt) {
      sight.toldAt = generation;
      for (let i = 0; i < sure.length; i++) {
        sure[i]!.sureAt = generation;
        this.#hit(sure[i]!);
      }
    }
    for (let i = 0; i < maybe.length; i++) this.#hit(maybe[i]!);
  }

  #hit(watcher: Watcher): void {
    if (watcher.seenAt === this.#generation) return;
    watcher.seenAt = this.#generation;
    this.hits[this.hitCount++] = watcher;
  }
}
