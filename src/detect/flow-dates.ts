// Days that words name, however they are written. English months.
import { MONTHS, pair } from "./flow-lexicon.ts";
import type { Words } from "./flow-words.ts";

export const YEAR_MIN = 1900;
const YEAR_MAX = 2100;
/** Keys of the days found last. */
export const days = new Uint32Array(8);

/** Days that the date at word `at` names, put into `days`: `2024-05-01`, `May 1st`, `from the 1st to the 5th of May`. */
export function daysAt(words: Words, at: number): number {
  const { number } = words;
  const year = number[at]!;
  if (year >= YEAR_MIN) {
    const month = at + 2 < words.words && year <= YEAR_MAX ? number[at + 1]! : 0;
    const day = month > 0 && month < 13 ? number[at + 2]! : 0;
    if (day === 0 || day > 31) return 0;
    days[0] = dayKey(month, day);
    return 1;
  }
  const month = MONTHS.get(words.hash[at]!);
  let n = 0;
  if (month === undefined) return 0;
  for (let i = Math.max(0, at - 6); i < at + 3 && i < words.words && n < days.length; i++) {
    if (number[i]! > 0 && number[i]! < 32 && words.sentence[i] === words.sentence[at])
      days[n++] = dayKey(month, number[i]!);
  }
  return n;
}

function dayKey(month: number, day: number): number {
  return pair(0x64617465, month * 32 + day);
}
