// Reads a text into words, sentences and addresses, in arrays that are used again for every text. Knows the roles of
// words, not what follows from them. English, and whatever is written in words; nothing is allocated a word.
import { LIMITS } from "../core/limits.ts";
import {
  ACCOUNT_CHARS,
  ACCOUNT_DIGITS,
  address,
  isDigit,
  isLetter,
  isUpper,
  readAddress,
} from "./flow-address.ts";
import {
  CLASS,
  COLON,
  DIGIT,
  END,
  ESCAPE,
  LETTER,
  LINE,
  OPEN,
  QUOTE,
  SPACE,
  escaped,
  isInvisible,
  isKey,
  isOrdinal,
  isWord,
  opensClause,
} from "./flow-chars.ts";
import { BREAK, CAPITALS, PARAGRAPH, ROLE_MARK, tagMarks } from "./flow-marks.ts";
import { FRAME, IN_ADDRESS, VERB, WORD_PRIME, WORD_SEED, rolesOf } from "./flow-lexicon.ts";

const WORDS = LIMITS.flow_words;
const ADDRESSES = LIMITS.flow_addresses;
/** How a word starts that comes after a comma. */
export const COMMA = 2;
/** How a word starts that is written large after one that is not. */
export const CAPITAL = 3;
const ADDRESS_MIN = 5;
export class Words {
  readonly hash = new Uint32Array(WORDS);
  readonly roles = new Uint32Array(WORDS);
  /** Sentence of each word. */
  readonly sentence = new Uint16Array(WORDS);
  /** Value of a word that is a number below 10,000, else 0; 13th counts as 13. */
  readonly number = new Uint16Array(WORDS);
  /** 1 where a clause starts with the word, COMMA after a comma. */
  readonly starts = new Uint8Array(WORDS);
  readonly marks = new Uint8Array(WORDS + 1);
  /** Words of each sentence that are in no address. */
  readonly plain = new Uint16Array(WORDS + 1);
  readonly address = new Uint32Array(ADDRESSES);
  /** MAIL, LINK or ACCOUNT. */
  readonly address_kind = new Uint8Array(ADDRESSES);
  readonly address_sentence = new Uint16Array(ADDRESSES);
  words = 0;
  sentences = 0;
  addresses = 0;
  #fresh = true;
  #comma = false;
  /** Whether the last word began with a small letter. */
  #small = false;
  /** Digits of the last word. */
  #digits = 0;

  reset(): void {
    this.words = this.sentences = this.addresses = 0;
    this.marks[0] = this.plain[0] = 0;
    this.#fresh = true;
  }

  /** Ends the sentence; the next begins a part of its own. */
  part(): void {
    this.#end(BREAK);
  }

