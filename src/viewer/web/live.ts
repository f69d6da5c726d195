// What the server tells by itself. One connection for the whole application; paused, messages are counted and dropped, and the
// page asks anew when it goes on.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Head, LiveMessage } from "../api.ts";

export type LiveState = "connecting" | "live" | "paused" | "lost";

const hearers = new Set<(message: LiveMessage) => void>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let state: LiveState = "connecting";
let head: Head | undefined;
let collecting: boolean | undefined;

function become(next: LiveState): void {
  state = next;
  for (const watch of watchers) watch();
}

function heard(event: MessageEvent<string>): void {
  if (state === "paused") return;
  const message = JSON.parse(event.data) as LiveMessage;
  if (message.type === "head") {
    head = message.head;
    collecting = message.collecting;
    for (const watch of watchers) watch();
  }
  for (const hear of hearers) hear(message);
}

export function connect(): void {
  source = new EventSource("/api/live");
  source.addEventListener("message", heard);
  source.addEventListener("open", () => {
    if (state !== "paused") become("live");
  });
  // The browser connects again by itself, unless it was refused.
  source.addEventListener("error", () => {
    if (state !== "paused") become(source?.readyState === EventSource.CLOSED ? "lost" : "connecting");
  });
}

export function pause(paused: boolean): void {
  if (paused) return become("paused");
  if (source === undefined || source.readyState === EventSource.CLOSED) {
    become("connecting");
    connect();
  } else become(source.readyState === EventSource.OPEN ? "live" : "connecting");
}

/** Calls when a message comes, for as long as a part of the page is there. */
export function useHear(hear: (message: LiveMessage) => void): void {
  const now = useRef(hear);
  now.current = hear;
  useEffect(() => {
    const call = (message: LiveMessage): void => now.current(message);
    hearers.add(call);
    return () => void hearers.delete(call);
  }, []);
}

export interface Live {
  readonly state: LiveState;
  readonly head: Head | undefined;
  readonly collecting: boolean | undefined;
}

export function useLive(): Live {
  const [, turn] = useState(0);
  useEffect(() => {
    const watch = (): void => turn((n) => n + 1);
    watchers.add(watch);
    return () => void watchers.delete(watch);
  }, []);
  return { state, head, collecting };
}

/** Asks again soon after a message of these types, and when updates go on; several messages make one question. */
export function useAgain(types: readonly LiveMessage["type"][], again: () => void, wait_ms = 400): void {
  const live = useLive();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const before = useRef(live.state);
  const soon = (): void => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      again();
    }, wait_ms);
  };
  useHear((message) => {
    if (types.includes(message.type)) soon();
  });
  useEffect(() => {
    if (before.current !== "live" && before.current !== "connecting" && live.state === "live") soon();
    before.current = live.state;
  }, [live.state]);
  useEffect(() => () => clearTimeout(timer.current), []);
}
