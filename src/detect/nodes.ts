// Rules at work: predicates over one event, joined as the condition says. Synchronous, no I/O, keeps nothing from one
// event to the next. The tests of fields themselves are in leaf.ts.
import type { Slot, Value, View } from "./slot.ts";

/** A value that made a test true; `at` is the place of the match in its text. */
export interface Found {
  readonly field: string;
  readonly value: Value;
  readonly at: number;
}

export interface Node {
  /** Relative, for ordering: cheap tests first. */
  readonly cost: number;
  test(view: View): boolean;
  /** What comes of it by what is known of one field, whatever the others hold; undefined when they decide. */
  partly(view: View, slot: Slot): boolean | undefined;
  /** Adds what made the test true. Cold. */
  explain(view: View, out: Found[]): void;
}

export class All implements Node {
  readonly children: readonly Node[];
  /** In the order of the rule, which is how evidence reads best. */
  readonly #written: readonly Node[];
  readonly cost: number;
  constructor(children: readonly Node[]) {
    this.#written = children;
    this.children = children.toSorted((a, b) => a.cost - b.cost);
    this.cost = children.reduce((sum, c) => sum + c.cost, 0);
  }
  test(view: View): boolean {
    for (let i = 0; i < this.children.length; i++) if (!this.children[i]!.test(view)) return false;
    return true;
  }
  partly(view: View, slot: Slot): boolean | undefined {
    let result: boolean | undefined = true;
    for (let i = 0; i < this.children.length; i++) {
      const child = this.children[i]!.partly(view, slot);
      if (child === false) return false;
      if (child === undefined) result = undefined;
    }
    return result;
  }
  explain(view: View, out: Found[]): void {
    for (const child of this.#written) child.explain(view, out);
  }
}

export class Any implements Node {
  readonly children: readonly Node[];
  readonly #written: readonly Node[];
  readonly cost: number;
  constructor(children: readonly Node[]) {
    this.#written = children;
    this.children = children.toSorted((a, b) => a.cost - b.cost);
    this.cost = children.reduce((sum, c) => sum + c.cost, 0);
  }
  test(view: View): boolean {
    for (let i = 0; i < this.children.length; i++) if (this.children[i]!.test(view)) return true;
    return false;
  }
  partly(view: View, slot: Slot): boolean | undefined {
    let result: boolean | undefined = false;
    for (let i = 0; i < this.children.length; i++) {
      const child = this.children[i]!.partly(view, slot);
      if (child === true) return true;
      if (child === undefined) result = undefined;
    }
    return result;
  }
  explain(view: View, out: Found[]): void {
    for (const child of this.#written) if (child.test(view)) child.explain(view, out);
  }
}

export class Not implements Node {
  readonly child: Node;
  readonly cost: number;
  constructor(child: Node) {
    this.child = child;
    this.cost = child.cost;
  }
  test(view: View): boolean {
    return !this.child.test(view);
  }
  partly(view: View, slot: Slot): boolean | undefined {
    const child = this.child.partly(view, slot);
    return child === undefined ? undefined : !child;
  }
  explain(): void {
    // What is not there is no evidence.
  }
}
