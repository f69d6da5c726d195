// Rules at work: predicates over one event. A test that several rules share runs once an event; literals are looked
// for in one pass a field. Synchronous, no I/O, keeps nothing from one event to the next.
import type { Watcher } from "./scan.ts";
import type { Slot, Value, View } from "./slot.ts";

/** A value that made a test true; `at` is the place of the match in its text. */
export interface Found {
  readonly field: string;
  readonly value: Value;
  readonly at: number;
}

export interface Node {
  /** Fields of which at least one must be present for the test to be true; undefined when nothing is needed. */
  readonly needs: readonly Slot[] | undefined;
  /** Relative, for ordering: cheap tests first. */
  readonly cost: number;
  test(view: View): boolean;
  /** Adds what made the test true. Cold. */
  explain(view: View, out: Found[]): void;
}

export class All implements Node {
  readonly children: readonly Node[];
  /** In the order of the rule, which is how evidence reads best. */
  readonly #written: readonly Node[];
  readonly cost: number;
  readonly needs: readonly Slot[] | undefined;
  constructor(children: readonly Node[]) {
    const lists = children.flatMap((c) => (c.needs === undefined ? [] : [c.needs]));
    this.needs = lists.toSorted((a, b) => a.length - b.length)[0];
    this.#written = children;
    this.children = children.toSorted((a, b) => a.cost - b.cost);
    this.cost = children.reduce((sum, c) => sum + c.cost, 0);
  }
  test(view: View): boolean {
    for (let i = 0; i < this.children.length; i++) if (!this.children[i]!.test(view)) return false;
    return true;
  }
  explain(view: View, out: Found[]): void {
    for (const child of this.#written) child.explain(view, out);
  }
}

export class Any implements Node {
  readonly children: readonly Node[];
  readonly #written: readonly Node[];
  readonly cost: number;
  readonly needs: readonly Slot[] | undefined;
  constructor(children: readonly Node[]) {
    const free = children.some((c) => c.needs === undefined);
    this.needs = free ? undefined : [...new Set(children.flatMap((c) => c.needs ?? []))];
    this.#written = children;
    this.children = children.toSorted((a, b) => a.cost - b.cost);
    this.cost = children.reduce((sum, c) => sum + c.cost, 0);
  }
  test(view: View): boolean {
    for (let i = 0; i < this.children.length; i++) if (this.children[i]!.test(view)) return true;
    return false;
  }
  explain(view: View, out: Found[]): void {
    for (const child of this.#written) if (child.test(view)) child.explain(view, out);
  }
}

export class Not implements Node {
  readonly needs = undefined;
  readonly child: Node;
  readonly cost: number;
  constructor(child: Node) {
    this.child = child;
    this.cost = child.cost;
  }
  test(view: View): boolean {
    return !this.child.test(view);
  }
  explain(): void {
    // What is not there is no evidence.
  }
}

/** A test of one field. Runs once an event, however many rules ask. */
abstract class Leaf implements Node, Watcher {
  readonly slot: Slot;
  readonly cost: number;
  readonly needs: readonly Slot[] | undefined;
  seenAt = 0;
  #at = 0;
  #last = false;

  constructor(slot: Slot, cost: number, needy = true) {
    this.slot = slot;
    this.cost = cost;
    this.needs = needy ? [slot] : undefined;
  }
  test(view: View): boolean {
    if (this.#at !== view.generation) {
      this.#at = view.generation;
      this.#last = this.first(view) >= 0;
    }
    return this.#last;
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
  readonly #longest: number;
  /** Set when the field's scan sees every literal without which no pattern matches. */
  indexed = false;

  constructor(
    slot: Slot,
    exact: ReadonlySet<string>,
    patterns: readonly ((t: string) => number)[],
    cased: boolean,
  ) {
    super(slot, patterns.length === 0 ? 1 : 10);
    this.exact = exact;
    this.patterns = patterns;
    this.cased = cased;
    this.#longest = Math.max(-1, ...Array.from(exact, (text) => text.length));
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
    if (this.indexed) {
      this.slot.search(view);
      if (this.seenAt !== view.generation) return -1;
    }
    for (let i = 0; i < count; i++) if (this.#match(texts[i]!) >= 0) return i;
    return -1;
  }
  #match(text: string): number {
    for (let i = 0; i < this.patterns.length; i++) {
      const at = this.patterns[i]!(text);
      if (at >= 0) return at;
    }
    return -1;
  }
  protected override place(view: View, i: number): number {
    return Math.max(0, this.#match((this.cased ? this.slot.texts(view) : this.slot.lower(view))[i]!));
  }
}

/** Values that pass a function: regular expressions, networks, numbers, times. */
export class CheckLeaf extends Leaf {
  readonly check: (value: Value) => boolean;
  /** As for TextLeaf. */
  indexed = false;
  readonly #find: ((text: string) => number) | undefined;
  constructor(slot: Slot, cost: number, check: (value: Value) => boolean, find?: (text: string) => number) {
    super(slot, cost);
    this.check = check;
    this.#find = find;
  }
  protected first(view: View): number {
    this.slot.load(view);
    const { values, count } = this.slot;
    if (count === 0) return -1;
    if (this.indexed) {
      this.slot.search(view);
      if (this.seenAt !== view.generation) return -1;
    }
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
  constructor(slot: Slot, wanted: "present" | "missing" | "null") {
    super(slot, 0, wanted === "present");
    this.wanted = wanted;
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
  constructor(slot: Slot, other: Slot, cased: boolean, holds: (text: string, other: string) => boolean) {
    super(slot, 5);
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
