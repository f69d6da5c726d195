// What a call has from the texts of results: the form of the answer, and how its arguments are read. Keeps nothing.
import type { Json } from "../core/text.ts";
import { ACCOUNT, LINK, MAIL } from "./flow-address.ts";
import { IN_ADDRESS, OF_MAIL, OF_MONEY, OF_WEB, STOP, VERB } from "./flow-lexicon.ts";
import type { KeySet } from "./flow-table.ts";
import type { Words } from "./flow-words.ts";

const DEPTH = 8;
/** Share of a sentence's words that the user used, from which on it is of the matter that the user has in hand. */
const MATTER_SHARE = 0.3;

/** What a user speaks of who wants an address of the kind used. */
export const TOPIC: readonly number[] = Object.assign([0], {
  [MAIL]: OF_MAIL,
  [LINK]: OF_WEB,
  [ACCOUNT]: OF_MONEY,
});
export const TOPICS = OF_MAIL | OF_MONEY | OF_WEB;

/** What a call has from instructions in results. */
export interface Told {
  /** Index of the result, as given to `result`. */
  source: number;
  score: number;
  /** Arguments whose value stood in the instruction and nowhere else. */
  readonly names: string[];
  addresses: number;
  links: number;
  /** Links that stand in a text of the call; the others are all of their argument. */
  links_in_text: number;
  accounts: number;
  phrases: number;
  /** Of these, values that stood after the argument's name: `the ID '13'`. */
  named: number;
  /** Arguments with a value. */
  leaves: number;
  /** Words of the other arguments that say what they are about, and how many of them the user used. */
  words: number;
  said: number;
  /** What a user speaks of who wants such addresses used. */
  topics: number;
}

export function newTold(): Told {
  return {
    source: 0,
    score: 0,
    names: [],
    addresses: 0,
    links: 0,
    links_in_text: 0,
    accounts: 0,
    phrases: 0,
    named: 0,
    leaves: 0,
    words: 0,
    said: 0,
    topics: 0,
  };
}

/** Reads all texts and numbers of a value, each as a part of its own. */
export function readAll(words: Words, value: Json, depth: number): void {
  if (typeof value === "string") {
    words.part();
    words.read(value);
  } else if (typeof value === "number") {
    words.part();
    words.read(String(value));
  } else if (typeof value === "object" && value !== null && depth < DEPTH) {
    if (Array.isArray(value))
      for (let i = 0; i < value.length; i++) readAll(words, value[i] as Json, depth + 1);
    else {
      const object = value as Readonly<Record<string, Json>>;
      for (const key in object) readAll(words, object[key]!, depth + 1);
    }
  }
}

/** Whether the sentence of the word at `first` speaks, from there on, of what the user spoke of. */
export function isUsersMatter(words: Words, first: number, users: KeySet): boolean {
  if (users.empty) return false;
  let all = 0;
  let said = 0;
  const sentence = words.sentence[first];
  for (let i = first; i < words.words && words.sentence[i] === sentence; i++) {
    if ((words.roles[i]! & (STOP | VERB | IN_ADDRESS)) !== 0) continue;
    all++;
    if (users.has(words.hash[i]!)) said++;
  }
  return said > 0 && said >= all * MATTER_SHARE;
}
