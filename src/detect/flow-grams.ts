// Fingerprints of content: keyed hashes of runs of letters and digits, thinned out by winnowing. The same content gives
// the same fingerprints whatever its case, spaces, punctuation and escapes. Nothing is allocated a fingerprint.
import { LIMITS } from "../core/limits.ts";

/** Letters and digits in a run that is hashed. */
export const GRAM = 16;
/** Of this many neighbouring runs one is kept, at least: content of GRAM + WINDOW letters is always found. */
const WINDOW = 16;
/** A run whose letters change less often says nothing. */
const CHANGES_MIN = 7;

const CHARS = LIMITS.flow_text_chars;
const codes = new Uint16Array(CHARS);
const hashes = new Uint32Array(CHARS);
const picked = new Uint32Array(CHARS);
const picked_at = new Uint32Array(CHARS);
/** Hash of a run that says nothing: higher than all others. */
const NOTHING = 0xffffffff;

const KEEP = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const letter = String.fromCharCode(c);
  if (/[a-z0-9]/.test(letter)) KEEP[c] = c;
  else if (/[A-Z]/.test(letter)) KEEP[c] = c | 32;
}
// oxlint-disable-next-line no-control-regex
const FOREIGN = /[^\u0000-\u007f]/;

/** Hashes of a text's runs; one instance a thread, since it works in shared arrays. */
export class Grams {
  readonly #base: number;
  readonly #drop: number;
  readonly #mix: number;
  /** Runs of the text read last. */
  count = 0;
  /** Fingerprints picked last, and the runs that they are of. */
  readonly picked = picked;
  readonly picked_at = picked_at;
  /** Letters that one picked fingerprint stands for, about. */
  spacing = WINDOW;

  /** `seed`: two secret numbers. */
  constructor(seed: readonly [number, number]) {
    this.#base = (seed[0] | 1) >>> 0;
    this.#mix = (seed[1] | 1) >>> 0;
    let drop = 1;
    for (let i = 0; i < GRAM; i++) drop = Math.imul(drop, this.#base);
    this.#drop = drop;
  }

  /** Reads a text; with `links` false, addresses of the web are left out: following a link moves no content. */
  read(text: string, links: boolean): void {
    this.count = 0;
    if (text.length < GRAM) return;
    const length = normalise(FOREIGN.test(text) ? text.toLowerCase() : text, links);
    if (length < GRAM) return;
    const base = this.#base;
    const drop = this.#drop;
    const mix = this.#mix;
    let h = 0;
    let changes = 0;
    let before = 0;
    for (let i = 0; i < length; i++) {
      const c = codes[i]!;
      h = (Math.imul(h, base) + c) | 0;
      if (c !== before) changes++;
      before = c;
      if (i < GRAM - 1) continue;
      if (i >= GRAM) {
        const gone = codes[i - GRAM]!;
        h = (h - Math.imul(gone, drop)) | 0;
        if (gone !== codes[i - GRAM + 1]) changes--;
      }
      const mixed = Math.imul(h ^ (h >>> 15), mix);
      hashes[i - GRAM + 1] = changes < CHANGES_MIN ? NOTHING : ((mixed ^ (mixed >>> 13)) >>> 1) + 1;
    }
    this.count = length - GRAM + 1;
  }

  /** Letters and digits of a text. */
  length(text: string): number {
    return normalise(text, true);
  }

  /** Picks the fingerprints of all runs; returns how many. */
  all(): number {
    let n = 0;
    for (let i = 0; i < this.count; i++) {
      if (hashes[i] === NOTHING) continue;
      picked_at[n] = i;
      picked[n++] = hashes[i]!;
    }
    return n;
  }

  /** Picks fingerprints of the text read last, at most `max`; returns how many. */
  pick(max: number): number {
    const { count } = this;
    if (count === 0) return 0;
    const window = Math.min(count, Math.max(WINDOW, Math.ceil((count * 2.2) / max)));
    this.spacing = Math.ceil(window / 2);
    let n = 0;
    let low = -1;
    for (let end = window; end <= count && n < max; end++) {
      if (low >= end - window && low >= 0) {
        // Only the newest run can be lower than the lowest of the window before.
        if (hashes[end - 1]! > hashes[low]!) continue;
        low = end - 1;
      } else {
        low = end - window;
        for (let i = low + 1; i < end; i++) if (hashes[i]! <= hashes[low]!) low = i;
      }
      if (hashes[low] === NOTHING) continue;
      picked_at[n] = low;
      picked[n++] = hashes[low]!;
    }
    return n;
  }
}

const isDelimiter = (c: number): boolean =>
  c <= 32 || c === 34 || c === 39 || c === 60 || c === 62 || c === 41 || c === 93 || c === 92;

/** Puts letters and digits of the text into `codes`, in lower case; returns how many. */
function normalise(text: string, links: boolean): number {
  const end = Math.min(text.length, CHARS);
  let n = 0;
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c < 128) {
      const kept = KEEP[c]!;
      if (!links && c === 119 && text.startsWith("www.", i)) {
        while (i < end && !isDelimiter(text.charCodeAt(i))) i++;
      } else if (kept !== 0) codes[n++] = kept;
      else if (c === 92) {
        const after = text.charCodeAt(i + 1);
        if (after === 110 || after === 114 || after === 116) i++;
        else if (after === 117) {
          const code = parseInt(text.slice(i + 2, i + 6), 16);
          if (code >= 0) {
            i += 5;
            if (code < 128 ? KEEP[code] !== 0 : code > 0xbf) codes[n++] = code < 128 ? KEEP[code]! : code;
          }
        }
      } else if (!links && c === 58 && text.charCodeAt(i + 1) === 47 && text.charCodeAt(i + 2) === 47) {
        while (i < end && !isDelimiter(text.charCodeAt(i))) i++;
      }
    } else if (c > 0xbf && (c < 0x2000 || c > 0x206f)) codes[n++] = c;
  }
  return n;
}
