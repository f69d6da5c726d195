// Questions put together by clicks: conditions made and added, in the one search language.
import { ALIASES, termText } from "../query.ts";

const SHORT: ReadonlyMap<string, string> = new Map(
  Object.entries(ALIASES).map(([short, field]) => [field, short]),
);

/** A field has exactly this value. */
export const term = (field: string, value: string | number | boolean, not = false): string =>
  termText({
    kind: "is",
    not,
    field: SHORT.get(field) ?? field,
    values: [{ text: String(value), prefix: false }],
  });

export const both = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part.trim() !== "").join(" ");

/** With the condition added, unless it is there. */
export const adding = (q: string, condition: string): string =>
  ` ${q} `.includes(` ${condition} `) ? q : both(q, condition);
