// How much the sentences of a text instruct whoever reads it with tools at hand, 0 to 100 a sentence, and by which
// signs. Looks at what words do (imperatives, who is addressed, what is cancelled), never at phrases of an attack.
import { LIMITS } from "../core/limits.ts";
import {
  AGENT,
  AND,
  FILLER,
  LOOKS,
  ME,
  MODAL,
  OBLIGES,
  OVERRIDE,
  OWES,
  PRIOR,
  SECRET,
  STOP,
  TASK,
  TO,
  TOOL,
  TO_ME,
  USER,
  VERB,
  WHEN,
  YOU,
  wordHash,
} from "./flow-lexicon.ts";
import { BREAK, CAPITALS, COMMENT, MARKUP, PARAGRAPH, ROLE_MARK } from "./flow-marks.ts";
import { CAPITAL, COMMA, type Words } from "./flow-words.ts";

/** Signs, as bits, in the order of SIGN_NAMES. */
const IMPERATIVE = 1;
const OVERRIDES = 2;
const TO_AGENT = 4;
const OF_TASK = 8;
const OF_TOOLS = 16;
const FRAMED = 32;
const SECRETIVE = 64;
const HIDDEN = 128;
const FOR_ME = 256;
const OBLIGED = 512;
const OF_USER = 1024;
export const SIGN_NAMES = [
  "imperative",
  "override",
  "agent",
  "task",
  "tools",
  "frame",
  "secrecy",
  "hidden",
  "first_person",
  "obligation",
  "user",
] as const;
/** Signs by which a sentence orders something. */
const ORDERS = IMPERATIVE | OVERRIDES | OBLIGED;
/** What each sign adds. */
const WEIGHTS = [30, 40, 25, 20, 20, 20, 20, 30, 5, 25, 20] as const;
/** Sentences before and after an imperative whose signs count for it. */
const NEAR = 4;
/** Sentences after an imperative that belong to it. */
const AFTER = 2;
/** Signs that count in their own sentence only. */
const LOCAL = FOR_ME | OBLIGED;
const GIVE = wordHash("give");
/** From this score on the instruction goes on over an empty line. */
const FRAMED_MIN = 50;

export class Instructions {
  /** Score of each sentence of the text read last. */
  readonly score = new Uint8Array(LIMITS.flow_words + 1);
  readonly signs = new Uint16Array(LIMITS.flow_words + 1);
  readonly #own = new Uint16Array(LIMITS.flow_words + 1);
  /** Highest score of the text, and the signs of that sentence. */
  best = 0;
  best_signs = 0;

