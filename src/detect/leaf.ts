// Tests of one field: the leaves of a rule. A test that several rules share runs once an event; what the field's index
// can tell, it tells. Synchronous, no I/O, keeps nothing from one event to the next.
import type { Watcher } from "./index-slot.ts";
import type { Found, Node } from "./nodes.ts";
import type { Slot, Value, View } from "./slot.ts";

export abstract class Leaf implements Node, Watcher {
  readonly slot: Slot;
  readonly cost: number;
  /** Place among the leaves of one compiler. */
  readonly id: number;
  /** Set when the index of the field knows the test: without its word the test is not true, but for `loose`. */
  indexed = false;
  seenAt = 0;
  sureAt = 0;
  uses = 0;
  weight = 0;
  #at = 0;
  #last = false;

  constructor(id: number, slot: Slot, cost: number) {
    this.id = id;
    this.slot = slot;
    this.cost = cost;
  }
  /** Whether the field must be there for the test to be true. */
  get needy(): boolean {
    return true;
  }
  /** Whether the test can only be true when the index says so. */
  get told(): boolean {
    return this.indexed;
  }
  test(view: View): boolean {
    if (this.#at === view.generation) return this.#last;
    const result = this.#decide(view);
    this.#at = view.generation;
    this.#last = result;
    return result;
  }
  #decide(view: View): boolean {
    if (this.indexed) {
      this.slot.search(view);
      if (this.sureAt === view.generation) return true;
      if (this.seenAt !== view.generation) return this.loosely(view);
    }
    return this.first(view) >= 0;
  }
  /** Whether the test is true by what the index cannot tell. */
  protected loosely(_view: View): boolean {
    return false;
  }
  explain(view: View, out: Found[]): void {
    const i = this.first(view);
    const value = this.slot.values[i];
    if (i < this.slot.count && value !== undefined)
      out.push({ field: this.slot.name, value, at: this.place(view, i) });
  }
  /** Index of the first value that passes, 0 when the test needs none, or -1. */
  protected abstract first(view: View): number;
  protected place(_view: View, _i: number): number {
    return 0;
  }
}

/** Values that equal one of many texts, or match one of many patterns. */
export class TextLeaf extends Leaf {
  readonly exact: ReadonlySet<string>;
  readonly patterns: readonly ((text: string) => number)[];
  readonly cased: boolean;
  /** Those of `patterns` that the index does not know. */
  loose: readonly ((text: string) => number)[] = [];
  readonly #longest: number;

  constructor(
    id: number,
    slot: Slot,
    exact: ReadonlySet<string>,
    patterns: readonly ((t: string) => number)[],
    cased: boolean,
  ) {
    super(id, slot, patterns.length === 0 ? 1 : 10);
    this.exact = exact;
    this.patterns = patterns;
    this.cased = cased;
    let longest = -1;
    for (const text of exact) longest = Math.max(longest, text.length);
    this.#longest = longest;
  }
  protected first(view: View): number {
    this.slot.load(view);
    const count = this.slot.count;
    if (count === 0) return -1;
    const texts = this.cased ? this.slot.texts(view) : this.slot.lower(view);
    for (let i = 0; i < count; i++) {
      const text = texts[i]!;
      if (text.length <= this.#longest && this.exact.has(text)) return i;
    }
    if (this.patterns.length === 0) return -1;
    for (let i = 0; i < count; i++) if (match(this.patterns, texts[i]!) >= 0) return i;
    return -1;
  }
  override get told(): boolean {
    return this.indexed && this.loose.length === 0;
  }
  protected override loosely(view: View): boolean {
    if (this.loose.length === 0) return false;
    const texts = this.cased ? this.slot.texts(view) : this.slot.lower(view);
    for (let i = 0; i < this.slot.count; i++) if (match(this.loose, texts[i]!) >= 0) return true;
    return false;
  }
  protected override place(view: View, i: number): number {
    return Math.max(
      0,
      match(this.patterns, (this.cased ? this.slot.texts(view) : this.slot.lower(view))[i]!),
    );
  }
}

function match(patterns: readonly ((text: string) => number)[], text: string): number {
  for (let i = 0; i < patterns.length; i++) {
    const at = patterns[i]!(text);
    if (at >= 0) return at;
  }
  return -1;
}

/** Values that pass a function: regular expressions, networks, numbers, times. */
export class CheckLeaf extends Leaf {
  readonly check: (value: Value) => boolean;
  readonly #find: ((text: string) => number) | undefined;
  constructor(
    id: number,
    slot: Slot,
    cost: number,
    check: (value: Value) => boolean,
    find?: (text: string) => number,
  ) {
    super(id, slot, cost);
    this.check = check;
    this.#find = find;
  }
  protected first(view: View): number {
    this.slot.load(view);
    const { values, count } = this.slot;
    for (let i = 0; i < count; i++) if (this.check(values[i]!)) return i;
    return -1;
  }
  protected override place(_view: View, i: number): number {
    return Math.max(0, this.#find?.(String(this.slot.values[i])) ?? 0);
  }
}

/** Whether the field is there at all, or is absent or null. */
export class PresenceLeaf extends Leaf {
  readonly wanted: "present" | "missing" | "null";
  constructor(id: number, slot: Slot, wanted: "present" | "missing" | "null") {
    super(id, slot, 0);
    this.wanted = wanted;
  }
  override get needy(): boolean {
    return this.wanted === "present";
  }
  protected first(view: View): number {
    this.slot.load(view);
    const { present, absent } = this.slot;
    return (this.wanted === "null" ? absent : present === (this.wanted === "present")) ? 0 : -1;
  }
}

/** Values that stand in a relation to a value of another field of the event. */
export class RefLeaf extends Leaf {
  readonly other: Slot;
  readonly cased: boolean;
  readonly holds: (text: string, other: string) => boolean;
  constructor(
    id: number,
    slot: Slot,
    other: Slot,
    cased: boolean,
    holds: (text: string, other: string) => boolean,
  ) {
    super(id, slot, 5);
    this.other = other;
    this.cased = cased;
    this.holds = holds;
  }
  protected first(view: View): number {
    const mine = this.cased ? this.slot.texts(view) : this.slot.lower(view);
    const theirs = this.cased ? this.other.texts(view) : this.other.lower(view);
    for (let i = 0; i < this.slot.count; i++) {
      for (let k = 0; k < this.other.count; k++) if (this.holds(mine[i]!, theirs[k]!)) return i;
    }
    return -1;
  }
}
