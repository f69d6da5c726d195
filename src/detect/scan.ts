// One pass over a text that finds which of many literals occur in it. Each literal is looked up by its rarest five
// characters, shorter ones by three, two or one. Case is the caller's business. Time is at most text times the literals
// that share those characters.
import type { Listener, Sight } from "./index-slot.ts";

/** Shorter literals say little: expressions that have no longer ones run on every value. */
export const LITERAL_CHARS = 3;

/** Characters of a window, and of that for literals shorter than it. */
const WINDOW = 5;
const NARROW = 3;
/** Bits by which the hash moves on with each character; it never holds more than a window. */
const SHIFT = 5;
const WINDOW_MASK = (1 << (WINDOW * SHIFT)) - 1;
const NARROW_MASK = (1 << (NARROW * SHIFT)) - 1;
const PAIR_MASK = (1 << (2 * SHIFT)) - 1;

/** How rare a character is in command lines, paths and prose, roughly. */
function rarity(code: number): number {
  const c = String.fromCharCode(code);
  if (" etaoinsrhldcum".includes(c)) return 0;
  return c >= "a" && c <= "z" ? 1 : 2;
}

/** Of the characters up to and with `end`. */
function hashAt(text: string, end: number, mask: number): number {
  let h = 0;
  for (let i = Math.max(0, end - WINDOW + 1); i <= end; i++) h = (h << SHIFT) ^ text.charCodeAt(i);
  return h & mask;
}

function mix(h: number): number {
  return Math.imul(h, 0x9e3779b1);
}

export class Scan {
  /** By the first bits of a window's mixed hash: whether some literal has it, and the first entry that may, from 1. */
  readonly #bits: Int32Array;
  readonly #bitShift: number;
  readonly #head: Int32Array;
  readonly #headShift: number;
  /** The first entry by the hash of a narrow window, and of two ASCII characters; 0 is none. */
  readonly #narrow: Int32Array;
  readonly #narrowBits: Int32Array;
  readonly #pair = new Int32Array(PAIR_MASK + 1);
  readonly #pairBits = new Int32Array((PAIR_MASK + 1) / 32);
  readonly #singles: { readonly literal: string; readonly entry: number }[] = [];
  /** The same for other short literals, by a character beyond ASCII. */
  readonly #wide = new Map<number, number>();
  readonly #anyShort: boolean;
  /** Of each entry: its window, the next entry to look at, where in the literal the window ends, and the literal. */
  readonly #window: Int32Array;
  readonly #next: Int32Array;
  readonly #end: Int32Array;
  readonly #from: Int32Array;
  readonly #length: Int32Array;
  readonly #sights: Sight[] = [{ sure: [], maybe: [], toldAt: 0 }];
  /** All literals, one after the other. */
  readonly #codes: Uint16Array;

  /** Literals of at least one character, and what to tell when they occur. */
  constructor(literals: ReadonlyMap<string, Sight>) {
    let chars = 0;
    let [short, narrow, long] = [0, 0, 0];
    for (const { length } of literals.keys()) {
      chars += length;
      if (length < NARROW) short++;
      else if (length < WINDOW) narrow++;
      else long++;
    }
    this.#anyShort = short + narrow > 0;
    const heads = Math.min(16, Math.max(5, Math.ceil(Math.log2(2 * long + 1))));
    // Sixteen bits a literal, as long as they stay in the processor's cache.
    const bits = Math.min(17, heads + 4);
    this.#headShift = 32 - heads;
    this.#bitShift = 32 - bits;
    this.#head = new Int32Array(1 << heads);
    this.#bits = new Int32Array(1 << (bits - 5));
    this.#narrow = new Int32Array(this.#anyShort ? NARROW_MASK + 1 : 0);
    this.#narrowBits = new Int32Array(this.#anyShort ? (NARROW_MASK + 1) / 32 : 0);
    const entries = literals.size + 1;
    this.#codes = new Uint16Array(chars);
    this.#window = new Int32Array(entries);
    this.#next = new Int32Array(entries);
    this.#end = new Int32Array(entries);
    this.#from = new Int32Array(entries);
    this.#length = new Int32Array(entries);
    this.#fill(literals);
  }

  #fill(literals: ReadonlyMap<string, Sight>): void {
    const common = count(literals.keys());
    const load = new Map<number, number>();
    let [entry, from] = [0, 0];
    for (const [literal, sight] of literals) {
      this.#sights[++entry] = sight;
      this.#from[entry] = from;
      this.#length[entry] = literal.length;
      for (let i = 0; i < literal.length; i++) this.#codes[from + i] = literal.charCodeAt(i);
      from += literal.length;
      if (literal.length < NARROW) this.#fileShort(literal, entry);
      else {
        const mask = literal.length < WINDOW ? NARROW_MASK : WINDOW_MASK;
        const { h, end } = rarest(literal, mask, common, load);
        load.set(h, (load.get(h) ?? 0) + 1);
        this.#end[entry] = end;
        this.#window[entry] = h;
        const first = mask === NARROW_MASK ? h : mix(h) >>> this.#headShift;
        const heads = mask === NARROW_MASK ? this.#narrow : this.#head;
        this.#next[entry] = heads[first]!;
        heads[first] = entry;
        const [bits, bit] =
          mask === NARROW_MASK ? [this.#narrowBits, h] : [this.#bits, mix(h) >>> this.#bitShift];
        bits[bit >>> 5]! |= 1 << (bit & 31);
      }
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
    } else if (last === 0) this.#singles.push({ literal, entry });
    else {
      const h = hashAt(literal, 1, PAIR_MASK);
      this.#end[entry] = 1;
      this.#next[entry] = this.#pair[h]!;
      this.#pair[h] = entry;
      this.#pairBits[h >>> 5]! |= 1 << (h & 31);
    }
  }

