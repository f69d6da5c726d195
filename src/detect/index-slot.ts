// The index of one field: which tests of it can be true of the values at hand, found in one pass a value whatever the
// number of rules. Says for most tests that they are true, for the rest (expressions, exact case) that they may be.
import { Answers } from "./answers.ts";
import { Trie } from "./index-trie.ts";
import type { Memo } from "./memo.ts";
import { Scan } from "./scan.ts";
import type { Value } from "./slot.ts";

/** A test that wants to know what values of its field hold. */
export interface Watcher {
  /** Among the tests of its field. */
  readonly place: number;
  /** Whether it is false unless the index tells of it. */
  readonly told: boolean;
  /** How many rules ask. */
  uses: number;
  /** How often it is true, roughly: for choosing between tests, from 0. */
  weight: number;
}

export type Where = "is" | "starts" | "ends" | "holds";

/** Places of a literal's watchers: those of which it is the whole test, and those that look closer. */
export interface Sight {
  readonly sure: number[];
  readonly maybe: number[];
  /** In which search it was told last. */
  toldAt: number;
}

export interface Listener {
  tell(sight: Sight): void;
}

const TRIAL = 512; // questions after which it is told whether a field's values come again
const WORTH = 1 / 8; // share of them that has to find something
const REST = 4_096; // values for which the memo is not asked when they do not

const LONG_S = "\u017f";
// Literals that stand at one place only are rarer in it.
const RARE: Readonly<Record<Where, number>> = { is: 0.1, starts: 0.3, ends: 0.3, holds: 1 };

/** The tests of a field and their literals, collected while rules are compiled. */
export class Literals {
  readonly #maps: Readonly<Record<Where, Map<string, Sight>>> = {
    is: new Map(),
    starts: new Map(),
    ends: new Map(),
    holds: new Map(),
  };
  readonly #watchers: Watcher[] = [];

  /** Its place is the next. */
  watch(watcher: Watcher): void {
    this.#watchers.push(watcher);
  }

  get count(): number {
    return this.#watchers.length;
  }

  add(where: Where, literal: string, { place }: Watcher, sure: boolean): void {
    const map = this.#maps[where];
    let sight = map.get(literal);
    if (sight === undefined) map.set(literal, (sight = { sure: [], maybe: [], toldAt: 0 }));
    (sure ? sight.sure : sight.maybe).push(place);
  }

  /** `field` is the field's number in the memo; `many` says that it mostly has several values. */
  build(memo: Memo, field: number, many: boolean): SlotIndex {
    const watchers = this.#watchers;
    for (const where of Object.keys(this.#maps) as Where[]) {
      for (const [literal, { sure, maybe }] of this.#maps[where]) {
        // What many rules ask for is common where they are used.
        const asking = [...sure, ...maybe].map((place) => watchers[place]!);
        const uses = asking.reduce((sum, watcher) => sum + watcher.uses, 1);
        const often = uses * RARE[where] * 2 ** (-literal.length / 2);
        for (const watcher of asking) watcher.weight += often;
      }
    }
    return new SlotIndex(this.#maps, watchers, memo, field, many);
  }
}

export class SlotIndex {
  readonly #is: ReadonlyMap<string, Sight>;
  readonly #longest: number;
  readonly #starts: Trie | undefined;
  readonly #ends: Trie | undefined;
  readonly #holds: Scan | undefined;
  readonly #told: Answers;
  /** Of a field without values: nothing is true of it. */
  readonly none: Answers;
  /** Of one value, and of several. */
  readonly #one: Answers;
  readonly #all: Answers;
  /** For values of which nothing was told, where they are only ever joined with others. */
  readonly #quiet: Answers | undefined;
  readonly #memo: Memo;
  readonly #field: number;
  /** How often the memo was asked since its last rest, and found something; less than 0 while it rests. */
  #asked = 0;
  #found = 0;

  constructor(
    maps: Readonly<Record<Where, ReadonlyMap<string, Sight>>>,
    watchers: readonly Watcher[],
    memo: Memo,
    field: number,
    many: boolean,
  ) {
    const count = watchers.length;
    this.#memo = memo;
    this.#field = field;
    this.#quiet = many ? new Answers(count, true) : undefined;
    this.#is = maps.is;
    let longest = -1;
    for (const text of maps.is.keys()) longest = Math.max(longest, text.length);
    this.#longest = longest;
    this.#starts = maps.starts.size === 0 ? undefined : new Trie(maps.starts, false);
    this.#ends = maps.ends.size === 0 ? undefined : new Trie(maps.ends, true);
    this.#holds = maps.holds.size === 0 ? undefined : new Scan(maps.holds);
    this.#told = new Answers(count, false);
    for (const { place, told } of watchers) if (told) this.#told.learn(place, false);
    this.#one = new Answers(count, false);
    this.#all = new Answers(count, false);
    this.none = new Answers(count, false);
    for (const { place } of watchers) this.none.learn(place, false);
  }

  /** What is known of the tests for the first `count` values. Good until the next call. */
  search(values: readonly Value[], count: number): Answers {
    if (count === 0) return this.none;
    if (count === 1 && this.#quiet === undefined) return this.#value(values[0]!);
    this.#all.reset(this.#told);
    for (let i = 0; i < count; i++) {
      const answers = this.#value(values[i]!);
      if (answers.hitCount > 0) this.#all.join(answers);
    }
    return this.#all;
  }

  #value(value: Value): Answers {
    if (this.#asked < 0) {
      this.#asked++;
      return this.#look(value);
    }
    const kept = this.#memo.find(this.#field, value);
    if (++this.#asked === TRIAL) {
      this.#asked = this.#found < TRIAL * WORTH ? -REST : 0;
      this.#found = 0;
    }
    if (kept === undefined) {
      const answers = this.#look(value);
      return this.#memo.keep(this.#field, value, answers.hitCount === 0 ? (this.#quiet ?? answers) : answers);
    }
    this.#found++;
    return kept;
  }

  #look(value: Value): Answers {
    const text = typeof value === "string" ? value.toLowerCase() : String(value);
    const to = this.#one;
    to.reset(this.#told);
    if (text.length <= this.#longest) {
      const sight = this.#is.get(text);
      if (sight !== undefined) to.tell(sight);
    }
    this.#starts?.run(text, to);
    this.#ends?.run(text, to);
    if (this.#holds === undefined) return to;
    this.#holds.run(text, to);
    // Regular expressions that ignore case take the long s for an s.
    if (!text.includes(LONG_S)) return to;
    to.doubt = true;
    this.#holds.run(text.replaceAll(LONG_S, "s"), to);
    to.doubt = false;
    return to;
  }
}