  #end(marks: number): void {
    this.#fresh = true;
    if (this.words > 0 && this.sentence[this.words - 1] === this.sentences) {
      if (this.sentences < WORDS - 1) this.sentences++;
      this.marks[this.sentences] = this.plain[this.sentences] = 0;
    }
    this.marks[this.sentences]! |= marks;
  }

  /** Reads a text on top of what was read since `reset`. */
  read(text: string): void {
    const end = Math.min(text.length, LIMITS.flow_text_chars);
    let run = -1; // where the run of characters that may be an address began
    let of = 0; // its sentence, which may have ended with it
    let first = 0; // its first word
    let mark = false; // whether it has what addresses have
    for (let i = 0; i < end && this.words < WORDS;) {
      const c = text.charCodeAt(i);
      const kind = c < 128 ? CLASS[c]! : isWord(c) ? LETTER : SPACE;
      if (kind === LETTER || kind === DIGIT) {
        if (run === -1) {
          run = i;
          of = this.sentences;
          first = this.words;
          mark = false;
        }
        const from = i;
        i = this.#word(text, i, end);
        if (i - from >= ACCOUNT_CHARS && this.#digits >= ACCOUNT_DIGITS) mark = true;
        continue;
      }
      if (run !== -1) {
        if (c === 64 || ((c === 46 || c === 58) && text.charCodeAt(i + 1) > 32)) mark = true;
        if (kind === SPACE || kind === LINE || kind === OPEN || kind === QUOTE || c === 44) {
          if (mark) this.#address(text, run, i, of, first);
          run = -1;
        }
      }
      i = this.#gap(text, i, end, c, kind);
    }
    if (run !== -1 && mark) this.#address(text, run, end, of, first);
  }

  /** Reads the word at `at`; returns where it ends. */
  #word(text: string, at: number, end: number): number {
    let h = WORD_SEED;
    let upper = 0;
    let letters = 0;
    let digits = 0;
    let i = at;
    for (; i < end; i++) {
      let c = text.charCodeAt(i);
      if (c < 128) {
        const kind = CLASS[c]!;
        if (kind === LETTER) {
          letters++;
          if (c < 91) {
            c |= 32;
            upper++;
          }
        } else if (kind === DIGIT) digits++;
        else {
          // don't, 30,000 and 12.50 are one word; a quote may be doubled.
          const after = text.charCodeAt(i + 1);
          if (
            kind === QUOTE &&
            i > at &&
            (isLetter(after) || (after === 39 && isLetter(text.charCodeAt(i + 2))))
          )
            continue;
          if (c === 44 && isDigit(after) && isDigit(text.charCodeAt(i - 1))) continue;
          break;
        }
      } else if (!isWord(c)) {
        if (isInvisible(c)) continue;
        break;
      }
      h = Math.imul(h ^ c, WORD_PRIME);
    }
    const first = text.charCodeAt(at);
    // 13th is 13, and 02 is 2: dates are written in many ways.
    this.#digits = digits;
    const n = this.words++;
    this.number[n] = 0;
    if (isDigit(text.charCodeAt(at)) && i - at <= 4) h = this.#number(text, at, i, h, n);
    // What names a field orders nothing.
    const roles = text.charCodeAt(i) === 58 ? rolesOf(h >>> 0) & ~VERB : rolesOf(h >>> 0);
    this.hash[n] = h === 0 ? 1 : h;
    this.roles[n] = roles;
    this.sentence[n] = this.sentences;
    this.plain[this.sentences]!++;
    this.starts[n] = this.#fresh ? 1 : this.#comma ? COMMA : isUpper(first) && this.#small ? CAPITAL : 0;
    this.#small = isLetter(first) && !isUpper(first);
    this.#fresh = this.#comma = false;
    if ((roles & FRAME) !== 0 && ((upper === letters && letters > 3) || text.charCodeAt(i) === 58)) {
      this.marks[this.sentences]! |= CAPITALS;
    }
    return i;
  }

  /** Notes the number [at, end); returns its hash, without leading zeros and the ending of an ordinal. */
  #number(text: string, at: number, end: number, hash: number, n: number): number {
    let i = at;
    while (i < end - 1 && text.charCodeAt(i) === 48) i++;
    let h = WORD_SEED;
    let value = 0;
    const first = i;
    for (; i < end && isDigit(text.charCodeAt(i)); i++) {
      value = value * 10 + text.charCodeAt(i) - 48;
      h = Math.imul(h ^ text.charCodeAt(i), WORD_PRIME);
    }
    if (i < end && (end - i !== 2 || i - first > 2 || !isOrdinal(text, i))) return hash;
    this.number[n] = value;
    return h;
  }

  /** What stands between words, from `at`; returns where to go on. */
  #gap(text: string, at: number, end: number, c: number, kind: number): number {
    const after = text.charCodeAt(at + 1);
    if (c === 44) this.#comma = true;
    else if ((c > 127 || c === 45) && opensClause(text, at, c)) this.#fresh = true;
    if (kind === END) {
      if (at + 1 >= end || after <= 32 || CLASS[after] === QUOTE || after === 34 || after === 60)
        this.#end(0);
    } else if (kind === COLON) {
      if (after <= 32) this.#fresh = true;
    } else if (kind === LINE) return this.#line(text, at + 1, end);
    else if (kind === ESCAPE) {
      const past = escaped(text, at + 1);
      if (past === at + 2) this.#end(0);
      else if (past > at + 2) this.#fresh = true;
      if (past > at + 1) return past;
    } else if (kind === OPEN) {
      this.#fresh = true;
      if (c === 60) this.#tag(text, at);
      else if (
        (c === 35 && after === 35) ||
        (c === 91 && isUpper(after) && isUpper(text.charCodeAt(at + 2)))
      ) {
        if (c === 91) this.marks[this.sentences]! |= CAPITALS;
        if (c === 35 && text.charCodeAt(at + 3) === 40) this.marks[this.sentences]! |= ROLE_MARK;
      }
    }
    return at + 1;
  }

  #tag(text: string, at: number): void {
    const marks = tagMarks(text, at);
    if (marks === 0) return;
    if ((marks & ROLE_MARK) === 0) this.#end(0);
    this.marks[this.sentences]! |= marks;
  }

  /** After a line end: an empty line, a list item or a field ends the sentence; other lines go on. */
  #line(text: string, at: number, end: number): number {
    let i = at;
    while (i < end && (text.charCodeAt(i) === 32 || text.charCodeAt(i) === 13 || text.charCodeAt(i) === 9))
      i++;
    const c = text.charCodeAt(i);
    if (c === 10 || i >= end) {
      this.#end(PARAGRAPH);
      while (i < end && text.charCodeAt(i) <= 32) i++;
    } else if ((c === 45 || c === 42) && text.charCodeAt(i + 1) === 32) {
      this.#end(BREAK);
      return i + 1;
    } else if (isDigit(c) && (text.charCodeAt(i + 1) === 46 || text.charCodeAt(i + 1) === 41)) this.#end(0);
    if (isKey(text, i, end)) this.#end(BREAK);
    return i;
  }

  /** Notes the run [from, to) when it is an address. */
  #address(text: string, from: number, to: number, sentence: number, first: number): void {
    const n = this.addresses;
    if (n === ADDRESSES || to - from < ADDRESS_MIN || !readAddress(text, from, to)) return;
    this.addresses = n + 1;
    this.address[n] = address.hash;
    this.address_kind[n] = address.kind;
    this.address_sentence[n] = sentence;
    // Its words are names: they order nothing.
    for (let i = first; i < this.words; i++) this.roles[i] = IN_ADDRESS;
    this.plain[sentence] = Math.max(0, this.plain[sentence]! - (this.words - first));
  }
}
