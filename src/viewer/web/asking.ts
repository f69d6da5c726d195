// Questions as part of a page: asked when the page or its choices change, given up when these change again.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api.ts";
import { get, lines, problemOf } from "./client.ts";

export interface Answer<T> {
  /** The newest answer; while another is on its way, the one before. */
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  readonly waiting: boolean;
  readonly again: () => void;
}

/** Without an address nothing is asked. */
export function useAnswer<T>(url: string | undefined): Answer<T> {
  const [state, set] = useState<Omit<Answer<T>, "again"> & { readonly url: string | undefined }>({
    url: undefined,
    value: undefined,
    problem: undefined,
    waiting: url !== undefined,
  });
  const [turn, next] = useState(0);
  useEffect(() => {
    if (url === undefined) return undefined;
    const abort = new AbortController();
    set((before) => ({ ...before, waiting: true }));
    get<T>(url, abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) set({ url, value, problem: undefined, waiting: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        // Another question's answer would be a wrong one here.
        set((before) => ({
          url,
          value: before.url === url ? before.value : undefined,
          problem: problemOf(error),
          waiting: false,
        }));
      },
    );
    return () => abort.abort();
  }, [url, turn]);
  const again = useCallback(() => next((n) => n + 1), []);
  return { value: state.value, problem: state.problem, waiting: state.waiting, again };
}

export interface Stream<S> {
  readonly state: S;
  readonly problem: Problem | undefined;
  readonly waiting: boolean;
  readonly again: () => void;
}

/** An answer that comes in lines, folded into a state from `empty` on. */
export function useLines<S>(
  url: string | undefined,
  empty: S,
  fold: (state: S, line: never) => S,
): Stream<S> {
  const [shown, set] = useState<{
    readonly state: S;
    readonly problem: Problem | undefined;
    readonly waiting: boolean;
  }>({ state: empty, problem: undefined, waiting: url !== undefined });
  const [turn, next] = useState(0);
  const how = useRef({ empty, fold });
  how.current = { empty, fold };
  useEffect(() => {
    if (url === undefined) return undefined;
    const abort = new AbortController();
    let state = how.current.empty;
    set({ state, problem: undefined, waiting: true });
    const each = (got: readonly unknown[]): void => {
      if (abort.signal.aborted) return;
      for (const line of got) state = how.current.fold(state, line as never);
      set({ state, problem: undefined, waiting: true });
    };
    lines(url, each, abort.signal).then(
      () => {
        if (!abort.signal.aborted) set({ state, problem: undefined, waiting: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) set({ state, problem: problemOf(error), waiting: false });
      },
    );
    return () => abort.abort();
  }, [url, turn]);
  const again = useCallback(() => next((n) => n + 1), []);
  return { ...shown, again };
}

/** The time, moving on every so often, for what is told relative to it. */
export function useNow(every_ms: number): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return now;
}
