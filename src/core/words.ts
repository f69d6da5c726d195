// Words of sentences for people: figures, one and many, the first few of a list. English. Knows no subject.

/** A figure, with commas. */
export const n = (value: number): string => value.toLocaleString("en-US");

/** A count and what is counted. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${n(count)} ${count === 1 ? one : many}`;

/** Names for a sentence, the first few of many. */
export function listed(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more <= 0 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${more} more`;
}
