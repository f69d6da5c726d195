// The box for questions in the search language, with field names offered while one is typed, and the language in a few lines.
import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Fields, useFields } from "../fields.ts";
import { choose } from "../route.ts";

const OFFERED = 8;

/** The word that the caret stands in. */
function wordAt(text: string, caret: number): { readonly from: number; readonly word: string } {
  const from = text.slice(0, caret).search(/[^\s()]*$/);
  return { from, word: text.slice(from, caret) };
}

interface Offers {
  readonly text: string;
  readonly names: readonly string[];
  readonly active: number;
  readonly typed: (text: string) => void;
  readonly take: (name: string) => void;
  readonly hide: () => void;
  readonly key: (event: KeyboardEvent) => void;
}

/** What is written, and the fields offered for the word at the caret. */
function useOffers(q: string, input: RefObject<HTMLInputElement | null>, fields: Fields): Offers {
  const [text, set] = useState(q);
  const [names, offer] = useState<readonly string[]>([]);
  const [active, activate] = useState(-1);
  useEffect(() => set(q), [q]);
  const hide = (): void => {
    offer([]);
    activate(-1);
  };
  const word = (value: string): { readonly from: number; readonly word: string } =>
    wordAt(value, input.current?.selectionStart ?? value.length);
  const typed = (value: string): void => {
    set(value);
    activate(-1);
    offer(offersFor(word(value).word, fields));
  };
  const take = (name: string): void => {
    const at = word(text);
    const minus = at.word.startsWith("-") ? "-" : "";
    set(`${text.slice(0, at.from)}${minus}${name}:${text.slice(at.from + at.word.length)}`);
    hide();
    input.current?.focus();
  };
  const key = (event: KeyboardEvent): void => {
    const taken = names[active];
    if (event.key === "Escape") {
      if (names.length > 0) hide();
      else input.current?.blur();
    } else if (names.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      activate((active + (event.key === "ArrowDown" ? 1 : -1) + names.length) % names.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && taken !== undefined) {
      event.preventDefault();
      take(taken);
    }
  };
  return { text, names, active, typed, take, hide, key };
}

function offersFor(word: string, fields: Fields): readonly string[] {
  const part = word.replace(/^-/, "").toLowerCase();
  if (part.length < 2 || part.includes(":")) return [];
  return [...fields.values()]
    .filter(({ type, name }) => type !== "object" && type !== "stored" && name.toLowerCase().includes(part))
    .map(({ name }) => name)
    .sort((a, b) => a.toLowerCase().indexOf(part) - b.toLowerCase().indexOf(part))
    .slice(0, OFFERED);
}

const ask = (q: string): void => choose({ q, alert: "", after: "" }, true);

export function SearchBox({ q }: { q: string }): JSX.Element {
  const [help, open] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const fields = useFields();
  const offers = useOffers(q, input, fields);
  const { text, names, active } = offers;
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        offers.hide();
        ask(text.trim());
      }}
    >
      <input
        ref={input}
        type="text"
        data-search
        role="combobox"
        aria-label="Search: field:value, -field:value, words"
        aria-expanded={names.length > 0 ? "true" : "false"}
        aria-controls="offers"
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `offer-${active}` : undefined}
        placeholder="field:value or words"
        autocomplete="off"
        spellcheck={false}
        maxLength={2000}
        value={text}
        onInput={(event) => offers.typed(event.currentTarget.value)}
        onKeyDown={offers.key}
        onBlur={offers.hide}
      />
      <Offered offers={offers} fields={fields} />
      <button type="submit" class="button">
        Search
      </button>
      {q !== "" && (
        <button type="button" class="plain" onClick={() => ask("")}>
          Clear
        </button>
      )}
      <button type="button" class="plain" aria-expanded={help ? "true" : "false"} onClick={() => open(!help)}>
        How to ask
      </button>
      {help && <Language />}
    </form>
  );
}

const Offered = ({
  offers: { names, active, take },
  fields,
}: {
  offers: Offers;
  fields: Fields;
}): JSX.Element => (
  <ul
    id="offers"
    role="listbox"
    aria-label="Fields"
    class={names.length > 0 ? "offers" : "offers none-offered"}
  >
    {names.map((name, i) => (
      <li
        key={name}
        id={`offer-${i}`}
        role="option"
        aria-selected={i === active ? "true" : "false"}
        onMouseDown={(event) => {
          event.preventDefault();
          take(name);
        }}
      >
        <span>{name}</span> <span class="dim">{fields.get(name)?.about}</span>
      </li>
    ))}
  </ul>
);

const Language = (): JSX.Element => (
  <dl class="facts language">
    {[
      ["user:ana", "exactly this value; user, tool, server, session, rule … are short for fields"],
      ['rule:"Secret Leaves in a Tool Call"', "a value of several words"],
      ["action:(bypass hole)", "one of several values"],
      ["domain:collect*", "begins with"],
      ["tapline.flow.from_tool:*", "the event has the field"],
      ["-outcome:success", "not"],
      ["tapline.data.bytes_out:>1000", "more than; < is less than"],
      ["password reset", "words in what was said, called or given back; all of them"],
    ].map(([example, says]) => (
      <>
        <dt key={example} class="mono">
          {example}
        </dt>
        <dd>{says}</dd>
      </>
    ))}
  </dl>
);
