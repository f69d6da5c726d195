// The box for questions in the search language, with fields and their most frequent values offered while one types, and the
// language in a few lines.
import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Fields, useFields } from "../fields.ts";
import { ALIASES, termText } from "../../query.ts";
import { count } from "../figures.ts";
import { choose } from "../route.ts";
import { type Offer, OfferList, boxFor, useOffered } from "./offers.tsx";
import { type Within, isListed, useValues } from "./values.ts";

const OFFERED = 8;

/** The word that the caret stands in. */
function wordAt(text: string, caret: number): { readonly from: number; readonly word: string } {
  const from = text.slice(0, caret).search(/[^\s()]*$/);
  return { from, word: text.slice(from, caret) };
}

interface Word extends Offer {
  /** What takes the word's place. */
  readonly instead: string;
}

interface Offers {
  readonly text: string;
  readonly offers: readonly Word[];
  readonly active: number;
  readonly typed: (text: string) => void;
  readonly take: (at: number) => void;
  readonly hide: () => void;
  readonly key: (event: KeyboardEvent) => void;
}

/** What is written, and what is offered for the word at the caret: fields, and after a field's colon its values. */
function useOffers(
  q: string,
  input: RefObject<HTMLInputElement | null>,
  fields: Fields,
  within: Within,
): Offers {
  const [text, set] = useState(q);
  const [word, at] = useState("");
  useEffect(() => set(q), [q]);
  const [, minus = "", name = "", part] = /^(-?)([^:"]*)(?::(?!\/\/)(.*))?$/.exec(word) ?? [];
  const field = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
  const listed = part !== undefined && isListed(fields.get(field)?.type);
  const values = useValues(listed ? field : undefined, (part ?? "").replace(/^"/, ""), within);
  const offers = listed
    ? values.map(({ key, count: n }): Word => {
        const instead = `${minus}${termText({ kind: "is", not: false, field: name, values: [{ text: String(key), prefix: false }] })} `;
        return { text: String(key), about: count(n), recorded: true, instead };
      })
    : part === undefined
      ? offersFor(name, fields).map((one): Word => {
          const about = fields.get(one)?.about ?? "";
          return { text: one, about, recorded: false, instead: `${minus}${one}:` };
        })
      : [];
  const here = (value: string): { readonly from: number; readonly word: string } =>
    wordAt(value, input.current?.selectionStart ?? value.length);
  const hide = (): void => at("");
  const take = (n: number): void => {
    const { from, word: old } = here(text);
    const { instead } = offers[n]!;
    set(text.slice(0, from) + instead + text.slice(from + old.length));
    at(instead.endsWith(":") ? instead : "");
    input.current?.focus();
  };
  const { active, activate, key } = useOffered(offers.length, take, hide);
  const typed = (value: string): void => {
    set(value);
    activate(-1);
    at(here(value).word);
  };
  return { text, offers, active, typed, take, hide, key };
}

function offersFor(part: string, fields: Fields): readonly string[] {
  const wanted = part.toLowerCase();
  if (wanted.length < 2) return [];
  return [...fields.values()]
    .filter(({ type, name }) => type !== "object" && type !== "stored" && name.toLowerCase().includes(wanted))
    .map(({ name }) => name)
    .sort((a, b) => a.toLowerCase().indexOf(wanted) - b.toLowerCase().indexOf(wanted))
    .slice(0, OFFERED);
}

const ask = (q: string): void => choose({ q, alert: "", after: "" }, true);

export function SearchBox({ q, within }: { q: string; within: Within }): JSX.Element {
  const [help, open] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const fields = useFields();
  const found = useOffers(q, input, fields, within);
  const { text, offers, active } = found;
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        found.hide();
        ask(text.trim());
      }}
    >
      <input
        ref={input}
        type="text"
        data-search
        {...boxFor("offers", offers.length, active)}
        aria-label="Search: field:value, -field:value, words"
        placeholder="field:value or words"
        maxLength={2000}
        value={text}
        onInput={(event) => found.typed(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && offers.length === 0) input.current?.blur();
          else found.key(event);
        }}
        onBlur={found.hide}
      />
      <OfferList id="offers" label="Fields and values" offers={offers} active={active} take={found.take} />
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
