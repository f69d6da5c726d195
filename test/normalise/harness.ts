// Runs a format's mapper over records without the stages around it: fixed ids, digest and clock, no redaction and
// no rules. For golden tests of mappers.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { eventOf } from "../../src/core/event.ts";
import type { Action } from "../../src/core/generated/classes.ts";
import { type Event, FIELDS } from "../../src/core/generated/event.ts";
import type { StreamInfo } from "../../src/core/stage.ts";
import { fromEpoch, fromMs, parseTime } from "../../src/core/time.ts";
import type { Format, Outcome, Scope } from "../../src/normalise/format.ts";
import { Session, type SessionState } from "../../src/normalise/session.ts";

export const digest = createDigest("test");
const MODIFIED_MS = Date.UTC(2026, 10, 23, 12);

export interface MapOptions {
  readonly path?: string;
  readonly source?: string;
  /** Session of the stream; without it `sessionOf` of the format is asked. */
  readonly session?: string;
  readonly options?: unknown;
  /** State to go on from, as `Mapped.sessions` of an earlier run. */
  readonly sessions?: readonly [string, SessionState][];
}
export interface Mapped {
  readonly events: Partial<Event>[];
  readonly outcomes: Outcome[];
  readonly sessions: [string, SessionState][];
}

class TestScope implements Scope {
  readonly stream: StreamInfo;
  readonly digest = digest;
  readonly sessions = new Map<string, Session>();
  readonly events: Partial<Event>[] = [];
  offset = 0;
  emitted = 0;
  readonly #format: Format;
  #session!: Session;

  constructor(format: Format, stream: StreamInfo, state: readonly [string, SessionState][]) {
    this.#format = format;
    this.stream = stream;
    for (const [id, of] of state) this.sessions.set(id, new Session(id, digest, of));
    this.session();
  }

  session(id: string = this.stream.session ?? this.stream.id): Session {
    expect(typeof id).toBe("string");
    let session = this.sessions.get(id);
    if (session === undefined) this.sessions.set(id, (session = new Session(id, digest)));
    this.#session = session;
    return session;
  }

  event(action: Action, time: unknown): Event {
    const e = eventOf(action, { namespace: "default", host: "test", version: "0" });
    e["gen_ai.conversation.id"] = this.#session.id;
    e["log.file.path"] = this.stream.path;
    e["log.offset"] = this.offset;
    e["tapline.source"] = this.stream.source;
    e["tapline.stream"] = this.stream.id;
    e["tapline.format"] = this.stream.format;
    e["tapline.vantage"] = this.#format.vantage;
    this.#stamp(e, time);
    return e;
  }

  #stamp(e: Event, time: unknown): void {
    const known =
      typeof time === "string" ? parseTime(time) : typeof time === "number" ? fromEpoch(time) : undefined;
    const last = this.#session.last_time;
    e["@timestamp"] = known ?? last ?? fromMs(this.stream.modified_ms);
    e["tapline.time.source"] = known !== undefined ? "record" : last === undefined ? "arrival" : "stream";
    if (known === undefined) e["tapline.time.suspect"] = true;
    else this.#session.last_time = known;
    if (typeof time !== "string" && typeof time !== "number") return;
    if (known !== time) e["tapline.time.original"] = String(time).slice(0, 64);
  }

  emit(e: Event): void {
    e["event.id"] = `s1-${this.offset.toString(36)}-${this.emitted}`;
    this.forward(e);
  }

  forward(e: Event): void {
    this.emitted++;
    checkEvent(e);
    const defined: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(e)) if (value !== undefined) defined[name] = value;
    this.events.push(defined);
  }
}

const GOOD: Record<string, (value: unknown) => boolean> = {
  keyword: (value) => typeof value === "string",
  wildcard: (value) => typeof value === "string",
  text: (value) => typeof value === "string",
  stored: (value) => typeof value === "string",
  constant: (value) => typeof value === "string",
  ip: (value) => typeof value === "string",
  date: (value) => typeof value === "string" && parseTime(value) === value,
  long: (value) => Number.isSafeInteger(value),
  double: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  // Servers index objects only: text, numbers and arrays have to be wrapped.
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "keyword[]": (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  "long[]": (value) => Array.isArray(value) && value.every((item) => Number.isSafeInteger(item)),
};

/** Throws when the event has a field that the table does not know, or a value that its type does not allow. */
export function checkEvent(e: Partial<Event>): void {
  for (const [name, value] of Object.entries(e)) {
    if (value === undefined) continue;
    const type = (FIELDS as Record<string, string>)[name];
    if (type === undefined) throw new Error(`${name} is not in the table`);
    if (!GOOD[type]!(value)) throw new Error(`${name} is no ${type}: ${JSON.stringify(value)}`);
  }
}

/** Maps records (parsed lines) in order, as one stream; every event is checked against the field table. */
export function mapRecords(format: Format, lines: readonly unknown[], options: MapOptions = {}): Mapped {
  const path = options.path ?? `test.${format.name}.jsonl`;
  const stream: StreamInfo = {
    id: "s1",
    source: options.source ?? "test",
    path,
    format: format.name,
    session: options.session ?? format.sessionOf(lines.slice(0, 16), path),
    options: options.options,
    capture: { arguments: "full", results: "full", messages: "full", identity: "full" },
    modified_ms: MODIFIED_MS,
  };
  const scope = new TestScope(format, stream, options.sessions ?? []);
  const map = format.open(stream);
  const outcomes: Outcome[] = [];
  for (let i = 0; i < lines.length; i++) {
    scope.offset = i * 1000;
    scope.emitted = 0;
    scope.session();
    const outcome = map(lines[i], scope);
    if ((outcome === "recorded") !== scope.emitted > 0)
      throw new Error(`${outcome}, but ${scope.emitted} events`);
    outcomes.push(outcome);
  }
  return { events: scope.events, outcomes, sessions: [...scope.sessions].map(([id, s]) => [id, s.state()]) };
}

// The same in every event, so they would only be noise in a golden file.
const CONSTANT =
  /^(event\.(kind|category|type|module)|ecs|data_stream|host|observer|log|tapline\.(control|entry|source|stream|format|vantage))\b/;

/** Parsed lines of `test/fixtures/<path>`. */
export function fixture(path: string): unknown[] {
  const text = readFileSync(new URL(`../fixtures/${path}`, import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

/** Maps `test/fixtures/<format>/<name>.jsonl`, or the records given, and compares with `<name>.out.json`;
 * UPDATE_GOLDEN=1 rewrites that. */
export function golden(
  format: Format,
  name: string,
  options: MapOptions = {},
  records: readonly unknown[] = fixture(`${format.name}/${name}.jsonl`),
): Mapped {
  const mapped = mapRecords(format, records, options);
  const events = mapped.events.map((e) =>
    Object.fromEntries(
      Object.entries(e).filter(([field, value]) =>
        field === "tapline.time.source" ? value !== "record" : !CONSTANT.test(field),
      ),
    ),
  );
  const file = new URL(`../fixtures/${format.name}/${name}.out.json`, import.meta.url);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, JSON.stringify(events, null, 2) + "\n");
  expect(existsSync(file), `${file.pathname} exists; make it with UPDATE_GOLDEN=1 and read it`).toBe(true);
  expect(events).toEqual(JSON.parse(readFileSync(file, "utf8")));
  return mapped;
}
