// How much the sentences of a text instruct whoever reads it with tools at hand, 0 to 100 a sentence, and by which
// signs. Looks at what words do (imperatives, who is addressed, what is cancelled), never at phrases of an attack.
import { LIMITS } from "../core/limits.ts";
import {
  AGENT,
  AND,
  FILLER,
  ME,
  MODAL,
  OVERRIDE,
  PRIOR,
  SECRET,
  TASK,
  TO,
  TOOL,
  VERB,
  WHEN,
  YOU,
} from "./flow-lexicon.ts";
import { BREAK, CAPITALS, COMMA, COMMENT, MARKUP, PARAGRAPH, ROLE_MARK, type Words } from "./flow-words.ts";

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
] as const;
/** What each sign adds. */
const WEIGHTS = [30, 40, 25, 20, 20, 20, 20, 30, 5] as const;
/** Sentences before and after an imperative whose signs count for it. */
const NEAR = 4;
/** Sentences after an imperative that belong to it. */
const AFTER = 2;
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
      any ||= (own & (IMPERATIVE | OVERRIDES)) !== 0;
      at = end;
    }
    if (any)
      for (let i = 0; i < count; i++)
        if ((this.#own[i]! & (IMPERATIVE | OVERRIDES)) !== 0) this.#around(words, i, count);
  }

  /** Scores an imperative sentence by its own signs and those near it, and hands its score on to those after it. */
  #around(words: Words, at: number, count: number): void {
    let signs = this.#own[at]!;
    for (let i = at; i > 0 && at - i < NEAR && (words.marks[i]! & BREAK) === 0;)
      signs |= this.#own[--i]! & ~FOR_ME;
    for (let i = at + 1; i < count && i - at <= NEAR && (words.marks[i]! & BREAK) === 0; i++)
      signs |= this.#own[i]! & ~FOR_ME;
    let sum = 0;
    for (let i = 0; i < WEIGHTS.length; i++) if ((signs & (1 << i)) !== 0) sum += WEIGHTS[i]!;
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
  if ((marks & (MARKUP | COMMENT | CAPITALS)) !== 0)
    return FRAMED | ((marks & ROLE_MARK) !== 0 ? OVERRIDES : 0);
  return (marks & ROLE_MARK) !== 0 ? FRAMED | TO_AGENT : 0;
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
  for (let i = from; i < to; i++) {
    const role = roles[i]!;
    all |= role;
    if (starts[i] === 1) {
      state = ARMED;
      when = (role & WHEN) !== 0;
    } else if (when && starts[i] === COMMA) state = ARMED;
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
  signs = imperative ? IMPERATIVE : 0;
  if (overrides && (all & (PRIOR | TASK)) !== 0) signs |= OVERRIDES;
  if ((all & AGENT) !== 0) signs |= TO_AGENT;
  if ((all & TASK) !== 0 && ((all & YOU) !== 0 || (all & PRIOR) !== 0)) signs |= OF_TASK;
  if ((all & TOOL) !== 0 && imperative) signs |= OF_TOOLS;
  if ((all & SECRET) !== 0 && imperative && (all & ME) !== 0) signs |= SECRETIVE;
  if ((all & ME) !== 0 && imperative) signs |= FOR_ME;
  return signs;
}

/** Names of the signs, as in the field table. */
export function signNames(signs: number): string[] {
  return SIGN_NAMES.filter((_, i) => (signs & (1 << i)) !== 0);
}
