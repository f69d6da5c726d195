// What is known of the tests of one field, for the values at hand: a bit that it is known, and a bit that it is true. The
// index of the field tells what it can, the tests themselves fill in the rest as they are asked. Knows no events.
import type { Listener, Sight } from "./index-slot.ts";

// Counts over all searches, since literals remember in which of them they were told.
let runs = 0;

export class Answers implements Listener {
  /** Two words for 32 tests, by their place among those of the field: which are known, and which are true. */
  readonly bits: Int32Array;
  /** Tests that the index told of, as true or as worth a look: the first `hitCount`. A test may be there twice. */
  readonly hits: number[] = [];
  hitCount = 0;
  /** Whether they outlive the event in hand; then `woken` tells which rules of which set to try, once that is worked out,
   * and `uses` how often it was asked. */
  readonly kept: boolean;
  woken: readonly number[] = [];
  wokenOf: object | undefined;
  uses = 0;
  /** Set while a text is not quite the value: nothing is sure of it. */
  doubt = false;
  #run = 0;

  constructor(tests: number, kept: boolean) {
    this.bits = new Int32Array(((tests + 31) >>> 5) << 1);
    this.kept = kept;
  }

  /** `told` has the tests that are false unless the index tells of them. */
  reset(told: Answers): void {
    this.bits.set(told.bits);
    this.hitCount = 0;
    this.#run = ++runs;
  }

  copy(): Answers {
    const out = new Answers(this.bits.length << 4, true);
    out.bits.set(this.bits);
    for (let i = 0; i < this.hitCount; i++) out.hits.push(this.hits[i]!);
    out.hitCount = this.hitCount;
    return out;
  }

  /** Whether a test is true; undefined when it is not known. */
  answer(test: number): boolean | undefined {
    const word = (test >>> 5) << 1;
    if (((this.bits[word]! >>> (test & 31)) & 1) === 0) return undefined;
    return ((this.bits[word + 1]! >>> (test & 31)) & 1) === 1;
  }

  learn(test: number, truth: boolean): void {
    const word = (test >>> 5) << 1;
    this.bits[word]! |= 1 << (test & 31);
    if (truth) this.bits[word + 1]! |= 1 << (test & 31);
  }

  /** A literal occurs. */
  tell(sight: Sight): void {
    if (sight.toldAt === this.#run) return;
    const { sure, maybe } = sight;
    if (!this.doubt) {
      sight.toldAt = this.#run;
      for (let i = 0; i < sure.length; i++) this.#sure(sure[i]!);
    }
    for (let i = 0; i < maybe.length; i++) this.#maybe(maybe[i]!);
  }

  /** What is true of another value of the field is true here. */
  join(other: Answers): void {
    for (let i = 0; i < other.hitCount; i++) {
      const test = other.hits[i]!;
      const answer = other.answer(test);
      if (answer === true) this.#sure(test);
      else if (answer === undefined) this.#maybe(test);
    }
  }

  #sure(test: number): void {
    const word = (test >>> 5) << 1;
    const bit = 1 << (test & 31);
    if ((this.bits[word + 1]! & bit) !== 0) return;
    this.bits[word]! |= bit;
    this.bits[word + 1]! |= bit;
    this.hits[this.hitCount++] = test;
  }

  #maybe(test: number): void {
    const word = (test >>> 5) << 1;
    const bit = 1 << (test & 31);
    if ((this.bits[word]! & ~this.bits[word + 1]! & bit) === 0) return;
    this.bits[word]! &= ~bit;
    this.hits[this.hitCount++] = test;
  }
}
