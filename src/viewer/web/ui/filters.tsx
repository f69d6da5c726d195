// Conditions on a page: `filter=` in the address, each to be taken away by itself; a field of those that the definition offers,
// and its most frequent values in the period beside typing.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count } from "../figures.ts";
import { useFields } from "../fields.ts";
import { choose } from "../route.ts";
import { term } from "../search.ts";
import { type Offer, OfferList, boxFor, useOffered } from "./offers.tsx";
import { Text } from "./text.tsx";
import { type Within, isListed, useValues } from "./values.ts";

export const withOne = (filters: readonly string[], filter: string): readonly string[] =>
  filters.includes(filter) ? filters : [...filters, filter];

export function Filters({
  filters,
  fields,
  within,
}: {
  filters: readonly string[];
  fields: readonly { readonly field: string; readonly label: string }[];
  within: Within;
}): JSX.Element {
  const [field, pick] = useState(fields[0]?.field ?? "");
  const add = (value: string): void => {
    if (value !== "" && field !== "") choose({ filter: withOne(filters, term(field, value)) }, true);
  };
  return (
    <div class="filters screen" role="group" aria-label="Filters">
      <label>
        Only
        <select value={field} onChange={(event) => pick(event.currentTarget.value)}>
          {fields.map((one) => (
            <option key={one.field} value={one.field}>
              {one.label}
            </option>
          ))}
        </select>
      </label>
      <ValueBox key={field} field={field} within={within} add={add} />
      {filters.map((filter) => (
        <button
          key={filter}
          type="button"
          class="button chip"
          title="Take this filter away"
          onClick={() => choose({ filter: filters.filter((one) => one !== filter) }, true)}
        >
          <Text of={filter} chars={80} /> <span aria-hidden="true">×</span>
          <span class="hidden">: take away</span>
        </button>
      ))}
    </div>
  );
}

function ValueBox({
  field,
  within,
  add,
}: {
  field: string;
  within: Within;
  add: (value: string) => void;
}): JSX.Element {
  const [value, set] = useState("");
  const [open, show] = useState(false);
  const listed = isListed(useFields().get(field)?.type);
  const found = useValues(open && listed ? field : undefined, value.trim(), within);
  const offers = (open ? found : []).map((one): Offer => ({
    text: String(one.key),
    about: count(one.count),
    recorded: true,
  }));
  const done = (text: string): void => {
    add(text);
    set("");
    show(false);
  };
  const take = (at: number): void => done(offers[at]!.text);
  const { active, activate, key } = useOffered(offers.length, take, () => show(false));
  return (
    <form
      class="valuebox"
      onSubmit={(event) => {
        event.preventDefault();
        done(value.trim());
      }}
    >
      <input
        {...boxFor("values", offers.length, active)}
        aria-label="Value"
        placeholder="value, exactly"
        value={value}
        onFocus={() => show(true)}
        onClick={() => show(true)}
        onBlur={() => show(false)}
        onInput={(event) => {
          set(event.currentTarget.value);
          show(true);
          activate(-1);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" && !open) show(true);
          key(event);
        }}
      />
      <OfferList
        id="values"
        label="Most frequent values in the period"
        offers={offers}
        active={active}
        take={take}
      />
      <button type="submit" class="button">
        Filter
      </button>
    </form>
  );
}