  /** Scores the sentences of `words`; `hidden` when the text has characters that are not shown. */
  judge(words: Words, hidden: boolean): void {
    const count = words.words === 0 ? 0 : words.sentence[words.words - 1]! + 1;
    this.best = this.best_signs = 0;
    let any = false;
    for (let i = 0; i < count; i++) {
      this.#own[i] = 0;
      this.score[i] = 0;
      this.signs[i] = 0;
    }
    for (let at = 0; at < words.words;) {
      const sentence = words.sentence[at]!;
      let end = at + 1;
      while (end < words.words && words.sentence[end] === sentence) end++;
      const own = signsOf(words, at, end) | marksOf(words.marks[sentence]!) | (hidden ? HIDDEN : 0);
      this.#own[sentence] = own;
      any ||= (own & ORDERS) !== 0;
      at = end;
    }
    if (any)
      for (let i = 0; i < count; i++) if ((this.#own[i]! & ORDERS) !== 0) this.#around(words, i, count);
  }

  /** Scores an imperative sentence by its own signs and those near it, and hands its score on to those after it. */
  #around(words: Words, at: number, count: number): void {
    let signs = this.#own[at]!;
    for (let i = at; i > 0 && at - i < NEAR && (words.marks[i]! & BREAK) === 0;)
      signs |= this.#own[--i]! & ~LOCAL;
    for (let i = at + 1; i < count && i - at <= NEAR && (words.marks[i]! & BREAK) === 0; i++)
      signs |= this.#own[i]! & ~LOCAL;
    let sum = 0;
    for (let i = 0; i < WEIGHTS.length; i++) if ((signs & (1 << i)) !== 0) sum += WEIGHTS[i]!;
    // What is ordered in one sentence is not ordered twice.
    if ((signs & IMPERATIVE) !== 0 && (signs & OBLIGED) !== 0) sum -= WEIGHTS[9];
    const score = Math.min(100, sum);
    if (score > this.best) {
      this.best = score;
      this.best_signs = signs;
    }
    const ends = score < FRAMED_MIN ? BREAK | PARAGRAPH : BREAK;
    for (let i = at; i < count && i - at <= AFTER; i++) {
      if (i > at && (words.marks[i]! & ends) !== 0) break;
      if (score > this.score[i]!) {
        this.score[i] = score;
        this.signs[i] = signs;
      }
    }
  }
}

function marksOf(marks: number): number {
  // What no reader is shown, or poses as a turn of the conversation, is there for whom it is obeyed by.
  const unseen = (marks & (COMMENT | ROLE_MARK)) !== 0 ? OBLIGED : 0;
  if ((marks & (MARKUP | COMMENT | CAPITALS)) !== 0)
    return FRAMED | unseen | ((marks & ROLE_MARK) !== 0 ? OVERRIDES : 0);
  return (marks & ROLE_MARK) !== 0 ? FRAMED | TO_AGENT | unseen : 0;
}

// Where a reader of a sentence stands: may an imperative come next?
const IDLE = 0;
const ARMED = 1;
const ADDRESSED = 2; // after "you"
const ASKING = 3; // after "could", before "you"

/** Signs of the words [from, to), one sentence. */
function signsOf(words: Words, from: number, to: number): number {
  const { roles, starts } = words;
  let state = IDLE;
  let all = 0;
  let signs = 0;
  let imperative = false;
  let when = false;
  let obliged = false;
  for (let i = from; i < to; i++) {
    const role = roles[i]!;
    all |= role;
    obliged ||= (role & OBLIGES) !== 0 || ((role & OWES) !== 0 && i + 1 < to && (roles[i + 1]! & TO) !== 0);
    if (starts[i] === 1) {
      state = ARMED;
      when = (role & (WHEN | TO)) !== 0;
    } else if (starts[i] === CAPITAL || (when && starts[i] === COMMA)) state = ARMED;
    if ((role & VERB) !== 0 && state === ARMED) {
      imperative = true;
      if ((role & OVERRIDE) !== 0) signs |= SECRETIVE << 8;
      state = IDLE;
    } else if ((role & MODAL) !== 0) state = state === ADDRESSED ? ARMED : state === ARMED ? ASKING : IDLE;
    else if ((role & YOU) !== 0) state = state === ASKING ? ARMED : ADDRESSED;
    else if ((role & TO) !== 0) state = state === ADDRESSED || state === ARMED ? ARMED : IDLE;
    else if ((role & FILLER) !== 0)
      state = state === IDLE && (role & AND) !== 0 && imperative ? ARMED : state;
    else if ((role & AND) !== 0 && imperative) state = ARMED;
    else state = IDLE;
  }
  const overrides = (signs & (SECRETIVE << 8)) !== 0;
  signs = imperative ? IMPERATIVE : obliged ? OBLIGED : 0;
  if (overrides && (all & (PRIOR | TASK)) !== 0) signs |= OVERRIDES;
  if ((all & AGENT) !== 0) signs |= TO_AGENT;
  if ((all & TASK) !== 0 && ((all & YOU) !== 0 || (all & PRIOR) !== 0)) signs |= OF_TASK;
  if ((all & TOOL) !== 0 && imperative) signs |= OF_TOOLS;
  if ((all & SECRET) !== 0 && imperative && (all & ME) !== 0) signs |= SECRETIVE;
  if ((all & ME) !== 0 && imperative) signs |= FOR_ME;
  if ((all & USER) !== 0 && signs !== 0) signs |= OF_USER;
  return signs;
}

/** Names of the signs, as in the field table. */
export function signNames(signs: number): string[] {
  return SIGN_NAMES.filter((_, i) => (signs & (1 << i)) !== 0);
}

/** Whether the words ask to have something done for or given to somebody: `send it to Ann`, not `send me the list`. */
export function asks(words: Words): boolean {
  const { hash, roles, starts } = words;
  for (let i = 0; i < words.words; i++) {
    if ((roles[i]! & VERB) === 0) continue;
    // `give Ann the refund` gives, `give the list` and `give me the list` ask to be told.
    if (hash[i] === GIVE ? i + 1 < words.words && (roles[i + 1]! & STOP) !== 0 : (roles[i]! & LOOKS) !== 0)
      continue;
    const before = i === 0 || starts[i] !== 0 || (roles[i - 1]! & (FILLER | AND | TO | YOU | MODAL)) !== 0;
    if (before && (i + 1 === words.words || (roles[i + 1]! & TO_ME) === 0)) return true;
  }
  return false;
}
