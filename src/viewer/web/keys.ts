// Keys of the keyboard. One table of what is in force, so that help tells exactly that. Letters can be switched off, for those
// whose speech or habits type them by mistake; they never act while somebody writes or holds a modifier.
import { useLayoutEffect } from "preact/hooks";

export interface Key {
  /** As `KeyboardEvent.key`, or two of them after each other: `g a`. */
  readonly key: string;
  readonly says: string;
  readonly does: () => void;
}

const groups = new Map<symbol, { readonly title: string; readonly keys: readonly Key[] }>();
const STORED = "tapline.keys";
const CHORD_MS = 1200;
let held: { readonly key: string; readonly at: number } | undefined;

export const keysOn = (): boolean => localStorage.getItem(STORED) !== "off";
export const setKeys = (on: boolean): void => localStorage.setItem(STORED, on ? "on" : "off");

export const keysInForce = (): { readonly title: string; readonly keys: readonly Key[] }[] => [
  ...groups.values(),
];

function busy(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open]") !== null) return true;
  return target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
}

function find(key: string): Key | undefined {
  for (const { keys } of [...groups.values()].toReversed()) {
    const found = keys.find((one) => one.key === key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || busy(event.target)) return;
  // Help has to be reachable to switch the others on again.
  if (!keysOn() && event.key.length === 1 && event.key !== "?") return;
  // A button or link that has the focus keeps Enter for itself.
  if (event.key === "Enter" && (event.target as HTMLElement).closest("a, button, summary") !== null) return;
  const chord = held !== undefined && event.timeStamp - held.at < CHORD_MS ? `${held.key} ${event.key}` : "";
  held = event.key === "g" ? { key: "g", at: event.timeStamp } : undefined;
  const found = find(chord) ?? find(event.key);
  if (found === undefined) return;
  event.preventDefault();
  held = undefined;
  found.does();
}

export const listen = (): void => addEventListener("keydown", pressed);

/** Puts keys in force while a part of the page is there. */
export function useKeys(title: string, keys: readonly Key[]): void {
  // Before the next key can come: it must not act on what was in hand before.
  useLayoutEffect(() => {
    const id = Symbol(title);
    groups.set(id, { title, keys });
    return () => void groups.delete(id);
  });
}
