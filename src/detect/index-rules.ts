// Which rules an event can match at all. Every rule waits for one of a few tests without which it is not true, or for
// a field to be there; the rest of them, which are few, wait for nothing.
import type { Answers } from "./answers.ts";
import type { CompiledRule } from "./match.ts";
import { Leaf } from "./leaf.ts";
import { All, Any, type Node } from "./nodes.ts";
import type { Slot, View } from "./slot.ts";

/** Tests of which one is true, or fields of which one is there, whenever the rule matches. */
interface Witness {
  readonly leaves: readonly Leaf[];
  readonly slots: readonly Slot[];
  /** How often that happens, roughly. */
  readonly weight: number;
}

const AGAIN = 4; // uses of a value after which it is told anew which rules it wakes
const PRESENT = 1; // weight of a field that is there
const MOST = 0.9; // weight of a test that is often true: still better than that

function witnessOf(node: Node): Witness | undefined {
  if (node instanceof Leaf) {
    if (!node.needy) return undefined;
    if (!node.told) return { leaves: [], slots: [node.slot], weight: PRESENT };
    return { leaves: [node], slots: [], weight: Math.min(MOST, node.weight) };
  }
  if (node instanceof All) {
    let best: Witness | undefined;
    for (const child of node.children) {
      const witness = witnessOf(child);
      if (witness !== undefined && (best === undefined || witness.weight < best.weight)) best = witness;
    }
    return best;
  }
  if (!(node instanceof Any)) return undefined;
  const leaves = new Set<Leaf>();
  const slots = new Set<Slot>();
  let weight = 0;
  for (const child of node.children) {
    const witness = witnessOf(child);
    if (witness === undefined) return undefined;
    for (const leaf of witness.leaves) leaves.add(leaf);
    for (const slot of witness.slots) slots.add(slot);
    weight += witness.weight;
  }
  return { leaves: [...leaves], slots: [...slots], weight };
}

/** What a field that is there leads to. */
interface Watch {
  readonly slot: Slot;
  /** Rules that wait for the field alone. */
  readonly places: number[];
  /** Rules that wait for one of its tests, by the place of that. */
  readonly byTest: (number[] | undefined)[];
}

/** What the rules of a set wait for. */
export class Waiting {
  readonly rules: readonly CompiledRule[];
  readonly watches = new Map<Slot, Watch>();
  /** By rule: whose value it waits for; empty when it waits for nothing. */
  readonly slots: (readonly Slot[])[] = [];

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    for (const [place, { test }] of rules.entries()) {
      const witness = witnessOf(test);
      const slots = new Set<Slot>(witness?.slots);
      for (const slot of slots) this.#watch(slot).places.push(place);
      for (const leaf of witness?.leaves ?? []) {
        slots.add(leaf.slot);
        (this.#watch(leaf.slot).byTest[leaf.place] ??= []).push(place);
      }
      this.slots.push([...slots]);
    }
  }

  #watch(slot: Slot): Watch {
    let watch = this.watches.get(slot);
    if (watch === undefined) this.watches.set(slot, (watch = { slot, places: [], byTest: [] }));
    return watch;
  }

  /** The rules that are worth a try by what one field holds. */
  woken(watch: Watch, answers: Answers, view: View): readonly number[] {
    const places = new Set(watch.places);
    for (let i = 0; i < answers.hitCount; i++) {
      for (const place of watch.byTest[answers.hits[i]!] ?? []) places.add(place);
    }
    return [...places].filter((place) => this.rules[place]!.test.partly(view, watch.slot) !== false);
  }
}

/** The rules of one log source, by what they wait for. */
export class RuleIndex {
  /** Candidates for the event under test: the first `count`. */
  readonly candidates: number[] = [];
  count = 0;
  readonly #waiting: Waiting;
  readonly #always: number[] = [];
  readonly #watches: Watch[] = [];
  /** By the keys of an event with which the path to the field can begin. */
  readonly #byKey = new Map<string, Watch[]>();
  /** Of each rule: in which generation it became a candidate; infinite for those of other log sources. */
  readonly #addedAt: Float64Array;

  /** `places` are those of the rules that take part. */
  constructor(waiting: Waiting, places: readonly number[]) {
    this.#waiting = waiting;
    this.#addedAt = new Float64Array(waiting.rules.length).fill(Infinity);
    const slots = new Set<Slot>();
    for (const place of places) {
      this.#addedAt[place] = 0;
      if (waiting.slots[place]!.length === 0) this.#always.push(place);
      for (const slot of waiting.slots[place]!) slots.add(slot);
    }
    for (const slot of slots) this.#file(waiting.watches.get(slot)!);
  }

  #file(watch: Watch): void {
    const heads = watch.slot.heads;
    if (heads === undefined) this.#watches.push(watch);
    for (const head of heads ?? []) {
      const list = this.#byKey.get(head);
      if (list === undefined) this.#byKey.set(head, [watch]);
      else list.push(watch);
    }
  }

  get empty(): boolean {
    return this.#always.length + this.#watches.length + this.#byKey.size === 0;
  }

  /** Fills `candidates`: each rule that the event can match is there once. */
  collect(view: View): void {
    this.count = 0;
    const always = this.#always;
    for (let i = 0; i < always.length; i++) this.candidates[this.count++] = always[i]!;
    const watches = this.#watches;
    for (let i = 0; i < watches.length; i++) this.#visit(watches[i]!, view);
    if (this.#byKey.size === 0) return;
    for (const key in view.event) {
      const found = this.#byKey.get(key);
      if (found === undefined) continue;
      for (let i = 0; i < found.length; i++) this.#visit(found[i]!, view);
    }
  }

  #visit(watch: Watch, view: View): void {
    const slot = watch.slot;
    slot.load(view);
    if (!slot.present) return;
    const answers = slot.answers(view);
    if (answers.kept) {
      this.#wake(watch, answers, view);
      return;
    }
    this.#add(watch.places, view.generation);
    for (let i = 0; i < answers.hitCount; i++) {
      const places = watch.byTest[answers.hits[i]!];
      if (places !== undefined) this.#add(places, view.generation);
    }
  }

  #wake(watch: Watch, answers: Answers, view: View): void {
    // Worked out again when those that it woke have asked what was not known at first.
    if (answers.wokenOf !== this.#waiting || (answers.uses < AGAIN && ++answers.uses === AGAIN)) {
      answers.woken = this.#waiting.woken(watch, answers, view);
      answers.wokenOf = this.#waiting;
    }
    this.#add(answers.woken, view.generation);
  }

  #add(places: readonly number[], generation: number): void {
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      if (this.#addedAt[place]! >= generation) continue;
      this.#addedAt[place] = generation;
      this.candidates[this.count++] = place;
    }
  }
}
