// One pass over a text that finds which of many literals occur in it. Each literal is looked up by its rarest three
// characters, shorter ones by two. Case is the caller's business. Time is at most text times the literals that share
// those characters.
import type { Listener, Sight } from "./index-slot.ts";

/** Shorter literals say little: expressions that have no longer ones run on every value. */
export const LITERAL_CHARS = 3;

/** How rare a character is in command lines, paths and prose, roughly. */
function rarity(code: number): number {
  const c = String.fromCharCode(code);
  if (" etaoinsrhldcum".includes(c)) return 0;
  return c >= "a" && c <= "z" ? 1 : 2;
}

export class Scan {
  /** Bits by which the hash moves on with each character: it holds the last three, its lower bits the last two. */
  readonly #shift: number;
  readonly #mask: number;
  readonly #pairMask: number;
  /** Hash → first entry with it, from 1; 0 is none. */
  readonly #head: Uint16Array | Int32Array;
  /** The same for literals of two ASCII characters, and of one. */
  readonly #pair: Int32Array;
  readonly #single = new Int32Array(128);
  /** In which run each of the latter was told. */
  readonly #singleAt = new Float64Array(128);
  #runs = 0;
  /** The same for other short literals, by a character beyond ASCII. */
  readonly #wide = new Map<number, number>();
  readonly #anyShort: boolean;
  /** Of each entry: the next with its hash, where in the literal its characters end, and the literal. */
  readonly #next: Int32Array;
  readonly #end: Int32Array;
  readonly #from: Int32Array;
  readonly #length: Int32Array;
  readonly #sights: Sight[] = [{ sure: [], maybe: [], toldAt: 0 }];
  /** All literals, one after the other. */
  readonly #codes: Uint16Array;

  /** Literals of at least one character, and what to tell when they occur. */
  constructor(literals: ReadonlyMap<string, Sight>) {
    this.#shift = literals.size <= 16 ? 4 : 5;
    this.#mask = (1 << (3 * this.#shift)) - 1;
    this.#pairMask = (1 << (2 * this.#shift)) - 1;
    this.#head = literals.size < 0xffff ? new Uint16Array(this.#mask + 1) : new Int32Array(this.#mask + 1);
    this.#pair = new Int32Array(this.#pairMask + 1);
    const entries = literals.size + 1;
    let [chars, short] = [0, false];
    for (const { length } of literals.keys()) {
      chars += length;
      short ||= length < 3;
    }
    this.#anyShort = short;
    this.#codes = new Uint16Array(chars);
    this.#next = new Int32Array(entries);
    this.#end = new Int32Array(entries);
    this.#from = new Int32Array(entries);
    this.#length = new Int32Array(entries);
    this.#fill(literals);
  }

  #fill(literals: ReadonlyMap<string, Sight>): void {
    const common = this.#count(literals.keys());
    const load = new Int32Array(this.#mask + 1);
    let [entry, from] = [0, 0];
    for (const [literal, sight] of literals) {
      this.#sights[++entry] = sight;
      this.#from[entry] = from;
      this.#length[entry] = literal.length;
      for (let i = 0; i < literal.length; i++) this.#codes[from + i] = literal.charCodeAt(i);
      if (literal.length < 3) this.#fileShort(literal, entry);
      else {
        const { h, end } = this.#rarest(literal, common, load);
        load[h]!++;
        this.#end[entry] = end;
        this.#next[entry] = this.#head[h]!;
        this.#head[h] = entry;
      }
      from += literal.length;
    }
  }

  #fileShort(literal: string, entry: number): void {
    const last = literal.length - 1;
    const end = literal.charCodeAt(last) > 127 ? last : 0;
    const code = literal.charCodeAt(end);
    this.#end[entry] = end;
    if (code > 127) {
      this.#next[entry] = this.#wide.get(code) ?? 0;
      this.#wide.set(code, entry);
    } else if (last === 0) this.#single[code] = entry;
    else {
      const h = this.#hash(literal, 1) & this.#pairMask;
      this.#end[entry] = 1;
      this.#next[entry] = this.#pair[h]!;
      this.#pair[h] = entry;
    }
  }

  #rarest(
    literal: string,
    common: ReadonlyMap<number, number>,
    load: Int32Array,
  ): { h: number; end: number } {
    let best = { h: 0, end: 0 };
    let least = Infinity;
    for (let end = 2; end < literal.length; end++) {
      const h = this.#hash(literal, end);
      let cost = 2 * Math.log2(common.get(h)!) + load[h]!;
      for (let i = end - 2; i <= end; i++) cost -= rarity(literal.charCodeAt(i));
      if (cost < least) [best, least] = [{ h, end }, cost];
    }
    return best;
  }

  /** How often each three characters occur in the literals: what they share, texts will have too. */
  #count(literals: Iterable<string>): Map<number, number> {
    const out = new Map<number, number>();
    for (const literal of literals) {
      for (let end = 2; end < literal.length; end++) {
        const h = this.#hash(literal, end);
        out.set(h, (out.get(h) ?? 0) + 1);
      }
    }
    return out;
  }

  #hash(text: string, end: number): number {
    let h = 0;
    for (let i = Math.max(0, end - 2); i <= end; i++) h = (h << this.#shift) ^ text.charCodeAt(i);
    return h & this.#mask;
  }

  /** Tells of every literal in `text`. */
  run(text: string, to: Listener): void {
    if (this.#anyShort) this.#runShort(text, to);
    const head = this.#head;
    const shift = this.#shift;
    const mask = this.#mask;
    const length = text.length;
    let h = 0;
    for (let i = 0; i < length; i++) {
      h = ((h << shift) ^ text.charCodeAt(i)) & mask;
      if (head[h] !== 0) this.#check(text, i, head[h]!, to);
    }
  }

  #runShort(text: string, to: Listener): void {
    const pair = this.#pair;
    const single = this.#single;
    const shift = this.#shift;
    const mask = this.#pairMask;
    const length = text.length;
    const runs = ++this.#runs;
    let h = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      h = ((h << shift) ^ code) & mask;
      if (pair[h] !== 0) this.#check(text, i, pair[h]!, to);
      if (code > 127) this.#check(text, i, this.#wide.get(code) ?? 0, to);
      else if (single[code] !== 0 && this.#singleAt[code] !== runs) {
        this.#singleAt[code] = runs;
        to.tell(this.#sights[single[code]!]!);
      }
    }
  }

  #check(text: string, i: number, first: number, to: Listener): void {
    const codes = this.#codes;
    for (let entry = first; entry !== 0; entry = this.#next[entry]!) {
      const start = i - this.#end[entry]!;
      const length = this.#length[entry]!;
      if (start < 0 || start + length > text.length) continue;
      const from = this.#from[entry]!;
      let k = 0;
      while (k < length && text.charCodeAt(start + k) === codes[from + k]) k++;
      if (k === length) to.tell(this.#sights[entry]!);
    }
  }
}
