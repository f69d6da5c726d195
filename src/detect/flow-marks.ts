// How a sentence is set off from the text around it: marks, and the tags that give some of them. Pure.
import { isUpper } from "./flow-address.ts";

/** Marks of a sentence, as bits: how it is set off. */
export const MARKUP = 1; // in a tag of its own, <LIKE THIS>
export const COMMENT = 2; // in an HTML comment
export const CAPITALS = 4; // calls for attention in capitals or before a colon
export const ROLE_MARK = 8; // imitates the marks between the turns of a conversation
export const BREAK = 16; // begins a field or list item
export const PARAGRAPH = 32; // stands after an empty line

const TAG_CHARS = 160;
/** A tag whose content is not shown. */
const HIDES =
  /^<[a-z][^<>]*(?:\shidden\b|(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])))/i;

/** Marks that the tag at `at` gives to what follows it, 0 for none. */
export function tagMarks(text: string, at: number): number {
  const after = text.charCodeAt(at + 1);
  if (after === 124) return ROLE_MARK;
  if (after === 33 && text.charCodeAt(at + 2) === 45) return COMMENT;
  if (HIDES.test(text.slice(at, at + TAG_CHARS))) return COMMENT;
  const name = after === 47 ? at + 2 : at + 1;
  let capitals = 0;
  while (isUpper(text.charCodeAt(name + capitals)) || text.charCodeAt(name + capitals) === 95) capitals++;
  return capitals < 4 || text.charCodeAt(name + capitals) !== 62 ? 0 : MARKUP;
}
