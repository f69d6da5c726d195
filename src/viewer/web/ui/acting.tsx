// What an owner says of alerts and incidents: the dialogs that ask for words, and the way to the server. The collector records it;
// pages show it when it has.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AlertAction, AlertVerdict, Submitted } from "../../api.ts";
import { address, download, post, problemOf } from "../client.ts";
import { plural } from "../figures.ts";
import { Dialog, say, useOwner } from "./parts.tsx";

export async function submit(path: readonly string[], body: unknown, what: string): Promise<boolean> {
  try {
    const { collecting } = await post<Submitted>(address(path), body);
    say(
      collecting
        ? `${what}: handed to the collector, which records it.`
        : `${what}: kept for the collector, which is not running. It is recorded when it starts.`,
    );
    return true;
  } catch (error) {
    const { message, remedy } = problemOf(error);
    say(`Not done: ${message}${remedy === undefined ? "" : ` ${remedy}`}`);
    return false;
  }
}

export const actOnAlerts = (action: AlertAction, what: string): Promise<boolean> =>
  submit(["alerts"], action, `${what} (${plural(action.alerts.length, "alert")})`);

/** Asks for words; done when they are handed over. */
export function Words({
  title,
  label,
  needed,
  close,
  done,
  choices = [],
}: {
  title: string;
  label: string;
  needed: boolean;
  close: () => void;
  done: (words: string, choice: string) => void;
  /** One more thing to choose. */
  choices?: readonly { readonly value: string; readonly label: string }[];
}): JSX.Element {
  const [words, set] = useState("");
  const [choice, pick] = useState(choices[0]?.value ?? "");
  const empty = needed && words.trim() === "";
  return (
    <Dialog title={title} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (empty) return;
          done(words.trim(), choice);
          close();
        }}
      >
        <h2>{title}</h2>
        {choices.length > 0 && (
          <label>
            For
            <select value={choice} onChange={(event) => pick(event.currentTarget.value)}>
              {choices.map(({ value, label: text }) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {label}
          {needed ? "" : " (optional)"}
          <textarea
            autofocus
            rows={3}
            maxLength={2000}
            value={words}
            onInput={(event) => set(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
                event.currentTarget.form?.requestSubmit();
            }}
          />
        </label>
        <div class="tools">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button main" disabled={empty}>
            {title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** A name, for an assignment. */
export function Name({
  mine,
  close,
  done,
}: {
  mine: string;
  close: () => void;
  done: (name: string) => void;
}): JSX.Element {
  const [name, set] = useState(mine);
  return (
    <Dialog title="Assign" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done(name.trim());
          close();
        }}
      >
        <h2>Assign</h2>
        <label>
          To whom; empty takes it back
          <input value={name} maxLength={200} onInput={(event) => set(event.currentTarget.value)} />
        </label>
        <div class="tools">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button main">
            Assign
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export const verdictWords = (verdict: AlertVerdict): string =>
  verdict === "true_positive" ? "Close as true positive" : "Close as false positive";

/** A file to keep. Recorded before its first byte is sent, so only for owners. */
export function Keep({
  label,
  path,
  body,
  name,
}: {
  label: string;
  path: readonly string[];
  body: unknown;
  name: string;
}): JSX.Element | null {
  const owner = useOwner();
  const [busy, set] = useState(false);
  if (!owner) return null;
  const run = async (): Promise<void> => {
    set(true);
    try {
      say(`Saved as ${await download(address(path), body, name)}. The export is recorded.`);
    } catch (error) {
      const { message, remedy } = problemOf(error);
      say(`Not saved: ${message}${remedy === undefined ? "" : ` ${remedy}`}`);
    }
    set(false);
  };
  return (
    <button type="button" class="button" disabled={busy} onClick={() => void run()}>
      {busy ? "Saving …" : label}
    </button>
  );
}
