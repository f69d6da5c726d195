// Rules as clauses: every one has a test that is true, or a negated one that is not. They lie in one array, rarest first,
// and are told from the answers at hand, so that trying a rule touches little memory. Rules that would be too long so
// stay the trees that they are.
import { Leaf } from "./leaf.ts";
import type { CompiledRule } from "./match.ts";
import { All, Any, Not, type Node } from "./nodes.ts";
import type { Slot, View } from "./slot.ts";

const LITERALS = 64; // of one rule, at most

interface Literal {
  readonly leaf: Leaf;
  readonly negated: boolean;
}
type Clause = readonly Literal[];

/** Undefined when there would be too many. */
function clausesOf(node: Node, negated: boolean): readonly Clause[] | undefined {
  if (node instanceof Leaf) return [[{ leaf: node, negated }]];
  if (node instanceof Not) return clausesOf(node.child, !negated);
  if (!(node instanceof All || node instanceof Any)) return undefined;
  const all = node instanceof All !== negated;
  let out: readonly Clause[] = all ? [] : [[]];
  for (const child of node.children) {
    const next = clausesOf(child, negated);
    if (next === undefined) return undefined;
    out = all ? [...out, ...next] : out.flatMap((clause) => next.map((other) => [...clause, ...other]));
    if (out.reduce((sum, clause) => sum + clause.length, 0) > LITERALS) return undefined;
  }
  return out;
}

/** How dear it is to ask, then how often it is true. */
const dearness = ({ leaf }: Literal): number => (leaf.told ? Math.min(leaf.cost, 1) : leaf.cost);
const often = ({ leaf, negated }: Literal): number => (negated ? 1 : leaf.weight);
const most = (clause: Clause): number => clause.reduce((sum, literal) => sum + dearness(literal), 0);
const chance = (clause: Clause): number => clause.reduce((sum, literal) => sum + often(literal), 0);

/** Whether a rule can wait for it. */
const isPlain = (clause: Clause): boolean => clause.every(({ leaf, negated }) => leaf.told && !negated);

const ODD = -1; // in place of a field: a test that is not of one value alone

export class Clauses {
  readonly #rules: readonly CompiledRule[];
  /** By rule: where it begins, or -1 when it stays a tree. */
  readonly #start: Int32Array;
  /** Of each rule: its end; of each of its clauses: its end, and of each literal in it: the field, the test, and 1 when
   * it is negated. */
  readonly #code: Int32Array;
  readonly #fields: Slot[] = [];
  readonly #numbers = new Map<Slot, number>();
  /** By field and place of the test. */
  readonly #leaves: Leaf[][] = [];
  readonly #odd: Leaf[] = [];

  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules;
    this.#start = new Int32Array(rules.length).fill(-1);
    const code: number[] = [];
    for (const [place, { test }] of rules.entries()) {
      const clauses = clausesOf(test, false);
      if (clauses === undefined) continue;
      this.#start[place] = code.length;
      this.#write(clauses, code);
    }
    this.#code = Int32Array.from(code);
  }

  #write(clauses: readonly Clause[], code: number[]): void {
    const start = code.push(0);
    const sorted = clauses.toSorted((a, b) => most(a) - most(b) || chance(a) - chance(b));
    // The rarest has most likely woken the rule, so that it is true.
    sorted.push(...sorted.splice(sorted.findIndex(isPlain), 1));
    for (const clause of sorted) {
      const at = code.push(0);
      const literals = clause.toSorted((a, b) => dearness(a) - dearness(b) || often(b) - often(a));
      for (const { leaf, negated } of literals) code.push(...this.#operand(leaf), negated ? 1 : 0);
      code[at - 1] = code.length;
    }
    code[start - 1] = code.length;
  }

  #operand(leaf: Leaf): [field: number, test: number] {
    if (!leaf.ofValue) return [ODD, this.#odd.push(leaf) - 1];
    let field = this.#numbers.get(leaf.slot);
    if (field === undefined) {
      field = this.#fields.push(leaf.slot) - 1;
      this.#numbers.set(leaf.slot, field);
      this.#leaves.push([]);
    }
    this.#leaves[field]![leaf.place] = leaf;
    return [field, leaf.place];
  }

  /** Whether the rule at `place` matches the event. */
  test(place: number, view: View): boolean {
    const code = this.#code;
    let at = this.#start[place]!;
    if (at < 0) return this.#rules[place]!.test.test(view);
    const end = code[at++]!;
    while (at < end) {
      const next = code[at++]!;
      for (; at < next; at += 3) {
        if (this.#ask(code[at]!, code[at + 1]!, view) !== (code[at + 2] === 1)) break;
      }
      if (at >= next) return false;
      at = next;
    }
    return true;
  }

  #ask(field: number, test: number, view: View): boolean {
    if (field === ODD) return this.#odd[test]!.test(view);
    const { bits } = this.#fields[field]!.answers(view);
    const word = (test >>> 5) << 1;
    if (((bits[word]! >>> (test & 31)) & 1) === 0) return this.#leaves[field]![test]!.test(view);
    return ((bits[word + 1]! >>> (test & 31)) & 1) === 1;
  }
}
