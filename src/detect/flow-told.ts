// What a call has from the texts of results: the form of the answer. Finds nothing itself.

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
  };
}
