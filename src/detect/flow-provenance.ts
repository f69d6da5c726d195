// Where the values of a call come from, a session: what the user said, what results told, and what stood in results in
// sentences that instruct the reader. Keeps hashes of words, no text. Emits nothing.
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import { Instructions, asks } from "./flow-instruction.ts";
import { MONTH, STOP, pair, wordHash } from "./flow-lexicon.ts";
import { YEAR_MIN, days, daysAt } from "./flow-dates.ts";
import { KeySet, Table } from "./flow-table.ts";
import { ACCOUNT, LINK } from "./flow-address.ts";
import { TOPIC, TOPICS, type Told, isUsersMatter, newTold, readAll } from "./flow-told.ts";
import { Words } from "./flow-words.ts";

/** Least score of a sentence whose words count as told. */
const TOLD_MIN = 30;
/** A table's value is the result, modulo SOURCES, times SCORES, plus the score. */
const SCORES = 128;
const SOURCES = 2 ** 24;
const SHORT_WORDS = 12;
const PROSE = 10;
/** The same where the text speaks of what the user spoke of. */
const MATTER = 5;
const PROSE_WORDS = 2;
const COPIED_PAIRS = 4;
/** A value of so many words with a sentence of this score instructs itself. */
const QUOTE_WORDS = 8;
const QUOTE_MIN = 50;
const QUOTE_SHARE = 0.8;
/** Least score of a sentence that orders something, and from which on it is no matter of the user's. */
const ORDER_MIN = 25;
const STRONG_MIN = 50;
const LEAVES = 64;

// One set for all sessions of a thread: they are filled and used up within one call.
const words = new Words();
const judge = new Instructions();

export class Provenance {
  /** Words, pairs of words and addresses that the session knows otherwise. */
  readonly known = new KeySet(LIMITS.flow_known);
  /** The same from instructions in results: source × SCORES + score. */
  readonly told = new Table(LIMITS.flow_told);

  /** Words of what the user said. */
  readonly users = new KeySet(LIMITS.flow_said);
  /** Whether the user asked to have something done or given to somebody, not only to be told. */
  asked = false;
  /** What the user spoke of: OF_MAIL, OF_MONEY, OF_WEB. */
  topics = 0;

  /** What the user or the system says. */
  said(text: string, user: boolean): void {
    words.reset();
    words.read(text);
    if (user) {
      this.asked ||= asks(words);
      for (let i = 0; i < words.words; i++) {
        this.topics |= words.roles[i]! & TOPICS;
        if ((words.roles[i]! & STOP) === 0) this.users.add(words.hash[i]!);
      }
      for (let i = 0; i < words.addresses; i++) this.topics |= TOPIC[words.address_kind[i]!]!;
    }
    this.#learn(false);
  }

  /** What a result says; `hidden` when it has characters that are not shown. */
  result(text: string, source: number, hidden: boolean): void {
    words.reset();
    words.part();
    words.read(text);
    judge.judge(words, hidden);
    this.#learn(judge.best > 0, source);
  }

  /** Signs of the best sentence of the last result. */
  get signs(): number {
    return judge.best_signs;
  }

