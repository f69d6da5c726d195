// The most frequent values of a field in the period, to be offered beside a box while one types.
import type { ValueList } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";

/** Of fields of these types values are words, not texts. */
const LISTED = new Set(["keyword", "keyword[]", "wildcard", "constant", "boolean", "ip"]);
export const isListed = (type: string | undefined): boolean => type !== undefined && LISTED.has(type);

const OFFERED = 12;

export interface Within {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly q?: string | undefined;
}

/** Values in which `part` is, most frequent first; nothing is asked without a field. */
export function useValues(field: string | undefined, part: string, within: Within): ValueList["values"] {
  const { value } = useAnswer<ValueList>(
    field === undefined ? undefined : address(["values", field], { ...within }),
  );
  if (value === undefined || value.field !== field) return [];
  const wanted = part.toLowerCase();
  return value.values.filter(({ key }) => String(key).toLowerCase().includes(wanted)).slice(0, OFFERED);
}
