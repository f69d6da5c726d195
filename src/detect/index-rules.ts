// Which rules an event can match at all. Every rule waits for one of a few tests without which it is not true, or for
// a field to be there; the rest of them, which are few, wait for nothing.
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
  /** Whether rules wait for what it holds. */
  searched: boolean;
}

/** The rules of one log source, by what they wait for. */
export class RuleIndex {
  /** Candidates for the event under test: the first `count`. */
  readonly candidates: number[] = [];
  count = 0;
  readonly #always: number[] = [];
  readonly #watches: Watch[] = [];
  /** By the keys of an event with which the path to the field can begin. */
  readonly #byKey = new Map<string, Watch[]>();
  readonly #byLeaf: (readonly number[] | undefined)[] = [];
  readonly #addedAt: Float64Array;

  /** `places` are those of the rules that take part. */
  constructor(rules: readonly CompiledRule[], places: readonly number[]) {
    this.#addedAt = new Float64Array(rules.length);
    const watches = new Map<Slot, Watch>();
    const watch = (slot: Slot): Watch => {
      let found = watches.get(slot);
      if (found === undefined) watches.set(slot, (found = { slot, places: [], searched: false }));
      return found;
    };
    const byLeaf = new Map<number, number[]>();
    let leaves = 0;
    for (const place of places) {
      const witness = witnessOf(rules[place]!.test);
      if (witness === undefined) {
        this.#always.push(place);
        continue;
      }
      for (const slot of witness.slots) watch(slot).places.push(place);
      for (const leaf of witness.leaves) {
        watch(leaf.slot).searched = true;
        leaves = Math.max(leaves, leaf.id + 1);
        const list = byLeaf.get(leaf.id);
        if (list === undefined) byLeaf.set(leaf.id, [place]);
        else list.push(place);
      }
    }
    for (let id = 0; id < leaves; id++) this.#byLeaf.push(byLeaf.get(id));
    for (const found of watches.values()) this.#file(found);
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
    if (watch.places.length > 0) this.#add(watch.places, view.generation);
    if (!watch.searched) return;
    const index = slot.search(view);
    for (let i = 0; i < index.hitCount; i++) {
      const places = this.#byLeaf[index.hits[i]!.id];
      if (places !== undefined) this.#add(places, view.generation);
    }
  }

  #add(places: readonly number[], generation: number): void {
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      if (this.#addedAt[place] === generation) continue;
      this.#addedAt[place] = generation;
      this.candidates[this.count++] = place;
    }
  }
}
