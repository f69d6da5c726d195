// The most frequent values of a field in the period, to be offered beside a box while one types.
import { useEffect, useState } from "preact/hooks";
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

/** Which of some offers the arrow keys are at: none until one goes down. */
export function useOffered(count: number, take: (at: number) => void, hide: () => void) {
  const [active, activate] = useState(-1);
  useEffect(() => {
    if (active >= count) activate(-1);
  }, [count, active]);
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && count > 0) {
      event.preventDefault();
      activate(-1);
      hide();
    } else if (count > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1;
      activate((active + step + count) % count);
    } else if ((event.key === "Enter" || event.key === "Tab") && active >= 0 && active < count) {
      event.preventDefault();
      take(active);
      activate(-1);
    }
  };
  return { active, activate, key };
}
