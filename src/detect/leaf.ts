// Tests of one field: the leaves of a rule. A test that several rules share runs once an event; what the field's index
// can tell, it tells. Synchronous, no I/O, keeps nothing from one event to the next.
import type { Watcher } from "./index-slot.ts";
import type { Found, Node } from "./nodes.ts";
import type { Slot, Value, View } from "./slot.ts";

export abstract class Leaf implements Node, Watcher {
  readonly slot: Slot;
  readonly cost: number;
  /** Among the tests of the field. */
  readonly place: number;
  /** Set when the index of the field knows the test: without its word the test is not true, but for `loose`. */
  indexed = false;
  uses = 0;
  weight = 0;

  constructor(place: number, slot: Slot, cost: number) {
    this.place = place;
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
  /** Whether the values of the field decide, each for itself. */
  get ofValue(): boolean {
    return true;
  }
  test(view: View): boolean {
    const answers = this.slot.answers(view);
    const known = answers.answer(this.place);
    if (known !== undefined) return known;
    const result = this.first(view) >= 0;
    answers.learn(this.place, result);
    return result;
  }
  partly(view: View, slot: Slot): boolean | undefined {
    return slot === this.slot ? slot.answers(view).answer(this.place) : undefined;
  }
  explain(view: View, out: Found[]): void {
    const i = this.first(view);
    const value = this.slot.values[i];
    if (i < this.slot.count && value !== undefined)
      out.push({ field: this.slot.name, value, at: this.at(view, i) });
  }
  /** Index of the first value that passes, 0 when the test needs none, or -1: found without any index. */
  abstract first(view: View): number;
  protected at(_view: View, _i: number): number {
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
    place: number,
    slot: Slot,
    exact: ReadonlySet<string>,
    patterns: readonly ((t: string) => number)[],
    cased: boolean,
  ) {
    super(place, slot, patterns.length === 0 ? 1 : 10);
    this.exact = exact;
    this.patterns = patterns;
    this.cased = cased;
    let longest = -1;
    for (const text of exact) longest = Math.max(longest, text.length);
    this.#longest = longest;
  }
  first(view: View): number {
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
  protected override at(view: View, i: number): number {
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
    place: number,
    slot: Slot,
    cost: number,
    check: (value: Value) => boolean,
    find?: (text: string) => number,
  ) {
    super(place, slot, cost);
    this.check = check;
    this.#find = find;
  }
  first(view: View): number {
    this.slot.load(view);
    const { values, count } = this.slot;
    for (let i = 0; i < count; i++) if (this.check(values[i]!)) return i;
    return -1;
  }
  protected override at(_view: View, i: number): number {
    return Math.max(0, this.#find?.(String(this.slot.values[i])) ?? 0);
  }
}

/** Whether the field is there at all, or is absent or null. */
export class PresenceLeaf extends Leaf {
  readonly wanted: "present" | "missing" | "null";
  constructor(place: number, slot: Slot, wanted: "present" | "missing" | "null") {
    super(place, slot, 0);
    this.wanted = wanted;
  }
  override get needy(): boolean {
    return this.wanted === "present";
  }
  override get ofValue(): boolean {
    return false;
  }
  override test(view: View): boolean {
    return this.first(view) === 0;
  }
  override partly(view: View, slot: Slot): boolean | undefined {
    return slot === this.slot ? this.test(view) : undefined;
  }
  first(view: View): number {
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
    place: number,
    slot: Slot,
    other: Slot,
    cased: boolean,
    holds: (text: string, other: string) => boolean,
  ) {
    super(place, slot, 5);
    this.other = other;
    this.cased = cased;
    this.holds = holds;
  }
  override get ofValue(): boolean {
    return false;
  }
  override test(view: View): boolean {
    return this.first(view) >= 0;
  }
  override partly(): undefined {
    return undefined;
  }
  first(view: View): number {
    const mine = this.cased ? this.slot.texts(view) : this.slot.lower(view);
    const theirs = this.cased ? this.other.texts(view) : this.other.lower(view);
    for (let i = 0; i < this.slot.count; i++) {
      for (let k = 0; k < this.other.count; k++) if (this.holds(mine[i]!, theirs[k]!)) return i;
    }
    return -1;
  }
}
