// What a format is: one pure mapper from records to events. A format reads no files, keeps no state outside
// `Session` and its own stream's variables, and never throws for what a record holds.
import type { Action } from "../core/generated/classes.ts";
import type { Event } from "../core/generated/event.ts";
import type { StreamInfo, Vantage } from "../core/stage.ts";
import type { Json } from "../core/text.ts";
import type { KnownFields } from "./drift.ts";
import type { Session } from "./session.ts";

/** What became of a record. A skip names its reason; every record has exactly one outcome. */
export type Outcome = "recorded" | "merged" | `skipped:${string}`;

/** Called once a record, in order. Emits any number of events through `scope`; "recorded" iff at least one. */
export type Mapper = (record: unknown, scope: Scope) => Outcome;

export interface Format {
  readonly name: string;
  readonly vantage: Vantage;
  /** 0 to 1: how sure the format is that these first records are its own. Pure. */
  recognise(head: readonly unknown[], path: string): number;
  /** The agent session that a stream belongs to as a whole, when path or head tell; else undefined. Pure. */
  sessionOf(head: readonly unknown[], path: string): string | undefined;
  /** The session of one record, of formats whose streams hold those of many. Pure. */
  readonly sessionIn?: (record: unknown) => string | undefined;
  /** Whether a record asks somebody to do something, so that it matters when two readers of its keys may disagree.
   * Without it, keys that a record repeats are not looked for. Pure, and called once a record. */
  readonly asks?: (record: unknown) => boolean;
  /** For formats of text: a line as a record, undefined when it is none of theirs. Without it lines are JSON. Pure. */
  readonly decode?: (line: string) => unknown;
  /** Fields that records have as far as is known: others are counted as drift. */
  readonly fields?: KnownFields;
  /** A mapper for one stream generation. */
  open(stream: StreamInfo): Mapper;
}

/** The mapper's way out of one record. Valid only during the call. */
export interface Scope {
  readonly stream: StreamInfo;
  /** Offset of the record in its stream. */
  readonly offset: number;
  /** The session of this id (created when new); without id the stream's own. Also the current session of `event`. */
  session(id?: string): Session;
  /** A new event of a class, with stream, session and class fields set, and @timestamp from `time`:
   * text (RFC 3339) or number (since 1970); undefined takes the session's last time and says so. */
  event(action: Action, time: unknown): Event;
  /** Hands an event over, in order. The event must not be touched afterwards. */
  emit(e: Event): void;
  /** Hands over an event that another collector has finished: it keeps its id, and nothing is derived or redacted anew. */
  forward(e: Event): void;
  /** Keyed digest of text (128 bits, hex). */
  digest(text: string): string;
}

export type Fields = Record<string, unknown>;

/** `value` when it is a plain object, else undefined. For reading records that may hold anything. */
export function asObject(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
/** `value` when it is a string (and not empty), else undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
/** `value` as a finite number; numbers as text are read too (OTLP writes int64 as strings). */
export function asNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
/** `value` as what a field of type object can hold: servers index objects only, so the rest is wrapped. */
export function asHeld(value: unknown): { readonly [key: string]: Json } {
  return (asObject(value) ?? { value }) as { readonly [key: string]: Json };
}
/** `value` when it is an array, else an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
/** Items of a list as text. What is no text is written as JSON: an object of a record may say how it becomes text, and fail. */
export function asTexts(value: unknown): string[] {
  return asList(value).map((item) => (typeof item === "string" ? item : (JSON.stringify(item) ?? "")));
}
