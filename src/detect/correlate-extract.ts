// What a worker tells the ordering thread of its events: the few values that correlations need of those that match,
// and how far each stream's time has come. Hot path; keeps nothing from one batch to the next.
import { hash } from "node:crypto";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import type { ExtractPlan } from "./correlate-join.ts";
import { slotFor } from "./fields.ts";
import { type Slot, View } from "./slot.ts";

export type ExtractValue = string | number | null;

/** One match of one rule. */
export interface Extract {
  /** Place in the batch's `rules`. */
  readonly rule: number;
  readonly time_ms: number;
  /** Id of the event. */
  readonly event: string;
  /** Place of the event's entry in the batch, or -1. */
  readonly entry: number;
  /** Values of the rule's fields, in their order; null where the event has none. */
  readonly values: readonly ExtractValue[];
  readonly backfill: boolean;
}

/** How far the events of a stream have come, matched or not: the latest time of each kind, where there was one. */
export interface StreamTime {
  readonly stream: string;
  /** The stream of the source that its events came by, where that is another. */
  readonly part?: string | undefined;
  readonly live_ms: number | null;
  readonly backfill_ms: number | null;
}

/** The extracts of one batch. Tells all that it means, so that it can be replayed into another rule set. */
export interface ExtractBatch {
  readonly rules: readonly { readonly rule: string; readonly fields: readonly string[] }[];
  readonly extracts: readonly Extract[];
  readonly streams: readonly StreamTime[];
}

/** A batch and what the ordering thread adds to it: events of its own, whose entries come behind `count` others. */
export function joinExtracts(batch: ExtractBatch, own: ExtractBatch, count: number): ExtractBatch {
  if (own.extracts.length === 0) return batch;
  const first = batch.rules.length;
  const moved = own.extracts.map((x) => ({ ...x, rule: x.rule + first, entry: x.entry + count }));
  return { ...batch, rules: [...batch.rules, ...own.rules], extracts: [...batch.extracts, ...moved] };
}

interface Reader {
  readonly rule: string;
  readonly fields: readonly string[];
  readonly slots: readonly (Slot | undefined)[];
  /** Place in the batch in hand, or -1. */
  at: number;
}

interface Clock {
  stream: string;
  part: string | undefined;
  live_ms: number | null;
  backfill_ms: number | null;
}

/** Text of any length, cut so that different texts stay different. */
function shorten(text: string): string {
  if (text.length <= LIMITS.correlation_text_chars) return text;
  const digest = hash("sha256", text, "hex").slice(0, 32);
  return `${text.slice(0, LIMITS.correlation_text_chars - 33).toWellFormed()}…${digest}`;
}

/** A field's value: of a list with one element that element, of longer lists and of objects their JSON. */
function valueOf(value: unknown): ExtractValue {
  if (typeof value === "string") return shorten(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return String(value);
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) {
    if (value.length === 0) return null;
    if (value.length === 1) return valueOf(value[0]);
  }
  return shorten(JSON.stringify(value) ?? "");
}

export class Extractor {
  readonly #readers: (Reader | undefined)[];
  readonly #view = new View();
  #rules: { rule: string; fields: readonly string[] }[] = [];
  #extracts: Extract[] = [];
  #clocks: Clock[] = [];
  readonly #by_stream = new Map<string, Clock>();
  #clock: Clock | undefined;

  /** `hashes` are the content hashes of the rule set's rules, by place. */
  constructor(plan: ExtractPlan, hashes: readonly string[]) {
    this.#readers = hashes.map((rule) => {
      const fields = plan[rule];
      return fields && { rule, fields, slots: fields.map((name) => slotFor(name, "any")), at: -1 };
    });
  }

  /** Whether matches of the rule at this place are wanted. */
  wants(place: number): boolean {
    return this.#readers[place] !== undefined;
  }

  /** To be told of every event, matched or not, and the stream of the source that it came by. What the collector
   * itself says is of no stream. */
  seen(e: Event, by?: string): void {
    if (e["tapline.vantage"] === "self") return;
    const stream = e["tapline.stream"] ?? "";
    const part = by === stream ? undefined : by;
    let clock = this.#clock;
    if (clock === undefined || clock.stream !== stream || clock.part !== part)
      this.#clock = clock = this.#clockOf(stream, part);
    const time = toMs(e["@timestamp"] ?? "");
    if (Number.isNaN(time)) return;
    if (e["tapline.backfill"] === true) {
      if (clock.backfill_ms === null || time > clock.backfill_ms) clock.backfill_ms = time;
    } else if (clock.live_ms === null || time > clock.live_ms) clock.live_ms = time;
  }

  #clockOf(stream: string, part: string | undefined): Clock {
    const key = part === undefined ? stream : `${part} ${stream}`;
    let clock = this.#by_stream.get(key);
    if (clock === undefined) {
      this.#by_stream.set(key, (clock = { stream, part, live_ms: null, backfill_ms: null }));
      this.#clocks.push(clock);
    }
    return clock;
  }

  /** One match; `entry` is the place of the event in the batch. Another sight of a call that counts elsewhere is not
   * an event of its own. */
  add(place: number, e: Event, entry: number): void {
    const reader = this.#readers[place];
    if (reader === undefined || e["tapline.primary"] === false) return;
    const time_ms = toMs(e["@timestamp"] ?? "");
    if (Number.isNaN(time_ms)) return;
    if (reader.at < 0) {
      reader.at = this.#rules.length;
      this.#rules.push({ rule: reader.rule, fields: reader.fields });
    }
    const backfill = e["tapline.backfill"] === true;
    const values = this.#values(reader, e);
    this.#extracts.push({ rule: reader.at, time_ms, event: e["event.id"] ?? "", entry, values, backfill });
  }

  #values(reader: Reader, e: Event): ExtractValue[] {
    const values: ExtractValue[] = [];
    this.#view.set(e);
    for (let i = 0; i < reader.slots.length; i++) {
      const slot = reader.slots[i];
      if (slot === undefined) values.push(null);
      else if (slot.read === "field")
        values.push(valueOf((e as unknown as Record<string, unknown>)[slot.field]));
      else {
        slot.load(this.#view);
        values.push(slot.count === 0 ? null : valueOf(slot.values.slice(0, slot.count)));
      }
    }
    return values;
  }

  /** What was told since the last call. */
  take(): ExtractBatch {
    const batch = { rules: this.#rules, extracts: this.#extracts, streams: this.#clocks };
    for (const reader of this.#readers) if (reader !== undefined) reader.at = -1;
    this.#rules = [];
    this.#extracts = [];
    this.#clocks = [];
    this.#by_stream.clear();
    this.#clock = undefined;
    return batch;
  }
}
