// Where in the application the reader is: the part of the address after `#`, which never leaves the browser. It holds the page
// and everything that was chosen on it, so that a copied address shows the same.
import { useLayoutEffect, useMemo, useState } from "preact/hooks";

export interface Route {
  /** Decoded parts of the path: `["alerts"]`, `["sessions", "abc/def"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function parse(hash: string): Route {
  const [path = "", ...rest] = hash.replace(/^#\/?/, "").split("?");
  return {
    path: path
      .split("/")
      .filter((part) => part !== "")
      .map(decode),
    query: new URLSearchParams(rest.join("?")),
  };
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The address of a page; what is empty is left out. */
export function href(path: readonly string[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === "string" ? [value] : (value ?? [])) {
      if (one !== "") search.append(name, one);
    }
  }
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

export const go = (to: string): void => {
  location.hash = to.slice(1);
};

/** Changes choices on the page that is open. Without `push` the back button skips it. */
export function choose(change: Query, push = false): void {
  const { path, query } = parse(location.hash);
  const next: Record<string, readonly string[]> = {};
  for (const name of new Set(query.keys())) next[name] = query.getAll(name);
  for (const [name, value] of Object.entries(change)) {
    next[name] = value === undefined ? [] : typeof value === "string" ? [value] : value;
  }
  const to = href(path, next);
  if (to === location.hash) return;
  if (push) location.hash = to;
  else {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

export function useRoute(): Route {
  const [hash, set] = useState(location.hash);
  // Before anything is painted, and looked at once more: an address that changes meanwhile is not missed.
  useLayoutEffect(() => {
    const changed = (): void => set(location.hash);
    addEventListener("hashchange", changed);
    changed();
    return () => removeEventListener("hashchange", changed);
  }, []);
  return useMemo(() => parse(hash), [hash]);
}
