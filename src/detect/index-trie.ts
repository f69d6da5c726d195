// Which of many literals a text begins or ends with: one walk from that end, as long as some literal goes on.
// Case is the caller's business.
import type { Listener, Sight } from "./index-slot.ts";

export class Trie {
  readonly #backward: boolean;
  /** Steps from one state with one character to the next, hashed; a state is 0 where the place is free. */
  readonly #mask: number;
  readonly #state: Int32Array;
  readonly #code: Uint16Array;
  readonly #to: Int32Array;
  readonly #sights: (Sight | undefined)[] = [];

  /** `backward` for endings. Literals have at least one character. */
  constructor(literals: ReadonlyMap<string, Sight>, backward: boolean) {
    this.#backward = backward;
    let chars = 0;
    for (const literal of literals.keys()) chars += literal.length;
    const size = 1 << Math.ceil(Math.log2(2 * chars + 16));
    this.#mask = size - 1;
    this.#state = new Int32Array(size);
    this.#code = new Uint16Array(size);
    this.#to = new Int32Array(size);
    let states = 1;
    for (const [literal, sight] of literals) {
      let state = 1;
      for (let i = 0; i < literal.length; i++) {
        const code = literal.charCodeAt(backward ? literal.length - 1 - i : i);
        const at = this.#place(state, code);
        if (this.#state[at] === 0) {
          this.#state[at] = state;
          this.#code[at] = code;
          this.#to[at] = ++states;
        }
        state = this.#to[at]!;
      }
      this.#sights[state] = sight;
    }
    for (let i = 0; i <= states; i++) this.#sights[i] ??= undefined;
  }

  /** Where the step is, or would be. */
  #place(state: number, code: number): number {
    let at = (Math.imul(state, 0x9e3779b1) ^ Math.imul(code, 0x85ebca6b)) >>> 7;
    for (at &= this.#mask; ; at = (at + 1) & this.#mask) {
      const found = this.#state[at]!;
      if (found === 0 || (found === state && this.#code[at] === code)) return at;
    }
  }

  run(text: string, to: Listener): void {
    const length = text.length;
    let state = 1;
    for (let i = 0; i < length; i++) {
      const at = this.#place(state, text.charCodeAt(this.#backward ? length - 1 - i : i));
      if (this.#state[at] === 0) return;
      state = this.#to[at]!;
      const sight = this.#sights[state];
      if (sight !== undefined) to.tell(sight);
    }
  }
}
