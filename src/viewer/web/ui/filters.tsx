// Conditions on a page: `filter=` in the address, each to be taken away by itself; a field of those that the definition offers,
// and its most frequent values in the period beside typing.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count } from "../figures.ts";
import { useFields } from "../fields.ts";
import { choose } from "../route.ts";
import { term } from "../search.ts";
import { Text } from "./text.tsx";
import { type Within, isListed, useOffered, useValues } from "./values.ts";

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

/** The values that are offered, under the box. */
function Offers({
  offers,
  active,
  take,
}: {
  offers: ReturnType<typeof useValues>;
  active: number;
  take: (value: string) => void;
}): JSX.Element {
  return (
    <ul
      id="values"
      role="listbox"
      aria-label="Most frequent values in the period"
      class={offers.length > 0 ? "offers" : "offers none-offered"}
    >
      {offers.map((one, i) => (
        <li
          key={String(one.key)}
          id={`value-${i}`}
          role="option"
          aria-selected={i === active ? "true" : "false"}
          onMouseDown={(event) => {
            event.preventDefault();
            take(String(one.key));
          }}
        >
          <span>
            <Text of={String(one.key)} chars={80} />
          </span>{" "}
          <span class="dim">{count(one.count)}</span>
        </li>
      ))}
    </ul>
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
  const offers = open ? found : [];
  const done = (text: string): void => {
    add(text);
    set("");
    show(false);
  };
  const { active, activate, key } = useOffered(
    offers.length,
    (at) => done(String(offers[at]!.key)),
    () => show(false),
  );
  return (
    <form
      class="valuebox"
      onSubmit={(event) => {
        event.preventDefault();
        done(value.trim());
      }}
    >
      <input
        role="combobox"
        aria-label="Value"
        aria-expanded={offers.length > 0 ? "true" : "false"}
        aria-controls="values"
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `value-${active}` : undefined}
        placeholder="value, exactly"
        autocomplete="off"
        spellcheck={false}
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
      <Offers offers={offers} active={active} take={done} />
      <button type="submit" class="button">
        Filter
      </button>
    </form>
  );
}