  /** Notes words as known, those of instructions as told. */
  #learn(instructs: boolean, source = -1): void {
    const { hash, roles, sentence } = words;
    let before = 0;
    let last = -1;
    for (let i = 0; i < words.words; i++) {
      const own = hash[i]!;
      const of = sentence[i]!;
      const score = instructs ? judge.score[of]! : 0;
      if ((roles[i]! & STOP) === 0) this.#note(own, score, source);
      if (of === last) this.#note(pair(before, own), score, source);
      before = own;
      last = of;
    }
    this.#dates(instructs, source);
    // Sentences of addresses come in order: each text is gone through once.
    let first = 0;
    let matter = -1;
    let is_matter = false;
    for (let i = 0; i < words.addresses; i++) {
      const at = words.address_sentence[i]!;
      let score = instructs ? judge.score[at]! : 0;
      const prose = source !== -1 && words.plain[at]! >= PROSE_WORDS;
      if (score < STRONG_MIN && (prose || score > 0)) {
        if (at !== matter) {
          while (first < words.words && words.sentence[first]! < at) first++;
          is_matter = isUsersMatter(words, first, this.users);
          matter = at;
        }
        if (is_matter) score = MATTER;
        else if (score < ORDER_MIN) score = PROSE;
      }
      this.#note(words.address[i]!, score, source, prose);
    }
  }

  #note(hash: number, score: number, source: number, prose = false): void {
    if (score < TOLD_MIN && !prose) {
      this.known.add(hash);
      return;
    }
    const before = this.told.get(hash);
    if (before === -1 || before % SCORES < score) this.told.set(hash, (source % SOURCES) * SCORES + score);
  }

  /** What the arguments have from instructions; undefined when nothing. Their words are known from now on. */
  call(args: Json): Told | undefined {
    if (typeof args !== "object" || args === null) return undefined;
    const out = newTold();
    const any = !this.told.empty;
    const object = args as Readonly<Record<string, Json>>;
    for (const name in object) {
      if (out.leaves >= LEAVES) break;
      words.reset();
      readAll(words, object[name]!, 0);
      if (words.words === 0) continue;
      out.leaves++;
      if (any && this.#leaf(out, name)) continue;
      if (any) this.#count(out);
      this.#learn(false);
    }
    return out.names.length === 0 ? undefined : out;
  }

  #count(out: Told): void {
    for (let i = 0; i < words.words; i++) {
      if ((words.roles[i]! & STOP) !== 0) continue;
      const users = this.users.has(words.hash[i]!);
      if (users) out.said++;
      // Days and amounts do not say what a call is about.
      if (users || words.number[i] === 0) out.words++;
    }
  }

  /** Days that are named, however they are written. */
  #dates(instructs: boolean, source: number): void {
    for (let i = 0; i < words.words; i++) {
      if ((words.roles[i]! & MONTH) === 0 && words.number[i]! < YEAR_MIN) continue;
      const score = instructs ? judge.score[words.sentence[i]!]! : 0;
      for (let n = daysAt(words, i); n > 0;) this.#note(days[--n]!, score, source);
    }
  }

  /** Whether the value that was read last, of the argument `name`, was told; `out` says so unless it only quotes. */
  #leaf(out: Told, name: string): boolean {
    const { source, score, addresses, links, links_in_text, accounts, phrases, named } = out;
    if (!this.#isFrom(out, name)) return false;
    // Who repeats a whole instruction quotes it; who obeys takes values out of it.
    if (this.#quotes())
      Object.assign(out, { source, score, addresses, links, links_in_text, accounts, phrases, named });
    else out.names.push(name);
    return true;
  }

  #isFrom(out: Told, name: string): boolean {
    let addresses = 0;
    for (let i = 0; i < words.addresses; i++) {
      if (!this.#isTold(words.address[i]!, out)) continue;
      out.topics |= TOPIC[words.address_kind[i]!]!;
      if (words.address_kind[i] === ACCOUNT) out.accounts++;
      else if (words.address_kind[i] === LINK) {
        out.links++;
        if (words.plain[words.address_sentence[i]!]! > 0) out.links_in_text++;
      } else out.addresses++;
      addresses++;
    }
    if (addresses > 0) return true;
    const named = this.#isNamed(name);
    if (!named && !this.#isCopied() && !this.#isDay()) return false;
    if (named) out.named++;
    out.phrases++;
    const { score } = out;
    for (let i = 0; i < words.words; i++) {
      this.#isTold(words.hash[i]!, out);
      if (i > 0) this.#isTold(pair(words.hash[i - 1]!, words.hash[i]!), out);
    }
    if (out.score === score && !this.#isNamed(name, out)) this.#isDay(out);
    return true;
  }

  /** Whether the words stand in an instruction, one after the other. */
  #isCopied(): boolean {
    let content = false;
    let single = false;
    let pairs = 0;
    let copied = 0;
    for (let i = 0; i < words.words; i++) {
      const hash = words.hash[i]!;
      if ((words.roles[i]! & STOP) === 0) {
        content = true;
        single ||= this.#isTold(hash);
      }
      if (i === 0 || words.sentence[i] !== words.sentence[i - 1]) continue;
      pairs++;
      if (this.#isTold(pair(words.hash[i - 1]!, hash))) copied++;
    }
    if (!content || pairs === 0) return single;
    if (words.words <= SHORT_WORDS) return copied * 2 > pairs;
    return copied >= COPIED_PAIRS && copied * 4 >= pairs;
  }

  /** Whether the value instructs itself; less will do when it is told word for word. */
  #quotes(): boolean {
    if (words.words < QUOTE_WORDS) return false;
    judge.judge(words, false);
    return judge.best >= QUOTE_MIN || (judge.best >= ORDER_MIN && this.#copied() >= QUOTE_SHARE);
  }

  /** Share of the pairs of words that stand in an instruction. */
  #copied(): number {
    let copied = 0;
    for (let i = 1; i < words.words; i++)
      if (this.#isTold(pair(words.hash[i - 1]!, words.hash[i]!))) copied++;
    return copied / (words.words - 1);
  }

  /** Whether an instruction names the one word of the value right after the name of the argument: `the ID '13'`. */
  #isNamed(name: string, out?: Told): boolean {
    if (words.words !== 1) return false;
    const last = /[A-Za-z]+$/.exec(name);
    if (last === null) return false;
    return this.#isTold(pair(wordHash(last[0].toLowerCase()), words.hash[0]!), out);
  }

  /** Whether the value is a day, and instructions alone name it. */
  #isDay(out?: Told): boolean {
    if (words.words > 6 || words.number[0]! < YEAR_MIN || daysAt(words, 0) === 0) return false;
    return this.#isTold(days[0]!, out);
  }

  /** Whether only instructions name this; notes the strongest in `out`. */
  #isTold(hash: number, out?: Told): boolean {
    const value = this.told.get(hash);
    if (value === -1 || this.known.has(hash)) return false;
    if (out !== undefined && value % SCORES > out.score) {
      out.score = value % SCORES;
      out.source = Math.floor(value / SCORES);
    }
    return true;
  }
}
