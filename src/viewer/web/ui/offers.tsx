// A list that a text box offers while one types: the list, what ties the box to it, and the arrow keys. What is offered, and what
// becomes of it, is the caller's.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Text } from "./text.tsx";

export interface Offer {
  readonly text: string;
  readonly about: string;
  /** Recorded text, which is somebody else's. */
  readonly recorded: boolean;
}

/** Attributes of a box with the list of this id. */
export const boxFor = (id: string, count: number, active: number) =>
  ({
    role: "combobox",
    "aria-expanded": count > 0 ? "true" : "false",
    "aria-controls": id,
    "aria-autocomplete": "list",
    "aria-activedescendant": active >= 0 ? `${id}-${active}` : undefined,
    autocomplete: "off",
    spellcheck: false,
  }) as const;

export const OfferList = ({
  id,
  label,
  offers,
  active,
  take,
}: {
  id: string;
  label: string;
  offers: readonly Offer[];
  active: number;
  take: (at: number) => void;
}): JSX.Element => (
  <ul id={id} role="listbox" aria-label={label} class={offers.length > 0 ? "offers" : "offers none-offered"}>
    {offers.map(({ text, about, recorded }, i) => (
      <li
        key={text}
        id={`${id}-${i}`}
        role="option"
        aria-selected={i === active ? "true" : "false"}
        onMouseDown={(event) => {
          event.preventDefault();
          take(i);
        }}
      >
        <span>{recorded ? <Text of={text} chars={80} /> : text}</span> <span class="dim">{about}</span>
      </li>
    ))}
  </ul>
);

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
