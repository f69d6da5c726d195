// Figures and rows over incidents as they are now: the same asks as of events, over as many documents as there are incidents.
// Pure. A view: everything in it follows from entries of the ledger.
import type { Key } from "./api.ts";
import { type Ask, type Dimension, type Measure, NONE, bucketAt } from "./asks.ts";
import type { Term, Value } from "./query.ts";
import type { Cell, Group, Partial } from "./sums.ts";
import { Sums } from "./sums.ts";

/** Fields by dotted names, as the index tapline-incident-state has them; times as ISO 8601. */
export type PresentDocument = Readonly<Record<string, unknown>>;

const listOf = (value: unknown): readonly unknown[] => {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value : [value];
};
const isTime = (value: unknown): value is string =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value);
const numberOf = (value: unknown): number => (isTime(value) ? Date.parse(value) : Number(value));

function isOne(value: unknown, { text, prefix }: Value): boolean {
  return prefix ? String(value).startsWith(text) : String(value) === text;
}

export function meets(document: PresentDocument, term: Term): boolean {
  return positive(document, term) !== term.not;
}

function positive(document: PresentDocument, term: Term): boolean {
  if (term.kind === "text") return JSON.stringify(document).toLowerCase().includes(term.text.toLowerCase());
  const values = listOf(document[term.field]);
  switch (term.kind) {
    case "there":
      return values.length > 0;
    case "above":
      return values.some((value) => numberOf(value) > numberOf(term.value));
    case "below":
      return values.some((value) => numberOf(value) < numberOf(term.value));
    case "is":
    default:
      return values.some((value) => term.values.some((wanted) => isOne(value, wanted)));
  }
}

function keysOf(document: PresentDocument, dimension: Dimension): Key[] {
  if (dimension.kind === "time") return [Math.floor(numberOf(document["@timestamp"]) / dimension.step_ms)];
  if (dimension.kind === "conditions")
    return dimension.groups.flatMap((terms, n) => (terms.every((term) => meets(document, term)) ? [n] : []));
  const values = listOf(document[dimension.field]);
  if (values.length === 0) return dimension.missing === true ? [NONE] : [];
  return [...new Set(values as Key[])];
}

function cellOf(document: PresentDocument, { op, field, where }: Measure): Cell {
  if (where?.every((term) => meets(document, term)) === false) return op === "count" ? 0 : null;
  if (op === "count") return 1;
  const values = listOf(document[field!]);
  if (op === "distinct" || op === "values") return values.map(String);
  if (values.length === 0) return null;
  const value = numberOf(values[0]);
  return op === "percentile" ? [[bucketAt(value), 1]] : value;
}

/** The answer to an ask over documents that meet the page's terms. */
export function askPresent(documents: readonly PresentDocument[], ask: Ask): Partial {
  const sums = new Sums(ask);
  for (const document of documents) {
    if (!ask.where.every((term) => meets(document, term))) continue;
    let keys: Key[][] = [[]];
    for (const dimension of ask.by)
      keys = keys.flatMap((head) => keysOf(document, dimension).map((key) => [...head, key]));
    const cells = ask.measures.map((measure) => cellOf(document, measure));
    for (const one of keys) sums.add({ keys: one, cells } satisfies Group);
  }
  return { groups: sums.groups(), cut: false };
}