  /** Tells of every literal in `text`. */
  run(text: string, to: Listener): void {
    if (this.#anyShort) return this.#runAll(text, to);
    const bits = this.#bits;
    const bitShift = this.#bitShift;
    const length = text.length;
    let h = 0;
    for (let i = 0; i < length; i++) {
      h = ((h << SHIFT) ^ text.charCodeAt(i)) & WINDOW_MASK;
      const bit = Math.imul(h, 0x9e3779b1) >>> bitShift;
      if ((bits[bit >>> 5]! & (1 << (bit & 31))) !== 0) this.#checkWindow(text, i, h, to);
    }
  }

  /** The same where some literals are shorter than a window. */
  #runAll(text: string, to: Listener): void {
    const bits = this.#bits;
    const bitShift = this.#bitShift;
    const narrowBits = this.#narrowBits;
    const pairBits = this.#pairBits;
    const length = text.length;
    for (let i = 0; i < this.#singles.length; i++) {
      const { literal, entry } = this.#singles[i]!;
      if (text.includes(literal)) to.tell(this.#sights[entry]!);
    }
    let h = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      h = ((h << SHIFT) ^ code) & WINDOW_MASK;
      const bit = Math.imul(h, 0x9e3779b1) >>> bitShift;
      if ((bits[bit >>> 5]! & (1 << (bit & 31))) !== 0) this.#checkWindow(text, i, h, to);
      const narrow = h & NARROW_MASK;
      if ((narrowBits[narrow >>> 5]! & (1 << (narrow & 31))) !== 0)
        this.#check(text, i, this.#narrow[narrow]!, to);
      const pair = h & PAIR_MASK;
      if ((pairBits[pair >>> 5]! & (1 << (pair & 31))) !== 0) this.#check(text, i, this.#pair[pair]!, to);
      if (code > 127) this.#check(text, i, this.#wide.get(code) ?? 0, to);
    }
  }

  #checkWindow(text: string, i: number, h: number, to: Listener): void {
    let entry = this.#head[mix(h) >>> this.#headShift]!;
    for (; entry !== 0; entry = this.#next[entry]!) {
      if (this.#window[entry] === h && this.#isAt(text, i, entry)) to.tell(this.#sights[entry]!);
    }
  }

  #check(text: string, i: number, first: number, to: Listener): void {
    for (let entry = first; entry !== 0; entry = this.#next[entry]!) {
      if (this.#isAt(text, i, entry)) to.tell(this.#sights[entry]!);
    }
  }

  /** Whether the literal of an entry stands where its window ends at `i`. */
  #isAt(text: string, i: number, entry: number): boolean {
    const codes = this.#codes;
    const start = i - this.#end[entry]!;
    const length = this.#length[entry]!;
    if (start < 0 || start + length > text.length) return false;
    const from = this.#from[entry]!;
    let k = 0;
    while (k < length && text.charCodeAt(start + k) === codes[from + k]) k++;
    return k === length;
  }
}

function widthOf(mask: number): number {
  return mask === NARROW_MASK ? NARROW : WINDOW;
}

/** The window of a literal that texts and other literals have least. */
function rarest(
  literal: string,
  mask: number,
  common: ReadonlyMap<number, number>,
  load: ReadonlyMap<number, number>,
): { h: number; end: number } {
  let best = { h: 0, end: 0 };
  let least = Infinity;
  const width = widthOf(mask);
  for (let end = width - 1; end < literal.length; end++) {
    const h = hashAt(literal, end, mask);
    let cost = 2 * Math.log2(common.get(h)!) + (load.get(h) ?? 0);
    for (let i = end - width + 1; i <= end; i++) cost -= rarity(literal.charCodeAt(i));
    if (cost < least) [best, least] = [{ h, end }, cost];
  }
  return best;
}

/** How often each window occurs in the literals: what they share, texts will have too. */
function count(literals: Iterable<string>): Map<number, number> {
  const out = new Map<number, number>();
  for (const literal of literals) {
    const mask = literal.length < WINDOW ? NARROW_MASK : WINDOW_MASK;
    for (let end = widthOf(mask) - 1; end < literal.length; end++) {
      const h = hashAt(literal, end, mask);
      out.set(h, (out.get(h) ?? 0) + 1);
    }
  }
  return out;
}
