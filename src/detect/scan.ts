// One pass over a text that finds which of many literals occur in it (Wu and Manber). Case is the caller's
// business. Time is at most text times the literals that share two characters; on clean text a fraction of it.

/** Literals shorter than this are not worth a pass. */
export const LITERAL_CHARS = 3;
const WINDOW_MAX = 8;
const MASK = 4095;

/** Something that wants to know that one of its literals occurred. */
export interface Watcher {
  seenAt: number;
}
interface Entry {
  readonly literal: string;
  /** Where in the literal its window begins. */
  readonly offset: number;
  readonly watchers: Watcher[];
}

/** How rare a character is in ordinary text, roughly. */
function rarity(c: string): number {
  if (" etaoinsrhldcum".includes(c)) return 0;
  return c >= "a" && c <= "z" ? 1 : 2;
}

/** The place of the window whose end is rarest, since each end that occurs in a text costs a comparison. */
function placeOf(literal: string, window: number): number {
  let best = 0;
  let most = -1;
  for (let at = 0; at + window <= literal.length; at++) {
    const score = rarity(literal[at + window - 2]!) + rarity(literal[at + window - 1]!);
    if (score > most) [best, most] = [at, score];
  }
  return best;
}

export class Scan {
  readonly #window: number;
  readonly #shift = new Uint8Array(MASK + 1);
  readonly #bucket: (Entry[] | undefined)[] = Array.from({ length: MASK + 1 }, () => undefined);

  /** Literals of at least LITERAL_CHARS characters, and who watches for them. */
  constructor(watched: ReadonlyMap<string, Watcher[]>) {
    let window = WINDOW_MAX;
    for (const literal of watched.keys()) window = Math.min(window, literal.length);
    this.#window = window;
    this.#shift.fill(window - 1);
    for (const [literal, watchers] of watched) {
      const offset = placeOf(literal, window);
      for (let j = 1; j < window; j++) {
        const h = ((literal.charCodeAt(offset + j - 1) << 5) ^ literal.charCodeAt(offset + j)) & MASK;
        if (this.#shift[h]! > window - 1 - j) this.#shift[h] = window - 1 - j;
        if (j === window - 1) (this.#bucket[h] ??= []).push({ literal, offset, watchers });
      }
    }
  }

  /** Marks the watchers of all literals in `text` with `generation`. */
  run(text: string, generation: number): void {
    const shift = this.#shift;
    const window = this.#window;
    const end = text.length;
    for (let i = window - 1; i < end;) {
      const h = ((text.charCodeAt(i - 1) << 5) ^ text.charCodeAt(i)) & MASK;
      const step = shift[h]!;
      if (step > 0) {
        i += step;
        continue;
      }
      const bucket = this.#bucket[h]!;
      for (let k = 0; k < bucket.length; k++) {
        const entry = bucket[k]!;
        const start = i - window + 1 - entry.offset;
        if (start < 0 || !text.startsWith(entry.literal, start)) continue;
        for (const watcher of entry.watchers) watcher.seenAt = generation;
      }
      i++;
    }
  }
}
