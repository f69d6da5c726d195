// Parts that every page uses: its head, panels, what is said when there is nothing or something went wrong, dialogs.
import { type ComponentChildren, type JSX, createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Problem, Session } from "../../api.ts";
import { href } from "../route.ts";
import { visible } from "../text.ts";
import { Text } from "./text.tsx";

export const Who = createContext<Session | undefined>(undefined);
export const useSession = (): Session => useContext(Who)!;
export const useOwner = (): boolean => useContext(Who)?.role === "owner";

/** The head of a page, and the title of the window. */
export function Page({
  title,
  about,
  tools,
  children,
  recorded,
}: {
  title: string;
  about?: ComponentChildren;
  tools?: ComponentChildren;
  children: ComponentChildren;
  /** The title holds recorded text. */
  recorded?: string | undefined;
}): JSX.Element {
  const whole = recorded === undefined ? title : `${title} ${visible(recorded.slice(0, 80))}`;
  useEffect(() => {
    document.title = `${whole} · Tapline`;
  }, [whole]);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <header>
        <div>
          <h1>
            {title}
            {recorded !== undefined && (
              <>
                {" "}
                <Text of={recorded} chars={120} />
              </>
            )}
          </h1>
          {about !== undefined && <p>{about}</p>}
        </div>
        <div class="tools screen">
          {tools}
          <a href={href(["terms"])}>Terms</a>
        </div>
      </header>
      {children}
    </main>
  );
}

export function Panel({
  title,
  tools,
  children,
  class: look = "",
  flush = false,
}: {
  title?: string;
  tools?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
  /** Content up to the border. */
  flush?: boolean;
}): JSX.Element {
  return (
    <section class={`panel ${look}`} aria-label={title}>
      {title !== undefined && (
        <div class="head">
          <h2>{title}</h2>
          {tools !== undefined && <div class="tools screen">{tools}</div>}
        </div>
      )}
      {flush ? children : <div class="body">{children}</div>}
    </section>
  );
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }): JSX.Element {
  return (
    <div class="trouble" role="alert">
      <strong>
        <Text of={problem.message} />
      </strong>
      {problem.remedy !== undefined && (
        <p>
          <Text of={problem.remedy} />
        </p>
      )}
      <p class="dim mono">{visible(problem.code)}</p>
      {again !== undefined && (
        <button type="button" class="button screen" onClick={again}>
          Ask again
        </button>
      )}
    </div>
  );
}

/** Nothing here: why, and what to do. */
export const Nothing = ({ title, children }: { title: string; children: ComponentChildren }): JSX.Element => (
  <div class="message">
    <strong>{title}</strong>
    <p>{children}</p>
  </div>
);

/** Shown only after a moment, so that quick answers do not flicker. */
export function Waiting({ what }: { what: string }): JSX.Element {
  const [late, set] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => set(true), 250);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p class="waiting" role="status">
      {late ? `Reading ${what} …` : ""}
    </p>
  );
}

export function Dialog({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  // Before the next key can come: what is typed into a dialog must not act on the page.
  useLayoutEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-label={title} onClose={close}>
      {children}
    </dialog>
  );
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly count?: number | undefined;
}

/** One of a few, all of them shown. */
export function Segments<T extends string>({
  label,
  choices,
  chosen,
  choose,
}: {
  label: string;
  choices: readonly Choice<T>[];
  chosen: string;
  choose: (value: T) => void;
}): JSX.Element {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map(({ value, label: text, count }) => (
        <button
          type="button"
          key={value}
          aria-pressed={value === chosen ? "true" : "false"}
          onClick={() => choose(value)}
        >
          {text}
          {count !== undefined && <span class="number dim"> {count.toLocaleString("en")}</span>}
        </button>
      ))}
    </div>
  );
}

let speak: ((text: string) => void) | undefined;
/** Says something in passing, aloud for screen readers too. */
export const say = (text: string): void => speak?.(text);

export function Said(): JSX.Element {
  const [text, set] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    speak = (next) => {
      set(next);
      clearTimeout(timer);
      timer = setTimeout(() => set(""), 6000);
    };
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="toast screen" role="status">
      {text}
    </div>
  );
}
